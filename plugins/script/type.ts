/** A step type that runs a script: the same job, whatever the language. */
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  defineStepType,
  KEEP_FILE,
  type StepContext,
  type StepResult,
  type StepState,
  stringifyJson,
  type z,
} from "@maestro/sdk";
import { cgroupHome, makeCgroup } from "./cgroup.ts";
import { environment, largestOf, tooLarge } from "./env.ts";
import { type Context, findOwner, inspect, isChild, isElsewhere, stop } from "./job.ts";
import type { ScriptParams } from "./params.ts";
import { startTimeOf } from "./process.ts";
import { createDirectory, launch, readOwner } from "./supervisor.ts";

/** What is run. */
export interface Program {
  /** Texts by name, which are put into the attempt's directory. */
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Below the step's own `env`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface Place {
  /** Where a file of the program will be. */
  file(name: string): string;
  /** The folder in which it begins. */
  readonly cwd: string;
}

export interface ScriptTypeSpec<Schema extends z.ZodType<ScriptParams>> {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly params: Schema;
  /** @throws SettingsError */
  program(params: z.output<Schema>, place: Place): Program;
}

/** The settings name what is not there. The message follows the type's name. */
export class SettingsError extends Error {}

export function scriptType<Schema extends z.ZodType<ScriptParams>>(spec: ScriptTypeSpec<Schema>) {
  const jobOf = (context: StepContext<z.output<Schema>>): Context => ({ ...context, artifact: `maestro_${spec.type}` });
  return defineStepType({
    type: spec.type,
    version: "1.0.0",
    title: spec.title,
    description: spec.description,
    params: spec.params,

    async start(given) {
      return kept(given, await begun(given));
    },

    async execute(given) {
      const context = jobOf(given);
      return kept(given, misplaced(context) ?? (await inspect(context, await findOwner(context))));
    },

    async terminate(given) {
      const context = jobOf(given);
      const host = isElsewhere(context);
      if (host === undefined) return kept(given, await stop(context));
      const message = `The job was left alone: it belongs to host ${host}, and may still run there`;
      return { state: "STOPPED", timeline: [{ level: "WARN", message }] };
    },
  });

  async function begun(given: StepContext<z.output<Schema>>): Promise<StepResult> {
    const context = jobOf(given);
    const lost = misplaced(context);
    if (lost !== undefined) return lost;
    if (readOwner(context.directory) !== undefined) return inspect(context, await findOwner(context));
    const missing = missingFolder(context);
    if (missing !== undefined) return failed("USER_ERROR", missing);
    const cwd = folderOf(context);
    const program = programOf(spec, given, cwd);
    if (typeof program === "string") return failed("USER_ERROR", program);
    const env = environment(context, { ...program.env, ...context.params.env });
    const refused = tooLarge(env);
    if (refused !== undefined) return failed("FATAL_ERROR", refused);
    const fresh = createDirectory(context.directory);
    const pid = attemptTo(() => begin(context, program, env, cwd));
    if (pid === undefined) return failed("FATAL_ERROR", largestOf(env));
    const startTime = fresh ? startTimeOf(pid) : undefined;
    // In a directory that was there, a supervisor of an earlier call may be the one that runs the script.
    return inspect(context, startTime === undefined ? await findOwner(context) : { pid, startTime });
  }
}

/** An attempt that has ended leaves its folder behind if it is to. */
function kept({ params: { keep }, directory }: StepContext<ScriptParams>, result: StepResult): StepResult {
  const isKept = keep === "always" || (keep === "failed" && result.state !== "DONE");
  if (result.state === "CONTINUE" || !isKept || !existsSync(directory)) return result;
  writeFileSync(join(directory, KEEP_FILE), "", { mode: 0o600 });
  return { ...result, timeline: [...(result.timeline ?? []), `The attempt's folder is kept: ${directory}`] };
}

const failed = (state: StepState, message: string): StepResult => ({ state, timeline: [{ level: "ERROR", message }] });

const folderOf = ({ params, directory }: Context): string => params.working_dir ?? join(directory, "work");

/** What is run, or why it can't be. */
function programOf<Schema extends z.ZodType<ScriptParams>>(
  { type, program }: ScriptTypeSpec<Schema>,
  { params, directory }: StepContext<z.output<Schema>>,
  cwd: string,
): Program | string {
  try {
    return program(params, { file: (name) => join(directory, name), cwd });
  } catch (error) {
    if (error instanceof SettingsError) return `${type}.${error.message}`;
    throw error;
  }
}

/** Undefined when the system takes no environment as large as that. */
function attemptTo<T>(launching: () => T): T | undefined {
  try {
    return launching();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "E2BIG") return undefined;
    throw error;
  }
}

function begin(context: Context, program: Program, env: Readonly<Record<string, string>>, cwd: string): number {
  const { directory, wake, params } = context;
  if (params.working_dir === undefined) mkdirSync(cwd, { recursive: true, mode: 0o700 });
  const cgroup = params.detach ? undefined : makeCgroup(context.uuid);
  if (cgroup === undefined && !params.detach) warnOnce(context);
  const files = {
    ...program.files,
    "params.json": stringifyJson(context.code?.params ?? {}),
    ...(cgroup !== undefined && { cgroup: `${cgroup}\n` }),
  };
  const pid = launch({ directory, files, command: program.command, limits: params.limits, env, cwd }, wake);
  isChild(context, pid);
  return pid;
}

let isWarned = false;

function warnOnce({ logger }: Context): void {
  const home = cgroupHome();
  if (isWarned || !("problem" in home)) return;
  isWarned = true;
  const who =
    process.platform === "linux"
      ? "processes that leave their session (setsid) and clear their environment"
      : "processes that leave their process group (setsid)";
  logger.warn(`There are no control groups for scripts (${home.problem}): ${who} outlive their script`);
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
