/** Step type `shell`: a script in a process group of its own, which outlives the server and is adopted by the next. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { defineStepType, type StepResult, type StepState, stringifyJson } from "@maestro/sdk";
import { environment, largestOf, tooLarge } from "./env.ts";
import { type Context, findOwner, inspect, isChild, isElsewhere, stop } from "./job.ts";
import { interpreterOf, params } from "./params.ts";
import { startTimeOf } from "./process.ts";
import { createDirectory, launch, readOwner } from "./supervisor.ts";

export default defineStepType({
  type: "shell",
  version: "1.0.0",
  title: "Shell script",
  description: "Runs a script with /bin/sh or another interpreter on the server's host.",
  params,

  async start(context) {
    const lost = misplaced(context);
    if (lost !== undefined) return lost;
    if (readOwner(context.directory) !== undefined) return inspect(context, await findOwner(context));
    const env = environment(context, context.params.env);
    const missing = missingFolder(context);
    if (missing !== undefined) return failed("USER_ERROR", missing);
    const refused = tooLarge(env);
    if (refused !== undefined) return failed("FATAL_ERROR", refused);
    const fresh = createDirectory(context.directory);
    const pid = attemptTo(() => begin(context, env));
    if (pid === undefined) return failed("FATAL_ERROR", largestOf(env));
    const startTime = fresh ? startTimeOf(pid) : undefined;
    // In a directory that was there, a supervisor of an earlier call may be the one that runs the script.
    return inspect(context, startTime === undefined ? await findOwner(context) : { pid, startTime });
  },

  async execute(context) {
    return misplaced(context) ?? inspect(context, await findOwner(context));
  },

  terminate(context) {
    const host = isElsewhere(context);
    if (host === undefined) return stop(context);
    const message = `The job was left alone: it belongs to host ${host}, and may still run there`;
    return { state: "STOPPED", timeline: [{ level: "WARN", message }] };
  },
});

const failed = (state: StepState, message: string): StepResult => ({ state, timeline: [{ level: "ERROR", message }] });

/** Undefined when the system takes no environment as large as that. */
function attemptTo<T>(launching: () => T): T | undefined {
  try {
    return launching();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "E2BIG") return undefined;
    throw error;
  }
}

function begin(context: Context, env: Readonly<Record<string, string>>): number {
  const cwd = context.params.working_dir ?? join(context.directory, "work");
  if (context.params.working_dir === undefined) mkdirSync(cwd, { recursive: true, mode: 0o700 });
  const interpreter = interpreterOf(context.params);
  const { directory, wake } = context;
  const files = { script: context.params.script, "params.json": stringifyJson(context.code?.params ?? {}) };
  const pid = launch({ directory, files, interpreter, env, cwd }, wake);
  isChild(context, pid);
  return pid;
}

function misplaced(context: Context): StepResult | undefined {
  const host = isElsewhere(context);
  if (host === undefined) return undefined;
  return failed("PLATFORM_ERROR", `Job lost: it belongs to host ${host}, and may still run there`);
}

function missingFolder({ params }: Context): string | undefined {
  const { working_dir } = params;
  if (working_dir === undefined || statSync(working_dir, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return `working_dir [${working_dir}] is not a folder on the server's host`;
}
