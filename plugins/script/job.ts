/**
 * One attempt's script: begun or found, watched, judged when it has ended, stopped.
 *
 * All that matters is in the attempt's directory (see `supervisor.ts`); the artifact `maestro_<type>` says on which host
 * that is. What this thread remembers (followed files, a stop in progress) hangs on the attempt's abort signal and may
 * be lost at any time.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { constants, hostname } from "node:os";
import { join } from "node:path";
import type { Artifacts, Follower, StepContext, StepResult, StepState } from "@maestro/sdk";
import { markers, outputFile } from "./env.ts";
import { Kin } from "./kin.ts";
import { OutputError, readOutput } from "./output.ts";
import type { ScriptParams } from "./params.ts";
import { isAlive, type ProcessId } from "./process.ts";
import { type Owner, readExit, readOwner, readStop, take, writeStop } from "./supervisor.ts";
import { watchEnd } from "./watch.ts";

export interface Context extends StepContext<ScriptParams> {
  /** Name of the artifact. */
  readonly artifact: string;
}

/** Milliseconds that a supervisor may take to come up before it may no more, and a killed group to vanish. */
const PATIENCE = 10_000;
/** Milliseconds of life within which a script is signalled twice, and the time between. */
const YOUNG = 1_000;
const SECOND_SIGNAL = 100;

interface Memory {
  readonly followers: readonly Follower[];
  /** The process whose end will wake the step. */
  watched?: number;
  stopping?: Promise<StepResult>;
}

const memories = new WeakMap<AbortSignal, Memory>();

/** What this thread remembers of the attempt. The first time, it begins to pass on the output. */
function attach(context: Context): Memory {
  const known = memories.get(context.signal);
  if (known !== undefined) return known;
  const followers = [
    context.follow("stdout", join(context.directory, "out")),
    context.follow("stderr", join(context.directory, "err")),
  ];
  const memory: Memory = { followers };
  memories.set(context.signal, memory);
  return memory;
}

/** This process is the supervisor's parent, and will be told of its end. */
export function isChild(context: Context, pid: number): void {
  attach(context).watched = pid;
}

/** The supervisor that has the attempt; waits for one that may be coming up. */
export async function findOwner({ directory }: Context): Promise<Owner> {
  for (const end = performance.now() + PATIENCE; ; await Bun.sleep(2)) {
    const owner = readOwner(directory);
    if (owner !== undefined) return owner;
    const hopeless = !existsSync(directory) || performance.now() > end;
    if (hopeless && take(directory, "lost")) return "lost";
  }
}

/** CONTINUE with a running script watched, or the verdict on one that has ended. */
export async function inspect(context: Context, owner: Owner): Promise<StepResult> {
  const memory = attach(context);
  const alive = typeof owner === "object" && isAlive(owner);
  const code = readExit(context.directory); // after the look at the process: it may have ended in between
  if (code !== undefined) return judge(context, owner, code);
  if (alive) {
    if (memory.watched !== owner.pid) watchEnd(context.directory, owner, context.signal, context.wake);
    memory.watched = owner.pid;
    return { state: "CONTINUE", artifacts: artifacts(context, owner) };
  }
  if (typeof owner === "object") await endRest(context, owner);
  await drain(context);
  if (owner === "stopped" || readStop(context.directory) !== undefined) return { state: "STOPPED" };
  const message = `Job lost: ${owner === "lost" ? "its process never came up" : "its process is gone without an exit status"}`;
  return { state: "PLATFORM_ERROR", timeline: [{ level: "ERROR", message }] };
}

/** The job runs, or ran, where this server can't see it. */
export function isElsewhere({ elsewhere, artifacts, artifact }: Context): string | undefined {
  if (elsewhere !== undefined) return elsewhere;
  const host = artifacts[artifact]?.host;
  return typeof host === "string" && host !== hostname() ? host : undefined;
}

/** SIGTERM to the process group, SIGKILL after the grace period; the grace isn't granted again after a crash. */
export function stop(context: Context): Promise<StepResult> {
  const memory = attach(context);
  memory.stopping ??= endGroup(context).finally(() => delete memory.stopping);
  return memory.stopping;
}

