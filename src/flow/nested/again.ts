/** What a nested step has of its earlier attempts, and what a run gets that it makes again. */
import { isFresh } from "../../definition/restart.ts";
import { own } from "../../record.ts";
import type { Run, RunConfig } from "../../run/model.ts";
import { carriedStepParams, currentNode, type Downstream } from "../../run/restart.ts";
import type { Place } from "./place.ts";

/** The step may have been tried before: in an earlier run, or in this one. */
const isAgain = ({ run, attempt }: Place): boolean => !isFresh(run.config.policy) || attempt.attemptId > 1;

/** What the attempt before this one has left, in whichever run. */
export async function artifactBefore<T>(place: Place, key: string): Promise<T | undefined> {
  if (!isAgain(place)) return undefined;
  const { run, node, attempt, engine } = place;
  const before = await engine.store.attemptBefore(run, node.id, attempt.attemptId);
  return before && (own(before.artifacts, key) as T | undefined);
}

/** The config of a run that is made again, beside what its kind has always. */
export function configAgain(
  previous: Run,
  made: Downstream | undefined,
): Pick<RunConfig, "policy" | "restart_config" | "step_run_params"> {
  const step_run_params = carriedStepParams(previous, []);
  return {
    policy: made?.policy ?? "RESTART_FROM_BEGINNING",
    ...(made?.config && { restart_config: made.config }),
    ...(step_run_params && { step_run_params }),
  };
}

/** Of an iteration that no earlier run has had: only what is for steps inside it concerns it. @param runId of the loop */
export const configOfFirst = (runId: number, { config }: Downstream): Pick<RunConfig, "policy" | "restart_config"> => ({
  policy: runId > 1 ? "RESTART_FROM_BEGINNING" : "START_FRESH_NEW_RUN",
  ...(config && currentNode(config)?.step_id === null && { restart_config: config }),
});
