/** `maestro run …`: runs of workflows. */
import { paramDefinitionsSchema } from "../definition/parameter.ts";
import { isJsonObject, type JsonObject, stringifyJson } from "../json.ts";
import { type Arguments, integer, type OptionSpec, type PositionalSpec, UsageError } from "./argument.ts";
import { type Client, clientOf, JSON_OPTION, path, SERVER_OPTIONS } from "./client.ts";
import { type Command, EXIT, type Exit, type Io } from "./command.ts";
import { cell, instant, object, objects, table, timeText } from "./output.ts";
import { runName, treeLines } from "./progress.ts";
import { readSource } from "./source.ts";
import { paramsOf, parseParam } from "./value.ts";
import { exitOfRun, look, type RunAddress, runPath, watchRun } from "./watch.ts";

const WORKFLOW: PositionalSpec = { name: "WORKFLOW", summary: "The workflow's id" };
const INSTANCE: PositionalSpec = { name: "INSTANCE", summary: "The instance's number" };
const RUN_OPTION: OptionSpec = {
  name: "--run",
  placeholder: "N",
  summary: "Which run of the instance",
  otherwise: "latest",
};
const TIMEOUT_OPTION: OptionSpec = {
  name: "--timeout",
  placeholder: "SECONDS",
  summary: "Give up waiting after so long, with exit code 6",
};

function addressOf(args: Arguments): RunAddress {
  return {
    workflow: args.at(0),
    instance: integer("INSTANCE", args.at(1), 1),
    run: args.integer("--run", 1) ?? "latest",
  };
}

const timeoutOf = (args: Arguments): number | undefined => {
  const seconds = args.integer("--timeout", 1);
  return seconds === undefined ? undefined : seconds * 1000;
};

const startCommand: Command = {
  name: "run start",
  summary: "Start a workflow",
  positionals: [WORKFLOW],
  options: [
    {
      name: "--param",
      short: "-p",
      placeholder: "NAME[:TYPE]=VALUE",
      summary: "A param; without TYPE it is inferred (repeatable)",
      repeat: true,
    },
    { name: "--params", placeholder: "FILE", summary: "Params from a JSON or YAML file", file: true },
    { name: "--version", placeholder: "V", summary: "active, latest, default or a number", otherwise: "active" },
    { name: "--request-id", placeholder: "UUID", summary: "A second start with the same id starts nothing" },
    { name: "--watch", short: "-w", summary: "Watch the run; exit 6 when it does not succeed" },
    TIMEOUT_OPTION,
    JSON_OPTION,
    ...SERVER_OPTIONS,
  ],
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
    if (args.has("--timeout") && !args.has("--watch")) throw new UsageError("--timeout is for --watch");
    const client = clientOf(args, io);
    const workflow = args.at(0);
    const answer = object(
      await client.request(
        "POST",
        path`/workflows/${workflow}/versions/${args.get("--version") ?? "active"}/actions/start`,
        {
          body: await startRequest(args, io),
        },
      ),
    );
    const exit = reportStart(answer, args, io);
    if (exit !== EXIT.OK || !args.has("--watch")) return exit;
    const run = cell(answer, "workflow_run_id");
    return watch(client, { workflow, instance: cell(answer, "workflow_instance_id"), run }, args, io);
  },
};

async function startRequest(args: Arguments, io: Io): Promise<JsonObject> {
  const file = args.get("--params");
  const params: JsonObject = {
    ...(file === undefined ? {} : paramsOf((await readSource(file, io, paramDefinitionsSchema)).value, file)),
    ...Object.fromEntries(
      args
        .all("--param")
        .map(parseParam)
        .map(([name, param]) => [name, { ...param }]),
    ),
  };
  const requestId = args.get("--request-id");
  return {
    initiator: { type: "manual" },
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(Object.keys(params).length === 0 ? {} : { run_params: params }),
  };
}

function reportStart(answer: JsonObject, args: Arguments, io: Io): Exit {
  const status = cell(answer, "status");
  const watched = args.has("--watch");
  // With --watch and --json, the one document on stdout is the run's end.
  if (args.has("--json") && !watched) io.out(stringifyJson(answer, 2));
  else if (watched) io.err(`${runName(answer)}: ${status}`);
  else io.out(`${runName(answer)}: ${status}`);
  if (status === "STOPPED") {
    io.err(`The workflow's run strategy did not let it start: ${cell(object(answer.timeline_event), "message")}`);
    return EXIT.CONFLICT;
  }
  return status === "INTERNAL_ERROR" ? EXIT.FAILURE : EXIT.OK;
}

