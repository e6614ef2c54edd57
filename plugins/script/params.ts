import { code, z } from "@maestro/sdk";

const DEFAULT_GRACE_SECONDS = 10;
const MAX_GRACE_SECONDS = 86_400;

const RANGE = `must be a number of seconds from 0 to ${MAX_GRACE_SECONDS}, such as 10`;
const seconds = z.number(RANGE).min(0, RANGE).max(MAX_GRACE_SECONDS, RANGE);

const grace = z
  .union(
    [
      seconds,
      z
        .string()
        .regex(/^\d+(\.\d+)?$/, RANGE)
        .transform(Number)
        .pipe(seconds),
    ],
    RANGE,
  )
  .default(DEFAULT_GRACE_SECONDS)
  .transform((given) => Math.round(given * 1000))
  .describe("Seconds between SIGTERM and SIGKILL when the step is stopped or times out");

const positive = (what: string) => z.coerce.number(what).positive(what).transform(Math.ceil).optional();

/** What `ulimit` sets for the script and whatever it starts. */
const limits = z
  .strictObject({
    cpu_seconds: positive("must be a number of seconds, such as 60").describe("Seconds of processor time of a process"),
    memory_mb: positive("must be a number of megabytes, such as 512").describe("Address space of a process, in MiB"),
    open_files: positive("must be a number of files, such as 256").describe("Open files of a process"),
    file_mb: positive("must be a number of megabytes, such as 100").describe(
      "Size of a file, its output's too, in MiB",
    ),
  })
  .default({})
  .describe("What a process of the script may take");

/** Settings that scripts in every language have. `grace_period` is parsed to milliseconds. */
const common = {
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a name of letters, digits and _"),
      z.union([z.string(), z.number(), z.boolean(), z.bigint()]).transform(String),
    )
    .default({})
    .describe("Environment variables of the script"),
  working_dir: z.string().min(1).optional().describe("An existing folder. An empty one of the attempt when absent"),
  grace_period: grace,
  limits,
  keep: z
    .enum(["never", "failed", "always"])
    .default("never")
    .describe("When the attempt's folder (script, params, output, working folder) stays after its end"),
  detach: z
    .boolean()
    .default(false)
    .describe("Processes that the script leaves behind go on; else they end with the attempt"),
};

const command = z.union([z.string().trim().min(1), z.array(z.string()).min(1)]).optional();

export const shellParams = z.strictObject({
  script: code("The program text, as a file for the interpreter. $name is the param of that name"),
  interpreter: command.describe(
    "A command (split at blanks) or its words. The script's #! line, else /bin/sh, when absent",
  ),
  ...common,
});

export const pythonParams = z
  .strictObject({
    code: code("The program. Its variable params is a dict of the params; output(name=value) sets outputs").optional(),
    file: z.string().min(1).optional().describe("A program's file in its place, from working_dir"),
    interpreter: command.describe("A command (split at blanks) or its words. python3 when absent"),
    venv: z.string().min(1).optional().describe("Folder of a virtual environment, whose interpreter is taken"),
    args: z
      .array(z.union([z.string(), z.number(), z.boolean(), z.bigint()]).transform(String))
      .default([])
      .describe("Arguments: sys.argv[1:]"),
    ...common,
  })
  .refine(({ code, file }) => (code === undefined) !== (file === undefined), "needs either code or file")
  .refine(({ venv, interpreter }) => venv === undefined || interpreter === undefined, {
    message: "has venv and interpreter: give one of them",
  });

type ShellParams = z.output<typeof shellParams>;
export type PythonParams = z.output<typeof pythonParams>;

/** What jobs need to know of any script. */
export type ScriptParams = Pick<ShellParams, keyof typeof common>;

export const wordsOf = (given: string | readonly string[]): readonly string[] =>
  typeof given === "string" ? given.split(/\s+/) : given;

/** The words of the command that runs the script file. */
export function interpreterOf({ interpreter, script }: ShellParams): readonly string[] {
  if (interpreter !== undefined) return wordsOf(interpreter);
  const shebang = /^#![ \t]*(\S+)(?:[ \t]+(.*\S))?[ \t]*(?:\n|$)/.exec(script);
  if (shebang === null) return ["/bin/sh"];
  const [, program = "", argument] = shebang;
  return argument === undefined ? [program] : [program, argument];
}
