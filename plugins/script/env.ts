import { join } from "node:path";
import type { StepContext } from "@maestro/sdk";

/** What a script may see of the server's own environment: nothing that could be a secret. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SSL_CERT_FILE|SSL_CERT_DIR)$/;

/** What a param of that name would break: the shell itself, what it finds its programs by, and what they load. */
const BREAKING =
  /^(IFS|ENV|CDPATH|PWD|OLDPWD|SHLVL|PPID|UID|EUID|OPTIND|OPTARG|OPTERR|PS[0-9]|PROMPT_COMMAND|POSIXLY_CORRECT|BASH.*|SHELLOPTS|GLOBIGNORE|HISTFILE|LD_.*|DYLD_.*|GLIBC_.*|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|MAESTRO_.*|_)$/;

/** A param of such a name is in the file of params alone. */
const isOwn = (name: string): boolean => BREAKING.test(name) || INHERITED.test(name);

/** Bytes of `name=value` and its end that Linux takes; there is no such limit for one alone elsewhere. */
const MAX_VARIABLE = 128 * 1024;

/** Why the system would refuse the environment; undefined when it won't for a single variable. */
export function tooLarge(env: Readonly<Record<string, string>>): string | undefined {
  if (process.platform !== "linux") return undefined;
  for (const [name, value] of Object.entries(env)) {
    if (value.length < MAX_VARIABLE / 4) continue;
    const size = Buffer.byteLength(value);
    const most = MAX_VARIABLE - Buffer.byteLength(name) - 2;
    if (size <= most) continue;
    return `Environment variable [${name}] has ${size} bytes; the system takes ${most} at most. The file $MAESTRO_PARAMS has every param, whatever its size`;
  }
  return undefined;
}

/** Says of an environment that is too large as a whole what the largest part of it is. */
export function largestOf(env: Readonly<Record<string, string>>): string {
  const sizes = Object.entries(env).map(([name, value]) => [name, Buffer.byteLength(value)] as const);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const [name = "", size = 0] = sizes.sort(([, a], [, b]) => b - a)[0] ?? [];
  return `The environment has ${total} bytes, more than the system takes; the largest variable is [${name}] with ${size}. The file $MAESTRO_PARAMS has every param, whatever its size`;
}

/** Lines that enclose outputs on stdout. They name the attempt, so that no other job's output can be mistaken. */
export const markers = (uuid: string): { readonly start: string; readonly end: string } => ({
  start: `__MAESTRO_OUTPUT_START_${uuid}__`,
  end: `__MAESTRO_OUTPUT_END_${uuid}__`,
});

export const outputFile = (directory: string): string => join(directory, "output.json");

export const paramsFile = (directory: string): string => join(directory, "params.json");

type Attempt = Pick<StepContext<unknown>, "uuid" | "identity" | "directory" | "callback" | "code">;

/** A safe part of the server's environment, then the params that the script mentions, the step's `env`, the attempt's identity. */
export function environment(attempt: Attempt, env: Readonly<Record<string, string>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && INHERITED.test(name)) result[name] = value;
  }
  const variables = Object.entries(attempt.code?.variables ?? {}).filter(([name]) => !isOwn(name));
  const { identity } = attempt;
  const { start, end } = markers(attempt.uuid);
  return {
    ...result,
    ...Object.fromEntries(variables),
    ...env,
    MAESTRO_WORKFLOW_ID: identity.workflowId,
    MAESTRO_WORKFLOW_INSTANCE_ID: String(identity.instanceId),
    MAESTRO_WORKFLOW_RUN_ID: String(identity.runId),
    MAESTRO_STEP_ID: identity.stepId,
    MAESTRO_STEP_ATTEMPT_ID: String(identity.attemptId),
    MAESTRO_STEP_INSTANCE_ID: String(identity.stepInstanceId),
    MAESTRO_STEP_UUID: attempt.uuid,
    MAESTRO_CORRELATION_ID: identity.correlationId,
    MAESTRO_OWNER: identity.owner,
    MAESTRO_USER: identity.user,
    ...(attempt.callback && { MAESTRO_API_URL: attempt.callback.url, MAESTRO_STEP_TOKEN: attempt.callback.token }),
    MAESTRO_PARAMS: paramsFile(attempt.directory),
    MAESTRO_OUTPUT: outputFile(attempt.directory),
    MAESTRO_OUTPUT_START: start,
    MAESTRO_OUTPUT_END: end,
  };
}