async function watch(client: Client, address: RunAddress, args: Arguments, io: Io): Promise<Exit> {
  const json = args.has("--json");
  const end = await watchRun(client, address, io, { timeout: timeoutOf(args), quiet: json });
  if (json) io.out(stringifyJson(end.run, 2));
  return exitOfRun(end);
}

const getCommand: Command = {
  name: "run get",
  summary: "Show a run and its steps",
  positionals: [WORKFLOW, INSTANCE],
  options: [RUN_OPTION, JSON_OPTION, ...SERVER_OPTIONS],
  examples: ["run get etl 7", "run get etl 7 --run 1 --json"],
  detail: "--json prints { run, steps } as the server answers them.",
  run: async (args, io) => {
    const client = clientOf(args, io);
    const address = addressOf(args);
    const snapshot = await look(client, address);
    if (args.has("--json")) io.out(stringifyJson(snapshot, 2));
    else for (const line of treeLines(snapshot, Date.now(), io.colour)) io.out(line);
    return EXIT.OK;
  },
};

const listCommand: Command = {
  name: "run list",
  summary: "List a workflow's runs, newest first",
  positionals: [WORKFLOW],
  options: [
    { name: "--limit", placeholder: "N", summary: "How many, at most 200", otherwise: "20" },
    { name: "--cursor", placeholder: "INSTANCE", summary: "Only instances before this one" },
    JSON_OPTION,
    ...SERVER_OPTIONS,
  ],
  examples: ["run list etl", "run list etl --limit 5 --json"],
  run: async (args, io) => {
    const answer = object(
      await clientOf(args, io).request("GET", path`/workflows/${args.at(0)}/instances`, {
        query: { first: args.integer("--limit", 1) ?? 20, cursor: args.get("--cursor"), aggregated: false },
      }),
    );
    if (args.has("--json")) {
      io.out(stringifyJson(answer, 2));
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
  options: [RUN_OPTION, TIMEOUT_OPTION, JSON_OPTION, ...SERVER_OPTIONS],
  examples: ["run watch etl 7", "run watch etl 7 --timeout 60", "run watch etl 7 --json"],
  detail:
    "On a terminal the steps are a tree that is redrawn; elsewhere each change is a line. --json prints the run's end.",
  run: (args, io) => watch(clientOf(args, io), addressOf(args), args, io),
};

const stopCommand: Command = {
  name: "run stop",
  summary: "Stop a run",
  positionals: [WORKFLOW, INSTANCE],
  options: [
    RUN_OPTION,
    { name: "--kill", summary: "End it as FAILED, not as STOPPED" },
    { name: "--wait", summary: "Wait until it has ended" },
    TIMEOUT_OPTION,
    JSON_OPTION,
    ...SERVER_OPTIONS,
  ],
  examples: ["run stop etl 7", "run stop etl 7 --kill --wait --timeout 30"],
  run: async (args, io) => {
    if (args.has("--timeout") && !args.has("--wait")) throw new UsageError("--timeout is for --wait");
    const client = clientOf(args, io);
    const address = addressOf(args);
    const action = args.has("--kill") ? "kill" : "stop";
    const base =
      address.run === "latest" ? path`/workflows/${address.workflow}/instances/${address.instance}` : runPath(address);
    const answer = await client.request("PUT", `${base}/actions/${action}`);
    if (args.has("--wait") && isJsonObject(answer) && answer.completed !== true) {
      return waitForEnd(client, { ...address, run: cell(answer, "workflow_run_id") }, args, io);
    }
    if (args.has("--json")) io.out(stringifyJson(answer, 2));
    else
      io.out(
        `${runName(object(answer))}: ${cell(object(answer), "workflow_instance_status")}. ${cell(object(answer), "info")}`,
      );
    return EXIT.OK;
  },
};

async function waitForEnd(client: Client, address: RunAddress, args: Arguments, io: Io): Promise<Exit> {
  const { run } = await watchRun(client, address, io, { timeout: timeoutOf(args), quiet: true });
  io.out(args.has("--json") ? stringifyJson(run, 2) : `${runName(run)}: ${cell(run, "status")}`);
  return EXIT.OK;
}

export const RUN_COMMANDS: readonly Command[] = [startCommand, getCommand, listCommand, watchCommand, stopCommand];
