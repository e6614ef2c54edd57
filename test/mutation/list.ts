/** What the tests are worth: all mutations of the sources that some test has to notice. */
import { BREAKPOINT_MUTATIONS } from "./breakpoint.ts";
import { CLI_MUTATIONS } from "./cli.ts";
import { CODE_MUTATIONS } from "./code.ts";
import { ENGINE_MUTATIONS } from "./engine.ts";
import { MACHINE_MUTATIONS } from "./machine.ts";
import type { Mutation } from "./mutation.ts";
import { NESTED_MUTATIONS } from "./nested.ts";
import { PERMIT_MUTATIONS } from "./permit.ts";
import { PROCESS_MUTATIONS } from "./process.ts";
import { QUEUE_MUTATIONS } from "./queue.ts";
import { READER_MUTATIONS } from "./reader.ts";
import { RESTART_MUTATIONS } from "./restart.ts";
import { SECRET_MUTATIONS } from "./secret.ts";
import { STORE_MUTATIONS } from "./store.ts";
import { STRATEGY_MUTATIONS } from "./strategy.ts";
import { TEMPLATE_MUTATIONS } from "./template.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...MACHINE_MUTATIONS,
  ...CLI_MUTATIONS,
  ...CODE_MUTATIONS,
  ...ENGINE_MUTATIONS,
  ...RESTART_MUTATIONS,
  ...QUEUE_MUTATIONS,
  ...PROCESS_MUTATIONS,
  ...READER_MUTATIONS,
  ...STORE_MUTATIONS,
  ...BREAKPOINT_MUTATIONS,
  ...STRATEGY_MUTATIONS,
  ...PERMIT_MUTATIONS,
  ...NESTED_MUTATIONS,
  ...TEMPLATE_MUTATIONS,
  ...SECRET_MUTATIONS,
];