async function endGroup(context: Context): Promise<StepResult> {
  const { directory, params, uuid } = context;
  if (take(directory, "stopped")) return { state: "STOPPED" };
  const owner = await findOwner(context);
  if (typeof owner !== "object" || !isAlive(owner)) {
    if (typeof owner === "object") await endRest(context, owner);
    await drain(context);
    return { state: "STOPPED" };
  }
  const since = readStop(directory) ?? context.now();
  writeStop(directory, since);
  const kin = new Kin(owner, uuid, directory, params.detach);
  await askToEnd(kin, directory);
  const grace = Math.max(0, since + params.grace_period - context.now());
  const killed = !(await kin.ends(grace));
  if (killed) {
    kin.signal("SIGKILL");
    await kin.ends(PATIENCE);
  }
  kin.close();
  await drain(context);
  const how = killed ? `with SIGKILL, ${params.grace_period / 1000} s after SIGTERM` : "with SIGTERM";
  return {
    state: "STOPPED",
    artifacts: artifacts(context, owner, readExit(directory)),
    timeline: [{ level: "INFO", message: `Stopped ${how}` }],
  };
}

/** What a script has left behind ends with it, as a stopped one does. */
async function endRest({ params, uuid, directory }: Context, owner: ProcessId): Promise<void> {
  if (params.detach) return;
  const kin = new Kin(owner, uuid, directory, false);
  if (await kin.isLeftBehind()) {
    kin.signal("SIGTERM");
    if (!(await kin.ends(params.grace_period))) {
      kin.signal("SIGKILL");
      await kin.ends(PATIENCE);
    }
  }
  kin.close();
}

/** A script that is just being started may not get the first signal: the supervisor's trap takes it until the exec. */
async function askToEnd(kin: Kin, directory: string): Promise<void> {
  kin.signal("SIGTERM");
  const age = Date.now() - (statSync(join(directory, "pid"), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (age < YOUNG && !(await kin.ends(SECOND_SIGNAL))) kin.signal("SIGTERM");
}

async function judge(context: Context, owner: Owner, code: number): Promise<StepResult> {
  if (typeof owner === "object") await endRest(context, owner);
  await drain(context);
  const own = typeof owner === "object" ? artifacts(context, owner, code) : {};
  if (readStop(context.directory) !== undefined) return { state: "STOPPED", artifacts: own };
  const message = code === 0 ? undefined : failure(context.directory, code);
  const failed = (state: StepState, text: string, all = own): StepResult => ({
    state,
    artifacts: all,
    timeline: [{ level: "ERROR", message: text }],
  });
  try {
    const { directory, uuid } = context;
    const output = readOutput(join(directory, "out"), outputFile(directory), markers(uuid));
    const artifacts = { ...output.artifacts, ...own };
    if (message !== undefined) return failed("USER_ERROR", message, artifacts);
    const { outputs, outputParams, source } = output;
    return { state: "DONE", artifacts, outputs, outputParams, outputSource: source };
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    // A script that has failed may have written half of its output; another attempt would write the same wrong one.
    return message === undefined ? failed("FATAL_ERROR", error.message) : failed("USER_ERROR", message);
  }
}

async function drain({ signal }: Context): Promise<void> {
  await Promise.all((memories.get(signal)?.followers ?? []).map((follower) => follower.end()));
}

function artifacts({ artifact }: Context, { pid, startTime }: ProcessId, code?: number): Artifacts {
  const exit = code === undefined ? {} : { exit_code: code };
  return { [artifact]: { host: hostname(), pid, start_time: startTime, ...exit } };
}

/** Such as `Exit code 143 (SIGTERM): last lines of stderr`. */
function failure(directory: string, code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  const tail = lastLines(join(directory, "err"));
  return `Exit code ${code}${signal === undefined ? "" : ` (${signal})`}${tail === "" ? "" : `: ${tail}`}`;
}

/**
 * At most the last 5 lines and 1,000 bytes. A line is whole or left out: of half a secret nobody could tell what it is.
 */
function lastLines(path: string): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return "";
  const buffer = Buffer.alloc(Math.min(size, 1000));
  const file = openSync(path, "r");
  try {
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
  } finally {
    closeSync(file);
  }
  const lines = buffer.toString("utf8").trimEnd().split("\n");
  const whole = size > buffer.length ? lines.slice(1) : lines;
  return whole.length === 0 ? "a line of more than 1,000 bytes, which is in the log" : whole.slice(-5).join("\n");
}
