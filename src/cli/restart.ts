/** `maestro run restart`, `step restart`, `step succeed`: what is done about runs and steps that have ended. */
import type { JsonObject } from "../json.ts";
import { addressIn, INSTANCE, STEP } from "./address.ts";
import { JSON_OPTION, option, UsageError } from "./argument.ts";
import { clientOf, path } from "./client.ts";
import { type Command, EXIT } from "./command.ts";
import {
  checkWatched,
  DEPTH,
  PARAM,
  PARAMS,
  paramsIn,
  REQUEST_ID,
  reportStart,
  TIMEOUT,
  WATCH,
  watch,
} from "./launch.ts";
import { cell, object, printJson } from "./output.ts";
import { runName } from "./progress.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { WORKFLOW } from "./workflow.ts";

const FROM = option({
  name: "--from",
  placeholder: "WHERE",
  summary: "incomplete or beginning",
  otherwise: "incomplete",
  read: (text) => {
    if (text === "incomplete" || text === "beginning") return text;
    throw new UsageError(`must be incomplete or beginning, not "${text}"`);
  },
});
const INLINE_ROOT = option({
  name: "--inline-root",
  summary: "Begin at the workflow around the loops that the step stands in",
});
const NO_WAIT = option({ name: "--no-wait", summary: "Do not wait until a run that is under way has taken it up" });

const policyOf = (from: "incomplete" | "beginning" | undefined): string =>
  from === "beginning" ? "RESTART_FROM_BEGINNING" : "RESTART_FROM_INCOMPLETE";

const withId = (id: string | undefined): JsonObject => (id === undefined ? {} : { request_id: id });

export const runRestartCommand: Command = {
  name: "run restart",
  summary: "Make a new run of an instance that has ended",
  positionals: [WORKFLOW, INSTANCE],
  options: [FROM, PARAM, PARAMS, REQUEST_ID, WATCH, DEPTH, TIMEOUT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["run restart etl 7 --watch", "run restart etl 7 --from beginning --param rows=100"],
  detail:
    "Steps that are complete are not executed again, unless --from is beginning. Params are those of the run before; what depends on one that is given is evaluated anew.",
  run: async (args, io) => {
    checkWatched(args, args.has(WATCH));
    const client = clientOf(args, io);
    const [workflow, instance] = [args.need(WORKFLOW), args.need(INSTANCE)];
    const params = await paramsIn(args, io);
    const id = withId(args.get(REQUEST_ID));
    const body = { restart_policy: policyOf(args.get(FROM)), ...id, ...(params && { run_params: params }) };
    const url = path`/workflows/${workflow}/instances/${instance}/actions/restart`;
    const answer = object(await client.request("POST", url, { body }));
    const exit = reportStart(answer, args, io);
    return exit === EXIT.OK && args.has(WATCH) ? watch(client, addressIn(answer), args, io) : exit;
  },
};

export const stepRestartCommand: Command = {
  name: "step restart",
  summary: "Execute a step once more, and what follows it",
  positionals: [WORKFLOW, INSTANCE, STEP],
  options: [
    FROM,
    INLINE_ROOT,
    NO_WAIT,
    PARAM,
    PARAMS,
    REQUEST_ID,
    WATCH,
    DEPTH,
    TIMEOUT,
    JSON_OPTION,
    ...CLIENT_SETTING_OPTIONS,
  ],
  examples: ["step restart etl 7 load --watch", "step restart etl 7 load --param retries=3"],
  detail:
    "By a new run when the latest one has ended, else by another attempt. Params are the step's. --from is for the runs below the step: iterations of a loop, a subworkflow.",
  run: async (args, io) => {
    checkWatched(args, args.has(WATCH));
    const client = clientOf(args, io);
    const [workflow, instance, step] = [args.need(WORKFLOW), args.need(INSTANCE), args.need(STEP)];
    const params = await paramsIn(args, io);
    const body = {
      restart_policy: policyOf(args.get(FROM)),
      ...withId(args.get(REQUEST_ID)),
      ...(params && { step_run_params: params }),
      ...(args.has(INLINE_ROOT) && { upstream_restart_mode: "RESTART_FROM_INLINE_ROOT" }),
    };
    const url = path`/workflows/${workflow}/instances/${instance}/steps/${step}/actions/restart`;
    const query = args.has(NO_WAIT) ? { blocking: false } : {};
    const answer = object(await client.request("POST", url, { body, query }));
    const exit = reportStart(answer, args, io);
    return exit === EXIT.OK && args.has(WATCH) ? watch(client, addressIn(answer), args, io) : exit;
  },
};

export const stepSucceedCommand: Command = {
  name: "step succeed",
  summary: "Declare a step done, whatever its job says",
  positionals: [WORKFLOW, INSTANCE, STEP],
  options: [PARAM, PARAMS, NO_WAIT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["step succeed etl 7 load", "step succeed etl 7 load --param rows=100"],
  detail:
    "It ends SUCCEEDED, its job is ended, and what follows it goes on. Params are what it puts out. Of a run that is under way only.",
  run: async (args, io) => {
    const [workflow, instance, step] = [args.need(WORKFLOW), args.need(INSTANCE), args.need(STEP)];
    const outputs = await paramsIn(args, io);
    const url = path`/workflows/${workflow}/instances/${instance}/steps/${step}/actions/succeed`;
    const query = args.has(NO_WAIT) ? { blocking: false } : {};
    const answer = object(
      await clientOf(args, io).request("PUT", url, { query, ...(outputs && { body: { outputs } }) }),
    );
    const status = cell(object(answer.step_runtime_state), "status");
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(`${runName(answer)} step ${step}: ${args.has(NO_WAIT) ? "asked to succeed" : status}`);
    return EXIT.OK;
  },
};
