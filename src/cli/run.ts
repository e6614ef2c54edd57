/** `maestro run …`: runs of workflows. */
import { isJsonObject, type JsonObject } from "../json.ts";
import { addressOf, INSTANCE, RUN, type RunAddress, runPath } from "./address.ts";
import { type Arguments, JSON_OPTION, option, UsageError, version, wholeNumber } from "./argument.ts";
import { type Client, clientOf, path } from "./client.ts";
import { type Command, EXIT, type Exit, type Io } from "./command.ts";
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
  warn,
  watch,
} from "./launch.ts";
import { logsCommand } from "./log.ts";
import { cell, instant, object, objects, printJson, table, timeText } from "./output.ts";
import { DEFAULT_PAGE, LIMIT } from "./page.ts";
import { runName, treeLines } from "./progress.ts";
import { runRestartCommand } from "./restart.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { firstSignal } from "./signal.ts";
import { logsOf, lookAt, watchRun } from "./watch.ts";
import { WORKFLOW } from "./workflow.ts";

const VERSION = option({
  name: "--version",
  placeholder: "V",
  summary: "active, latest, default or a number",
  otherwise: "active",
  read: version,
});
const KILL = option({ name: "--kill", summary: "End it as FAILED, not as STOPPED" });
const WAIT = option({ name: "--wait", summary: "Wait until it has ended" });
const BEFORE = option({
  name: "--cursor",
  placeholder: "INSTANCE",
  summary: "Only instances before this one",
  read: wholeNumber(1),
});

