/** What a job says of its outputs while it runs, beside what its runtime answers at its end. Pure. */
import type { Artifacts } from "../definition/timeline.ts";
import { mergeArtifacts } from "./attempt.ts";
import type { StepAttempt } from "./model.ts";
import type { RuntimeArtifacts, StepResult } from "./result.ts";

/**
 * The answer that ends a job, with what the job has reported: below what the runtime says itself, name by name. An
 * attempt that is stopped or timed out has no outputs.
 */
export function withReported({ reported, artifacts }: StepAttempt, result: StepResult): StepResult {
  if (reported === undefined) return result;
  switch (result.state) {
    case "DONE":
    case "USER_ERROR":
    case "PLATFORM_ERROR":
    case "FATAL_ERROR": {
      const outputs = { ...reported.params, ...result.outputs };
      const below = mergeArtifacts(reported.artifacts ?? {}, artifacts);
      return {
        ...result,
        artifacts: mergeArtifacts(below, result.artifacts as Artifacts | undefined) as RuntimeArtifacts,
        ...(Object.keys(outputs).length > 0 && { outputs }),
      };
    }
    default:
      return result;
  }
}
