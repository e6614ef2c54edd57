/** What commands that make a run have in common: its params, whether it is watched, and what is said of it. */
import { paramDefinitionsSchema } from "../definition/parameter.ts";
import type { JsonObject } from "../json.ts";
import { addressIn, type RunAddress, runPath } from "./address.ts";
import { type Arguments, JSON_OPTION, option, UsageError, uuid, wholeNumber } from "./argument.ts";
import { problemsOf } from "./attempt.ts";
import type { Client } from "./client.ts";
import { EXIT, type Exit, type Io } from "./command.ts";
import { cell, object, printJson } from "./output.ts";
import { runName } from "./progress.ts";
import { firstSignal } from "./signal.ts";
import { readSource } from "./source.ts";
import { paramsOf, parseParam } from "./value.ts";
import { exitOfRun, watchRun } from "./watch.ts";

/** A hundred days. */
const MAX_TIMEOUT_S = 8_640_000;

/** Milliseconds. */
export const TIMEOUT = option({
  name: "--timeout",
  placeholder: "SECONDS",
  summary: "Give up waiting after so long, with exit code 6",
  read: (text) => 1000 * wholeNumber(1, MAX_TIMEOUT_S)(text),
});
export const PARAM = option({
  name: "--param",
  short: "-p",
  placeholder: "NAME[:TYPE]=VALUE",
  summary: "A param; without TYPE it is inferred (repeatable)",
  repeat: true,
  read: parseParam,
});
export const PARAMS = option({ name: "--params", placeholder: "FILE", summary: "Params from a JSON or YAML file" });
export const REQUEST_ID = option({
  name: "--request-id",
  placeholder: "UUID",
  summary: "A second request with the same id starts nothing",
  read: uuid,
});
export const WATCH = option({
  name: "--watch",
  short: "-w",
  summary: "Watch the run; exit 6 when it does not succeed",
});
export const DEPTH = option({
  name: "--depth",
  placeholder: "N",
  summary: "Show the runs of loops and subworkflows, too, so many levels deep",
  otherwise: "0",
  read: wholeNumber(0, 9),
});

/** @throws UsageError when an option is there that has no effect: before anything is started */
export function checkWatched(args: Arguments, watched: boolean): void {
  if (args.has(TIMEOUT) && !watched) throw new UsageError("--timeout is for --watch");
  if (args.has(DEPTH) && !watched) throw new UsageError("--depth is for --watch");
  if (args.has(DEPTH) && args.has(JSON_OPTION)) throw new UsageError("--depth is for what is shown, not for --json");
}

/** Undefined: none are given. */
export async function paramsIn(args: Arguments, io: Io): Promise<JsonObject | undefined> {
  const file = args.get(PARAMS);
  const params: JsonObject = {
    ...(file === undefined ? {} : paramsOf((await readSource(file, io, paramDefinitionsSchema)).value, file)),
    ...Object.fromEntries(args.all(PARAM).map(([name, param]) => [name, { ...param }])),
  };
  return Object.keys(params).length === 0 ? undefined : params;
}

export function reportStart(answer: JsonObject, args: Arguments, io: Io): Exit {
  const status = cell(answer, "status");
  const watched = args.has(WATCH);
  // With --watch and --json, the one document on stdout is the run's end.
  if (args.has(JSON_OPTION) && !watched) printJson(io, answer, 2);
  else if (watched) io.err(`${runName(answer)}: ${status}`);
  else io.out(`${runName(answer)}: ${status}`);
  if (status === "STOPPED") {
    io.err(`The workflow's run strategy did not let it start: ${cell(object(answer.timeline_event), "message")}`);
    return EXIT.CONFLICT;
  }
  return status === "INTERNAL_ERROR" ? EXIT.FAILURE : EXIT.OK;
}

/** What the run's timeline warns of from its start, such as params that the definition does not declare. */
export async function warn(client: Client, answer: JsonObject, io: Io): Promise<void> {
  // The run has started, whatever becomes of this look at it.
  const run = await client.request("GET", runPath(addressIn(answer)), { query: { enriched: false } }).catch(() => ({}));
  for (const line of problemsOf(object(run).timeline)) io.err(`warning: ${line}`);
}

export async function watch(client: Client, address: RunAddress, args: Arguments, io: Io): Promise<Exit> {
  const json = args.has(JSON_OPTION);
  const end = await watchRun(client, address, io, {
    timeout: args.get(TIMEOUT),
    quiet: json,
    signal: firstSignal(io),
    hints: true,
    depth: args.get(DEPTH),
  });
  if (json) printJson(io, end.run, 2);
  return exitOfRun(end);
}
