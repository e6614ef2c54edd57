import { join } from "node:path";
import type { StepContext } from "@maestro/sdk";

/** What a script may see of the server's own environment: nothing that could be a secret. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SSL_CERT_FILE|SSL_CERT_DIR)$/;

/** Lines that enclose outputs on stdout. They name the attempt, so that no other job's output can be mistaken. */
export const markers = (uuid: string): { readonly start: string; readonly end: string } => ({
  start: `__MAESTRO_OUTPUT_START_${uuid}__`,
  end: `__MAESTRO_OUTPUT_END_${uuid}__`,
});

export const outputFile = (directory: string): string => join(directory, "output.json");

/** The script's environment: a safe part of the server's, then the step's `env`, then the attempt's identity. */
export function environment(
  attempt: Pick<StepContext<unknown>, "uuid" | "identity" | "directory" | "callback">,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && INHERITED.test(name)) result[name] = value;
  }
  const { identity } = attempt;
  const { start, end } = markers(attempt.uuid);
  return {
    ...result,
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
    MAESTRO_OUTPUT: outputFile(attempt.directory),
    MAESTRO_OUTPUT_START: start,
    MAESTRO_OUTPUT_END: end,
  };
}
