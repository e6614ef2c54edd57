/** Restarts as users ask for them in a simulated cluster: where they lead to, and whether the API would let them through. */
import type { RunPolicy } from "../../src/definition/restart.ts";
import { DEFAULT_FAILURE_MODE, fieldsOf } from "../../src/definition/step.ts";
import type { Run } from "../../src/run/model.ts";
import {
  type Climb,
  climb,
  inlineRootRestart,
  instanceRestart,
  type RestartRequest,
  stepRestart,
  stepSkip,
} from "../../src/run/restart.ts";
import { isOver, shownRunStatus } from "../../src/run/status.ts";
import type { WordKind, WordPayload } from "../../src/run/word.ts";
import { STEP_ACTIONS } from "../../src/step/action.ts";
import { pick } from "./action.ts";
import { attemptsOf, before, executed, stepsOf } from "./history.ts";
import { isOpen, type SimStore } from "./store.ts";

type Chance = () => number;

export type Again =
  | { readonly type: "new run"; readonly run: Run; readonly request: RestartRequest }
  | {
      readonly type: "in place";
      readonly run: Run;
      readonly stepId: string;
      readonly kind: WordKind;
      readonly payload: WordPayload;
    };

const POLICIES = ["RESTART_FROM_INCOMPLETE", "RESTART_FROM_BEGINNING"] as const satisfies readonly RunPolicy[];

/** Of an instance that has ended. */
export function restartRun(store: SimStore, chance: Chance): Again | undefined {
  const run = pick(chance, latest(store).filter(isOver));
  return run && lead(store, instanceRestart(run, pick(chance, POLICIES), undefined), "RESTART");
}

/** Of any step that was made, at any depth. */
export function restartStep(store: SimStore, chance: Chance): Again | undefined {
  const run = pick(chance, latest(store));
  if (run === undefined) return undefined;
  const stepId = pick(chance, [...before(store, { ...run, runId: run.runId + 1 }).keys()]);
  if (stepId === undefined) return undefined;
  const kind = pick(chance, ["RESTART", "RESTART", "RESTART", "SKIP", "SUCCEED"] as const);
  if (kind === "SUCCEED") return inPlace(store, run, stepId, kind, undefined);
  if (kind === "SKIP") return lead(store, stepSkip(run, stepId), kind);
  const policy = pick(chance, POLICIES);
  const isRoot = chance() < 0.15 && isOver(run);
  return lead(store, (isRoot ? inlineRootRestart : stepRestart)(run, stepId, policy, undefined), kind);
}

/** The newest run of each instance. */
const latest = (store: SimStore): readonly Run[] =>
  [...store.runs.values()].filter((run) => store.runsOf(run).at(-1) === run);

function lead(store: SimStore, request: RestartRequest, kind: WordKind): Again | undefined {
  const known = (workflowId: string, instanceId: number) => {
    const run = store.runsOf({ workflowId, instanceId }).at(-1);
    return run && { ...run, status: shownRunStatus(run.status) };
  };
  const found = climb(request, known);
  if (found.type === "unknown" || found.type === "under way" || !isMade(store, found)) return undefined;
  const { workflowId, instanceId } = found.at;
  const run = store.runsOf({ workflowId, instanceId }).at(-1) as Run;
  if (found.type === "new run") return { type: "new run", run, request: found.request };
  return inPlace(store, run, found.stepId, kind, found.request);
}

/** Every step on the way was made by the newest run that came to it. */
const isMade = (store: SimStore, { request: { config } }: Extract<Climb, { readonly request: RestartRequest }>) =>
  config.restart_path.every(({ workflow_id, instance_id, step_id }) => {
    const run = store.runsOf({ workflowId: workflow_id, instanceId: instance_id }).at(-1);
    return step_id === null || (run && before(store, { ...run, runId: run.runId + 1 }).has(step_id));
  });

function inPlace(
  store: SimStore,
  run: Run,
  stepId: string,
  kind: WordKind,
  request: RestartRequest | undefined,
): Again | undefined {
  if (!isOpen(run) || !executed(store, run).has(stepId)) return undefined;
  const step = stepsOf(store, run).find((it) => fieldsOf(it).id === stepId);
  if (step === undefined) return undefined;
  const newest = attemptsOf(store, run.key).get(stepId);
  const restart = request?.config;
  const said = (after: number): Again => ({ type: "in place", run, stepId, kind, payload: { after, restart } });
  if (newest?.status === "RUNNING" && (restart?.restart_path.length ?? 0) > 1 && !("step" in step)) {
    return said(newest.attemptId);
  }
  const status = newest?.status ?? before(store, run).get(stepId)?.status ?? "NOT_CREATED";
  const effect = STEP_ACTIONS[status][kind as "RESTART" | "SKIP" | "SUCCEED"];
  if (effect !== "again" && effect !== "in place") return undefined;
  if (newest) {
    const mode = fieldsOf(step).failure_mode ?? DEFAULT_FAILURE_MODE;
    return mode === "FAIL_AFTER_RUNNING" ? said(newest.attemptId) : undefined;
  }
  return isHeld(store, run, stepId) ? said(0) : undefined;
}

/** It could begin, and a restart of another step holds it. */
function isHeld(store: SimStore, run: Run, stepId: string): boolean {
  const target =
    run.config.policy === "RESTART_FROM_SPECIFIC" && run.config.restart_config?.restart_path.at(-1)?.step_id;
  if (!target || target === stepId) return false;
  const runs = executed(store, run);
  const step = stepsOf(store, run).map(fieldsOf);
  return !step.some(({ id, transition }) => runs.has(id) && Object.keys(transition.successors ?? {}).includes(stepId));
}
