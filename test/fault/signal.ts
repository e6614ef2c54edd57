/**
 * `bun test/fault/signal.ts [--rounds 50] [--seed N] [--binary PATH] [--npx]`: starts `serve` and `demo`, the latter also
 * through `bun run` (and npx), and sends one or two signals to the process group at a random moment. In the end no
 * process and no folder of it may be left. Linux only.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Program, ROOT, sourceProgram } from "../bench/server.ts";
import { median } from "../bench/stat.ts";
import { randomOf } from "./random.ts";

export interface SignalOptions {
  readonly program: Program;
  readonly rounds: number;
  readonly seed: number;
  /** Ways to start the demo beside the program itself, each a command. */
  readonly launchers: readonly (readonly string[])[];
  readonly say: (line: string) => void;
}

export interface SignalReport {
  readonly problems: readonly string[];
  /** Milliseconds from the first signal until nothing was left, by what was started. */
  readonly times: ReadonlyMap<string, readonly number[]>;
}

/** Longest time from start to the first signal, ms: `demo` is over by itself before that now and then. */
const LIFE = 3_500;
const PATIENCE = 30_000;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export async function signalRounds(options: SignalOptions): Promise<SignalReport> {
  const random = randomOf(options.seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const problems: string[] = [];
  const times = new Map<string, number[]>();
  for (let round = 1; round <= options.rounds; round++) {
    const { name, command } = pick(starts(options));
    const moment = Math.round(random() * LIFE);
    // None; as npx passes it on; while the server drains; by somebody in a hurry.
    const second = pick([undefined, Math.round(random() * 5), Math.round(random() * 400), 550]);
    const left = await play(command, { moment, second, signal: pick(SIGNALS) });
    const what = `${name}, ${moment} ms${second === undefined ? "" : ` and ${second} ms later`}`;
    if (left.what.length > 0) problems.push(`${what}: left behind: ${left.what.join("; ")}`);
    times.set(name, [...(times.get(name) ?? []), left.after]);
    options.say(
      `round ${round}: ${what}: ${left.what.length > 0 ? "NOT gone" : "gone"} after ${left.after.toFixed(0)} ms`,
    );
  }
  return { problems, times };
}

interface Start {
  readonly name: string;
  readonly command: (folder: string) => readonly string[];
}

function starts({ program, launchers }: SignalOptions): readonly Start[] {
  return [
    { name: "serve", command: (folder) => [...program, "serve", "--port", "0", "--data-dir", join(folder, "data")] },
    { name: "demo", command: () => [...program, "demo"] },
    { name: "demo --keep", command: () => [...program, "demo", "--keep"] },
    ...launchers.map((launcher) => ({ name: launcher.join(" "), command: () => launcher })),
  ];
}

interface Moment {
  readonly moment: number;
  readonly second: number | undefined;
  readonly signal: NodeJS.Signals;
}

/** @returns what is left when the patience is over, and after how long nothing or that was left */
async function play(
  command: Start["command"],
  { moment, second, signal }: Moment,
): Promise<{ what: string[]; after: number }> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-signal-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "tmp"), { mode: 0o1777 });
  const child = Bun.spawn([...command(folder)], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: join(folder, "tmp") },
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
  });
  await Bun.sleep(moment);
  const since = performance.now();
  toGroup(child.pid, signal);
  if (second !== undefined) {
    await Bun.sleep(second);
    toGroup(child.pid, signal);
  }
  for (;;) {
    const what = [
      ...processesOf(folder).map((pid) => `process ${pid} (${commandOf(pid)})`),
      ...readdirSync(join(folder, "tmp"))
        .filter((it) => it.startsWith("maestro-"))
        .map((it) => `folder ${it}`),
    ];
    const after = performance.now() - since;
    if (what.length > 0 && after < PATIENCE) {
      await Bun.sleep(20);
      continue;
    }
    for (const pid of processesOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    return { what, after };
  }
}

function toGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // All of the group have ended.
  }
}

/** Processes that were given the folder in their environment, work in it, or name it. */
function processesOf(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => pid !== process.pid && [environmentOf, folderOf, commandOf].some((of) => of(pid).includes(folder)),
    );
}

const environmentOf = (pid: number): string => read(() => readFileSync(`/proc/${pid}/environ`, "latin1"));
const folderOf = (pid: number): string => read(() => readlinkSync(`/proc/${pid}/cwd`));
const commandOf = (pid: number): string =>
  read(() => readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " "));

/** A process that has ended has nothing to read. */
function read(text: () => string): string {
  try {
    return text();
  } catch {
    return "";
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "50" },
      seed: { type: "string" },
      binary: { type: "string" },
      npx: { type: "boolean", default: false },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const { problems, times } = await signalRounds({
    program: values.binary ? [resolve(values.binary)] : sourceProgram,
    rounds: Number(values.rounds),
    seed,
    launchers: [
      [process.execPath, "run", "demo"],
      ...(values.npx ? [["npx", "--yes", "bun@1.4.5", "run", "demo"]] : []),
    ],
    say: console.log,
  });
  for (const [name, all] of times)
    console.log(
      `${name}: ${all.length} times, gone after ${median(all).toFixed(0)} ms, at most ${Math.max(...all).toFixed(0)} ms`,
    );
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? "nothing was left behind" : `${problems.length} times something was left behind`);
  process.exit(problems.length === 0 ? 0 : 1);
}
