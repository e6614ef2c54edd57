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

/** Settings of a shell step. `grace_period` is parsed to milliseconds. */
export const params = z.strictObject({
  script: code("The program text, as a file for the interpreter. $name is the param of that name"),
  interpreter: z
    .union([z.string().trim().min(1), z.array(z.string()).min(1)])
    .optional()
    .describe("A command (split at blanks) or its words. The script's #! line, else /bin/sh, when absent"),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a name of letters, digits and _"),
      z.union([z.string(), z.number(), z.boolean(), z.bigint()]).transform(String),
    )
    .default({})
    .describe("Environment variables of the script"),
  working_dir: z.string().min(1).optional().describe("An existing folder. An empty one of the attempt when absent"),
  grace_period: grace,
});

export type ShellParams = z.output<typeof params>;

/** The words of the command that runs the script file. */
export function interpreterOf({ interpreter, script }: ShellParams): readonly string[] {
  if (typeof interpreter === "string") return interpreter.split(/\s+/);
  if (interpreter !== undefined) return interpreter;
  const shebang = /^#![ \t]*(\S+)(?:[ \t]+(.*\S))?[ \t]*(?:\n|$)/.exec(script);
  if (shebang === null) return ["/bin/sh"];
  const [, program = "", argument] = shebang;
  return argument === undefined ? [program] : [program, argument];
}
