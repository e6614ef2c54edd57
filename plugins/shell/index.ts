/** Step type `shell`: a script in a process group of its own, which outlives the server and is adopted by the next. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { defineStepType, type StepResult } from "@maestro/sdk";
import { environment } from "./env.ts";
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
    const problem = misplaced(context);
    if (problem !== undefined) return problem;
    if (readOwner(context.directory) !== undefined) return inspect(context, await findOwner(context));
    const fresh = createDirectory(context.directory);
    const missing = missingFolder(context);
    if (missing !== undefined) return missing;
    const pid = begin(context);
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

function begin(context: Context): number {
  const cwd = context.params.working_dir ?? join(context.directory, "work");
  if (context.params.working_dir === undefined) mkdirSync(cwd, { recursive: true, mode: 0o700 });
  const env = environment(context, context.params.env);
  const interpreter = interpreterOf(context.params);
  const { directory, wake } = context;
  const pid = launch({ directory, script: context.params.script, interpreter, env, cwd }, wake);
  isChild(context, pid);
  return pid;
}

function misplaced(context: Context): StepResult | undefined {
  const host = isElsewhere(context);
  if (host === undefined) return undefined;
  const message = `Job lost: it belongs to host ${host}, and may still run there`;
  return { state: "PLATFORM_ERROR", timeline: [{ level: "ERROR", message }] };
}

function missingFolder({ params }: Context): StepResult | undefined {
  const { working_dir } = params;
  if (working_dir === undefined || statSync(working_dir, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const message = `working_dir [${working_dir}] is not a folder on the server's host`;
  return { state: "USER_ERROR", timeline: [{ level: "ERROR", message }] };
}
