/**
 * The iterations of a step that is nested in loops, as one flat list: how each is named. Pure.
 *
 * A rank names an iteration: the ids of the iterations from the outermost loop in, each after a digit that counts its digits (`344`
 * is `3344`), joined by `-`. So the texts are in the order of the numbers. What says how new an attempt is is written the same way.
 */
import type { Ancestor } from "../definition/initiator.ts";
import { nestedSteps, type Step, stepIdOf, stepOf } from "../definition/step.ts";
import { own } from "../record.ts";
import type { StepStatus } from "../step/status.ts";

/** A loop on the way from a definition to a step in it. */
export interface LoopOnWay {
  readonly kind: "foreach" | "while";
  readonly stepId: string;
  /** Names of its loop params. */
  readonly params: readonly string[];
}

/** The loops around a step, from the outside to the inside; undefined: there is no such step. */
export function loopsAround(steps: readonly Step[], stepId: string): readonly LoopOnWay[] | undefined {
  for (const step of steps) {
    const id = stepIdOf(step);
    if (id === stepId) return [];
    const { kind, body } = stepOf(step);
    if (kind !== "foreach" && kind !== "while") continue;
    const inside = loopsAround(nestedSteps(step), stepId);
    if (inside === undefined) continue;
    const { value } = own(body.params ?? {}, "loop_params") ?? {};
    const params = typeof value === "object" && value !== null ? Object.keys(value) : [];
    return [{ kind, stepId: id, params }, ...inside];
  }
  return undefined;
}

/** `344` is `3344`; ten digits and more are counted by letters from `A`. */
export const ranked = (number: number): string => {
  const { length } = String(number);
  return `${length < 10 ? length : String.fromCharCode(55 + length)}${number}`;
};

export const rankText = (ids: readonly number[]): string => ids.map(ranked).join("-");

/** The ids of a rank; undefined when the text is none. */
export function readRank(text: string): readonly number[] | undefined {
  const ids = text.split("-").map((part) => Number(part.slice(1)));
  return ids.every(isId) && rankText(ids) === text ? ids : undefined;
}

/** Of `344-3-23`; undefined for any other text. */
export function readIteration(text: string): readonly number[] | undefined {
  const ids = text.split("-").map(Number);
  return ids.every(isId) && ids.join("-") === text ? ids : undefined;
}

const isId = (id: number): boolean => Number.isSafeInteger(id) && id > 0;

/** Run and attempt of each step on the way, from the outermost in. @param ancestors from the outermost loop's run on */
export const attemptSequence = (
  ancestors: readonly Pick<Ancestor, "run_id" | "step_attempt_id">[],
  leaf: { readonly runId: number; readonly attemptId: number },
): string => rankText([...ancestors.flatMap((it) => [it.run_id, it.step_attempt_id]), leaf.runId, leaf.attemptId]);

/** The higher, the more a reader of a loop wants to see it. */
const INTEREST: Readonly<Record<StepStatus, number>> = {
  SUCCEEDED: 10,
  UNSATISFIED: 20,
  NOT_CREATED: 30,
  DISABLED: 40,
  SKIPPED: 50,
  FINISHING: 60,
  STARTING: 70,
  INITIALIZED: 80,
  CREATED: 90,
  COMPLETED_WITH_ERROR: 100,
  STOPPED: 110,
  RUNNING: 120,
  WAITING_FOR_PERMITS: 130,
  EVALUATING_PARAMS: 140,
  WAITING_FOR_SIGNALS: 150,
  TIMED_OUT: 160,
  INTERNALLY_FAILED: 170,
  FATALLY_FAILED: 180,
  PLATFORM_FAILED: 190,
  USER_FAILED: 200,
  TIMEOUT_FAILED: 201,
  PAUSED: 210,
};

/** Which of these says most about a loop; undefined when there are none. */
export const mostInteresting = <T extends { readonly status: StepStatus }>(all: readonly T[]): T | undefined =>
  all.reduce<T | undefined>(
    (best, it) => (best === undefined || INTEREST[it.status] > INTEREST[best.status] ? it : best),
    undefined,
  );