const startCommand: Command = {
  name: "run start",
  summary: "Start a workflow",
  positionals: [WORKFLOW],
  options: [PARAM, PARAMS, VERSION, REQUEST_ID, WATCH, DEPTH, TIMEOUT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: [
    "run start etl --watch",
    "run start etl --param rows=100 --param day:STRING=20240501",
    `run start etl --param 'tables=["a","b"]' --params params.yaml`,
  ],
  detail: [
    "Values that look like it are LONG, DOUBLE, BOOLEAN or, as JSON, lists and maps; anything else is a STRING, in which",
    "the server replaces $name by the param of that name. A file's params are values, or {type, value} as in a definition.",
  ].join("\n"),
  run: async (args, io) => {
    checkWatched(args, args.has(WATCH));
    const client = clientOf(args, io);
    const workflow = args.need(WORKFLOW);
    const body = await startRequest(args, io);
    const answer = object(
      await client.request(
        "POST",
        path`/workflows/${workflow}/versions/${args.get(VERSION) ?? "active"}/actions/start`,
        { body },
      ),
    );
    const exit = reportStart(answer, args, io);
    if (body.run_params !== undefined) await warn(client, answer, io);
    if (exit !== EXIT.OK || !args.has(WATCH)) return exit;
    const run = cell(answer, "workflow_run_id");
    return watch(client, { workflow, instance: cell(answer, "workflow_instance_id"), run }, args, io);
  },
};

async function startRequest(args: Arguments, io: Io): Promise<JsonObject> {
  const params = await paramsIn(args, io);
  const requestId = args.get(REQUEST_ID);
  return {
    initiator: { type: "manual" },
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(params && { run_params: params }),
  };
}

const getCommand: Command = {
  name: "run get",
  summary: "Show a run and its steps",
  positionals: [WORKFLOW, INSTANCE],
  options: [RUN, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["run get etl 7", "run get etl 7 --run 1 --json"],
  detail: "--json prints { run, steps } as the server answers them.",
  run: async (args, io) => {
    const client = clientOf(args, io);
    const address = addressOf(args);
    const snapshot = await lookAt(client, address);
    const { run, steps } = snapshot;
    const look = { colour: io.colour, numbered: true, logs: logsOf(client, io, run) };
    if (args.has(JSON_OPTION)) printJson(io, { run, steps }, 2);
    else for (const line of treeLines(snapshot, look)) io.out(line);
    return EXIT.OK;
  },
};

const listCommand: Command = {
  name: "run list",
  summary: "List a workflow's runs, newest first",
  positionals: [WORKFLOW],
  options: [LIMIT, BEFORE, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["run list etl", "run list etl --limit 5 --json"],
  run: async (args, io) => {
    const client = clientOf(args, io);
    const workflow = args.need(WORKFLOW);
    const query = { first: args.get(LIMIT) ?? DEFAULT_PAGE, cursor: args.get(BEFORE), aggregated: false };
    const answer = object(await client.request("GET", path`/workflows/${workflow}/instances`, { query }));
    // A workflow that does not exist has an empty page, too.
    if (objects(answer.elements).length === 0)
      await client.request("GET", path`/workflows/${workflow}/versions/latest`);
    if (args.has(JSON_OPTION)) {
      printJson(io, answer, 2);
      return EXIT.OK;
    }
    const runs = [...objects(answer.elements)].sort(
      (a, b) => Number(b.workflow_instance_id) - Number(a.workflow_instance_id),
    );
    io.out(table(["INSTANCE", "RUN", "VERSION", "STATUS", "STARTED", "ENDED"], runs.map(runRow)));
    const page = object(answer.page_info);
    if (page.has_next_page === true) io.err(`More: --cursor ${cell(page, "end_cursor")}`);
    return EXIT.OK;
  },
};

const runRow = (run: JsonObject): readonly string[] => [
  cell(run, "workflow_instance_id"),
  cell(run, "workflow_run_id"),
  cell(run, "workflow_version_id"),
  cell(run, "status"),
  timeText(instant(run, "start_time")),
  timeText(instant(run, "end_time")),
];

const watchCommand: Command = {
  name: "run watch",
  summary: "Watch a run until it ends; exit 6 when it does not succeed",
  positionals: [WORKFLOW, INSTANCE],
  options: [RUN, DEPTH, TIMEOUT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["run watch etl 7", "run watch etl 7 --depth 1", "run watch etl 7 --timeout 60", "run watch etl 7 --json"],
  detail: [
    "On a terminal the steps are a tree that is redrawn; elsewhere each change is a line. --json prints the run's end.",
    "With --depth a loop shows eight iterations at most, failed and running ones first; without it, how many leaf steps",
    "below a step are in which status.",
  ].join("\n"),
  run: (args, io) => {
    checkWatched(args, true);
    return watch(clientOf(args, io), addressOf(args), args, io);
  },
};

const stopCommand: Command = {
  name: "run stop",
  summary: "Stop a run",
  positionals: [WORKFLOW, INSTANCE],
  options: [RUN, KILL, WAIT, TIMEOUT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["run stop etl 7", "run stop etl 7 --kill --wait --timeout 30"],
  run: async (args, io) => {
    if (args.has(TIMEOUT) && !args.has(WAIT)) throw new UsageError("--timeout is for --wait");
    const client = clientOf(args, io);
    const address = addressOf(args);
    const action = args.has(KILL) ? "kill" : "stop";
    const base =
      address.run === "latest" ? path`/workflows/${address.workflow}/instances/${address.instance}` : runPath(address);
    const answer = await client.request("PUT", `${base}/actions/${action}`);
    if (args.has(WAIT) && isJsonObject(answer) && answer.completed !== true) {
      return waitForEnd(client, { ...address, run: cell(answer, "workflow_run_id") }, args, io);
    }
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else
      io.out(
        `${runName(object(answer))}: ${cell(object(answer), "workflow_instance_status")}. ${cell(object(answer), "info")}`,
      );
    return EXIT.OK;
  },
};

async function waitForEnd(client: Client, address: RunAddress, args: Arguments, io: Io): Promise<Exit> {
  const options = { timeout: args.get(TIMEOUT), quiet: true, signal: firstSignal(io) };
  const { run } = await watchRun(client, address, io, options);
  if (args.has(JSON_OPTION)) printJson(io, run, 2);
  else io.out(`${runName(run)}: ${cell(run, "status")}`);
  return EXIT.OK;
}

export const RUN_COMMANDS: readonly Command[] = [
  startCommand,
  getCommand,
  listCommand,
  watchCommand,
  logsCommand,
  stopCommand,
  runRestartCommand,
];
