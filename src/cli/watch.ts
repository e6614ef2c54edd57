/** Watches a run until it ends: a tree in place on a terminal, a line a change elsewhere. */
import { MaestroError } from "../error.ts";
import { isRunTerminal, RUN_STATUS, type RunStatus } from "../run/status.ts";
import { type Client, path } from "./client.ts";
import { EXIT, type Exit, Failure, type Io } from "./command.ts";
import { cell, object, objects } from "./output.ts";
import { changeLines, headLine, type Snapshot, treeLines } from "./progress.ts";

export interface RunAddress {
  readonly workflow: string;
  readonly instance: number | string;
  /** A number, or `latest`. */
  readonly run: number | string;
}

/** Milliseconds between two looks: short ones first, since most runs are short. */
const FIRST_PAUSE = 100;
const LAST_PAUSE = 1000;

export const runPath = ({ workflow, instance, run }: RunAddress): string =>
  path`/workflows/${workflow}/instances/${instance}/runs/${run}`;

export interface WatchOptions {
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout?: number | undefined;
  /** Show nothing but the end. */
  readonly quiet?: boolean;
}

/** @returns the run as it ended. @throws Failure (WAIT) when the time is up. */
export async function watchRun(
  client: Client,
  address: RunAddress,
  io: Io,
  options: WatchOptions = {},
): Promise<Snapshot> {
  const view = options.quiet === true ? SILENT : io.terminal.out ? treeView(io) : lineView(io);
  const started = performance.now();
  // What is watched stays one run, even if a later one begins.
  let target = address;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LAST_PAUSE, pause * 1.5)) {
    const snapshot = await look(client, target);
    target = { ...address, run: cell(snapshot.run, "workflow_run_id") };
    const ended = hasEnded(snapshot);
    view(snapshot, ended);
    if (ended) return snapshot;
    const left = (options.timeout ?? Number.POSITIVE_INFINITY) - (performance.now() - started);
    if (left <= 0) throw new Failure(`time is up; ${headLine(snapshot.run, Date.now(), false)}`, EXIT.WAIT);
    // Nothing to show: the server answers at the end, or when it is time to look again.
    if (options.quiet === true) await client.request("GET", runPath(target), { query: { wait: waitFor(left) } });
    else await io.sleep(Math.min(pause, left));
  }
}

/** Seconds, for one request. */
const waitFor = (ms: number): number => Math.min(60, Math.max(1, Math.ceil(ms / 1000)));

/** What watching a run that ended like this exits with. */
export const exitOfRun = ({ run }: Snapshot): Exit => (run.status === "SUCCEEDED" ? EXIT.OK : EXIT.WAIT);

/** The run first, so that its steps are never older. */
export async function look(client: Client, address: RunAddress): Promise<Snapshot> {
  const run = object(await client.request("GET", runPath(address), { query: { enriched: false } }));
  const latest = { ...address, run: cell(run, "workflow_run_id") };
  return { run, steps: await stepsOf(client, latest) };
}

async function stepsOf(client: Client, address: RunAddress): Promise<Snapshot["steps"]> {
  try {
    return objects(await client.request("GET", `${runPath(address)}/steps`));
  } catch (error) {
    // A run that has just begun has no steps yet.
    if (error instanceof MaestroError && error.code === "NOT_FOUND") return [];
    throw error;
  }
}

function hasEnded({ run }: Snapshot): boolean {
  const status = cell(run, "status");
  return status in RUN_STATUS && isRunTerminal(status as RunStatus);
}

type View = (snapshot: Snapshot, ended: boolean) => void;

const SILENT: View = () => {};

function lineView(io: Io): View {
  const seen = new Map<string, string>();
  return (snapshot, ended) => {
    for (const line of changeLines(snapshot, seen, Date.now())) io.out(line);
    if (ended) io.out(headLine(snapshot.run, Date.now(), false));
  };
}

/** Redraws over what it drew before. A tree taller than the terminal shows its lower part until the end. */
function treeView(io: Io): View {
  let drawn = 0;
  return (snapshot, ended) => {
    const all = treeLines(snapshot, Date.now(), io.colour);
    const lines = ended ? all : all.slice(-Math.max(1, io.rows - 1));
    const up = drawn === 0 ? "" : `\x1b[${drawn}A`;
    io.raw(`${up}\x1b[J${lines.map((it) => `${ended ? it : clip(it, io.columns)}\n`).join("")}`);
    drawn = lines.length;
  };
}

/** Cuts a line that would wrap; it loses its colours. */
function clip(line: string, columns: number): string {
  return Bun.stringWidth(line) < columns ? line : Bun.stripANSI(line).slice(0, columns - 1);
}
