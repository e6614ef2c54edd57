/** Every command, in the order in which help lists them. */
import { BREAKPOINT_COMMANDS } from "./breakpoint.ts";
import type { Command } from "./command.ts";
import { completionCommand } from "./completion.ts";
import { demoCommand } from "./demo.ts";
import { LETTER_COMMANDS } from "./letter.ts";
import { MIGRATE_COMMANDS } from "./migrate.ts";
import { PERMIT_COMMANDS } from "./permit.ts";
import { RUN_COMMANDS } from "./run.ts";
import { SEL_COMMANDS } from "./sel.ts";
import { serveCommand } from "./serve.ts";
import { STEP_COMMANDS } from "./step.ts";
import { TEMPLATE_COMMANDS } from "./template.ts";
import { validateCommand } from "./validate.ts";
import { versionCommand } from "./version.ts";
import { WORKFLOW_COMMANDS } from "./workflow.ts";

/** What the commands of a group are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  workflow: "Definitions and their versions",
  run: "Runs of workflows",
  step: "Steps of runs that are under way",
  "dead-letter": "Work that was announced and given up",
  breakpoint: "Steps that are held, and the attempts that are",
  permit: "How many steps with a tag may run at a time",
  template: "Params and tags that steps share",
  sel: "The expression language",
  migrate: "The database's schema",
};

export const COMMANDS: readonly Command[] = [
  serveCommand,
  demoCommand,
  validateCommand,
  ...WORKFLOW_COMMANDS,
  ...RUN_COMMANDS,
  ...STEP_COMMANDS,
  ...LETTER_COMMANDS,
  ...BREAKPOINT_COMMANDS,
  ...PERMIT_COMMANDS,
  ...TEMPLATE_COMMANDS,
  ...SEL_COMMANDS,
  ...MIGRATE_COMMANDS,
  completionCommand(() => COMMANDS, GROUPS),
  versionCommand,
];
