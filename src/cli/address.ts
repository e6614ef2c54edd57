/** Which run a command is about. */
import type { JsonObject } from "../json.ts";
import { type Arguments, option, positional, wholeNumber } from "./argument.ts";
import { path } from "./client.ts";
import { cell } from "./output.ts";
import { WORKFLOW } from "./workflow.ts";

export interface RunAddress {
  readonly workflow: string;
  readonly instance: number | string;
  /** A number, or `latest`. */
  readonly run: number | string;
}

export const INSTANCE = positional({ name: "INSTANCE", summary: "The instance's number", read: wholeNumber(1) });
export const STEP = positional({ name: "STEP", summary: "The step's id" });
export const RUN = option({
  name: "--run",
  placeholder: "N",
  summary: "Which run of the instance",
  otherwise: "latest",
  read: wholeNumber(1),
});

export const runPath = ({ workflow, instance, run }: RunAddress): string =>
  path`/workflows/${workflow}/instances/${instance}/runs/${run}`;

export function addressOf(args: Arguments): RunAddress {
  return { workflow: args.need(WORKFLOW), instance: args.need(INSTANCE), run: args.get(RUN) ?? "latest" };
}

/** That of a run as it was answered. */
export const addressIn = (run: JsonObject): RunAddress => ({
  workflow: cell(run, "workflow_id"),
  instance: cell(run, "workflow_instance_id"),
  run: cell(run, "workflow_run_id"),
});

/** The words of a command about it, after the command's own. */
export const wordsOf = ({ workflow, instance, run }: RunAddress): readonly (string | number)[] => [
  workflow,
  instance,
  ...(run === "latest" ? [] : ["--run", run]),
];
