/** Watches a run until it ends: a tree in place on a terminal, a line a change elsewhere. */
import { MaestroError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { isRunTerminal, RUN_STATUS, type RunStatus } from "../run/status.ts";
import { addressIn, type RunAddress, runPath, wordsOf } from "./address.ts";
import type { Client } from "./client.ts";
import { EXIT, type Exit, Failure, type Io, type Signal } from "./command.ts";
import { Missed } from "./missed.ts";
import { Nested } from "./nested.ts";
import { cell, object, objects, shownLine } from "./output.ts";
import { Patience } from "./patience.ts";
import { commandLine } from "./program.ts";
import { changeLines, headLine, type Look, type Snapshot, treeLines } from "./progress.ts";

/** Milliseconds between two looks: short ones first, since most runs are short. */
const FIRST_PAUSE = 100;
const LAST_PAUSE = 1000;
const FACTOR = 1.5;
/** @returns how long to wait before each further look, ms */
export function lookPauses(): () => number {
  let pause = FIRST_PAUSE / FACTOR;
  return () => {
    pause = Math.min(LAST_PAUSE, pause * FACTOR);
    return pause;
  };
}

export interface WatchOptions {
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout?: number | undefined;
  /** Show nothing but the end. */
  readonly quiet?: boolean;
  /** Ends the watching, and not the run. */
  readonly signal?: AbortSignal | undefined;
  /** Levels of runs below the run that are shown, too; default: none. */
  readonly depth?: number | undefined;
  /** Names the command that prints its log below each step that failed. */
  readonly hints?: boolean;
}

/**
 * Goes on when the server goes away and comes back.
 *
 * @returns the run as it ended.
 * @throws Failure (WAIT) when the time is up, (SIGINT, …) when a signal came; whatever the first look fails with
 */
export async function watchRun(
  client: Client,
  address: RunAddress,
  io: Io,
  options: WatchOptions = {},
): Promise<Snapshot> {
  const { signal, quiet = false } = options;
  const lookOf = (colour: boolean) => (run: JsonObject) => ({
    colour,
    logs: options.hints === true ? logsOf(client, io, run) : undefined,
  });
  const view = quiet ? SILENT : io.terminal.out ? treeView(io, lookOf(io.colour)) : lineView(io, lookOf(false));
  const patience = new Patience(client.server, view.say);
  const started = performance.now();
  // What is watched stays one run, even if a later one begins.
  let target = address;
  const nextPause = lookPauses();
  // A tree has room for the newest attempt at each step.
  const missed = quiet || io.terminal.out ? undefined : new Missed(client);
  const nested = new Nested(client, lookAt, quiet ? 0 : (options.depth ?? 0));
  const look = async (): Promise<Snapshot> => {
    const snapshot = await nested.fill(await lookAt(client, target, signal), signal);
    return missed?.fill(addressIn(snapshot.run), snapshot, signal) ?? snapshot;
  };
  let state = `${client.server} does not answer`;
  for (;;) {
    const snapshot = await patience.ask(look, signal);
    if (signal?.aborted === true) throw goesOn(client, target, io, signal.reason);
    if (snapshot !== undefined) {
      target = addressIn(snapshot.run);
      state = headLine(snapshot.run, snapshot.now, false);
      const ended = hasEnded(snapshot);
      view.show(snapshot, ended);
      if (ended) return snapshot;
    }
    const left = (options.timeout ?? Number.POSITIVE_INFINITY) - (performance.now() - started);
    if (left <= 0) throw new Failure(`time is up; ${state}`, EXIT.WAIT);
    // Nothing to show: the server answers at the end, or when it is time to look again.
    if (quiet && snapshot !== undefined) {
      const query = { wait: waitFor(left) };
      await patience.ask(() => client.request("GET", runPath(target), { query, signal }), signal);
    } else await io.sleep(Math.min(nextPause(), left), signal);
  }
}

/** Watching has been ended, and the run has not. */
export function goesOn({ server }: Client, { workflow, instance, run }: RunAddress, io: Io, signal: Signal): Failure {
  const name = `${workflow} instance ${instance}${run === "latest" ? "" : ` run ${run}`}`;
  const words = wordsOf({ workflow, instance, run });
  return new Failure(`${name} goes on; to see it again, and to stop it:`, EXIT[signal], [
    commandLine(io, server, ["run", "watch", ...words]),
    commandLine(io, server, ["run", "stop", ...words]),
  ]);
}

/** The command that prints what an attempt at a step of the run has written. */
export function logsOf({ server }: Client, io: Io, run: JsonObject) {
  const [workflow = "", instance = "", ...which] = wordsOf(addressIn(run));
  return (stepId: string, attempt?: number): string =>
    commandLine(io, server, [
      ...["run", "logs", workflow, instance, stepId, ...which],
      ...(attempt === undefined ? [] : ["--attempt", attempt]),
    ]);
}

/** Seconds, for one request. */
const waitFor = (ms: number): number => Math.min(60, Math.max(1, Math.ceil(ms / 1000)));

/** What watching a run that ended like this exits with. */
export const exitOfRun = ({ run }: Snapshot): Exit => (run.status === "SUCCEEDED" ? EXIT.OK : EXIT.WAIT);

/** The run first, so that its steps are never older. */
export async function lookAt(client: Client, address: RunAddress, signal?: AbortSignal): Promise<Snapshot> {
  const now = Date.now();
  const run = object(await client.request("GET", runPath(address), { query: { enriched: false }, signal }));
  const latest = { ...address, run: cell(run, "workflow_run_id") };
  return { run, steps: await stepsOf(client, latest, signal), now };
}

async function stepsOf(client: Client, address: RunAddress, signal?: AbortSignal): Promise<Snapshot["steps"]> {
  try {
    return objects(await client.request("GET", `${runPath(address)}/steps`, { signal }));
  } catch (error) {
    // A run that has just begun has no steps yet.
    if (error instanceof MaestroError && error.code === "NOT_FOUND") return [];
    throw error;
  }
}

export function hasEnded({ run }: Snapshot): boolean {
  const status = cell(run, "status");
  return status in RUN_STATUS && isRunTerminal(status as RunStatus);
}

interface View {
  readonly show: (snapshot: Snapshot, ended: boolean) => void;
  /** Of the server; undefined when there is nothing more to say. */
  readonly say: (line: string | undefined) => void;
}

const SILENT: View = { show: () => {}, say: () => {} };

function lineView(io: Io, lookOf: (run: JsonObject) => Look): View {
  const seen = new Map<string, string>();
  return {
    show: (snapshot, ended) => {
      for (const line of changeLines(snapshot, seen, lookOf(snapshot.run))) io.out(line);
      if (ended) io.out(headLine(snapshot.run, snapshot.now, false));
    },
    say: (line) => io.err(line ?? "The server is back."),
  };
}

/** Redraws over what it drew before. A tree taller than the terminal shows its lower part until the end. */
function treeView(io: Io, lookOf: (run: JsonObject) => Look): View {
  let drawn = 0;
  let tree: readonly string[] = [];
  const draw = (all: readonly string[], ended: boolean): void => {
    const lines = (ended ? all : all.slice(-Math.max(1, io.rows - 1))).map((it) => shownLine(it, io.colour));
    const up = drawn === 0 ? "" : `\x1b[${drawn}A`;
    io.raw(`${up}\x1b[J${lines.map((it) => `${ended ? it : clip(it, io.columns)}\n`).join("")}`);
    drawn = lines.length;
  };
  return {
    show: (snapshot, ended) => {
      tree = treeLines(snapshot, lookOf(snapshot.run));
      draw(tree, ended);
    },
    say: (line) => draw(line === undefined ? tree : [...tree, line], false),
  };
}

/** Cuts a line that would wrap; it loses its colours. */
function clip(line: string, columns: number): string {
  return Bun.stringWidth(line) < columns ? line : Bun.stripANSI(line).slice(0, columns - 1);
}
