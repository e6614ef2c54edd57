/** `maestro breakpoint …`: where steps are held, which attempts are, and letting them go. */
import type { JsonObject } from "../json.ts";
import { addressOf, INSTANCE, RUN, runPath, STEP } from "./address.ts";
import { JSON_OPTION, option, wholeNumber } from "./argument.ts";
import { clientOf } from "./client.ts";
import { type Command, EXIT, type Io } from "./command.ts";
import { cell, instant, object, objects, printJson, table, timeText } from "./output.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";

import { WORKFLOW } from "./workflow.ts";

const BREAKPOINTS = "/workflows/steps/breakpoints";
const KEEP = option({ name: "--no-resume", summary: "Leave the attempts that it has paused as they are" });
const ATTEMPT = option({
  name: "--attempt",
  placeholder: "N",
  summary: "Which attempt at the step",
  otherwise: "latest",
  read: wholeNumber(1),
});

const OPTIONS = [JSON_OPTION, ...CLIENT_SETTING_OPTIONS];

const addCommand: Command = {
  name: "breakpoint add",
  summary: "Pause every attempt that comes to a step",
  positionals: [WORKFLOW, STEP],
  options: OPTIONS,
  examples: ["breakpoint add etl load"],
  detail: "The step may be in a loop, at any depth. Attempts that are past the step's beginning go on.",
  run: async (args, io) => {
    const body = { workflow_id: args.need(WORKFLOW), step_id: args.need(STEP) };
    const answer = await clientOf(args, io).request("POST", BREAKPOINTS, { body });
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(`${args.need(WORKFLOW)} step ${args.need(STEP)}: every attempt is paused from now on`);
    return EXIT.OK;
  },
};

const removeCommand: Command = {
  name: "breakpoint rm",
  summary: "Remove the breakpoint of a step",
  positionals: [WORKFLOW, STEP],
  options: [KEEP, ...OPTIONS],
  examples: ["breakpoint rm etl load", "breakpoint rm etl load --no-resume"],
  detail: "The attempts that it has paused go on.",
  run: async (args, io) => {
    const query = { workflowId: args.need(WORKFLOW), stepId: args.need(STEP), resume: !args.has(KEEP) };
    const answer = await clientOf(args, io).request("DELETE", BREAKPOINTS, { query });
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(cell(object(object(answer).timeline_event), "message"));
    return EXIT.OK;
  },
};

/** A table of what the server lists for a step. */
const listing = (
  name: string,
  path: string,
  texts: Pick<Command, "summary" | "examples"> & { readonly none: string },
  columns: Readonly<Record<string, (row: JsonObject) => string>>,
): Command => ({
  ...{ name, summary: texts.summary, examples: texts.examples },
  positionals: [WORKFLOW, STEP],
  options: OPTIONS,
  run: async (args, io) => {
    const query = { workflowId: args.need(WORKFLOW), stepId: args.need(STEP) };
    const answer = await clientOf(args, io).request("GET", path, { query });
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else printRows(io, objects(answer), texts.none, columns);
    return EXIT.OK;
  },
});

function printRows(
  io: Io,
  rows: readonly JsonObject[],
  none: string,
  columns: Readonly<Record<string, (row: JsonObject) => string>>,
): void {
  if (rows.length === 0) return io.err(none);
  const cells = rows.map((row) => Object.values(columns).map((cellOf) => cellOf(row)));
  io.out(table(Object.keys(columns), cells));
}

const listCommand = listing(
  "breakpoint list",
  BREAKPOINTS,
  {
    summary: "Show the breakpoints of a step",
    examples: ["breakpoint list etl load"],
    none: "The step has no breakpoint.",
  },
  {
    WORKFLOW: (row) => cell(row, "workflow_id"),
    STEP: (row) => cell(row, "step_id"),
    BY: (row) => cell(row, "created_by"),
    CREATED: (row) => timeText(instant(row, "create_time")),
  },
);

const pausedCommand = listing(
  "breakpoint paused",
  `${BREAKPOINTS}/paused-step-attempts`,
  {
    summary: "List the attempts at a step that are paused",
    examples: ["breakpoint paused etl load", "breakpoint paused etl load --json"],
    none: "No attempt at the step is paused.",
  },
  {
    WORKFLOW: (row) => cell(row, "workflow_id"),
    INSTANCE: (row) => cell(row, "workflow_instance_id"),
    RUN: (row) => cell(row, "workflow_run_id"),
    ATTEMPT: (row) => cell(row, "step_attempt_id"),
    PAUSED: (row) => timeText(instant(row, "create_time")),
  },
);

const resumeCommand: Command = {
  name: "breakpoint resume",
  summary: "Let a paused attempt go on",
  positionals: [WORKFLOW, INSTANCE, STEP],
  options: [RUN, ATTEMPT, ...OPTIONS],
  examples: ["breakpoint resume etl 7 load", "breakpoint resume etl 7 load --run 1 --attempt 2"],
  detail: "The breakpoint stays. The workflow of a step in a loop is the one that `breakpoint paused` shows.",
  run: async (args, io) => {
    const step = encodeURIComponent(args.need(STEP));
    const attempt = `${runPath(addressOf(args)).slice("/workflows".length)}/steps/${step}/attempts/${args.get(ATTEMPT) ?? "latest"}`;
    const answer = await clientOf(args, io).request("PUT", `${BREAKPOINTS}${attempt}/actions/resume`, { body: {} });
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(cell(object(object(answer).timeline_event), "message"));
    return EXIT.OK;
  },
};

export const BREAKPOINT_COMMANDS: readonly Command[] = [
  addCommand,
  listCommand,
  removeCommand,
  pausedCommand,
  resumeCommand,
];
