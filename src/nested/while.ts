/** How far a while has come: its iterations one after the other, and the values that they hand on. Pure. */

import type { RunPolicy } from "../definition/restart.ts";
import { badRequest } from "../error.ts";
import type { Json } from "../json.ts";
import type { ParamType } from "../param/type.ts";
import { own } from "../record.ts";
import type { RollupOverview } from "../run/model.ts";
import { addRollups, EMPTY_ROLLUP } from "../run/overview.ts";
import type { RunStatus } from "../run/status.ts";
import type { OverviewView } from "../run/view.ts";
import type { StepAttempt } from "../step/model.ts";
import { iterationNamed, type LoopStep, policyBeside } from "./again.ts";
import type { StoredChild } from "./child.ts";
import type { LoopParam } from "./loop.ts";

type Values = { readonly [name: string]: readonly Json[] };

/** As it is stored and shown. */
export interface WhileArtifact {
  readonly loop_workflow_id: string;
  readonly loop_identity: string;
  readonly loop_run_id: number;
  readonly run_policy: RunPolicy;
  readonly run_id: number;
  readonly first_iteration: number;
  readonly last_iteration: number;
  readonly last_status?: RunStatus;
  readonly last_overview?: OverviewView;
  /** Of all iterations but the last. */
  readonly rollup: RollupOverview;
  /** Before each iteration; at the end also what made the condition false. */
  readonly loop_param_values: Values;
  readonly type: "WHILE";
}

export type WhileHead = Pick<
  WhileArtifact,
  "loop_workflow_id" | "loop_identity" | "loop_run_id" | "run_policy" | "run_id"
>;

/** At which iteration a restart resumes, and what it has of those before. */
export interface Resumption {
  readonly first: number;
  readonly values: Values;
  readonly rollup: RollupOverview;
}

const SCALARS: ReadonlySet<ParamType> = new Set(["STRING", "LONG", "DOUBLE", "BOOLEAN"]);

/** @param params the entries of `loop_params` @throws BAD_REQUEST when one is no scalar */
export function beginWhile(head: WhileHead, params: readonly LoopParam[], resumed?: Resumption): WhileArtifact {
  for (const { name, type } of params) {
    if (!SCALARS.has(type)) {
      throw badRequest(`loop_params.${name} is a ${type}; a while hands on STRING, LONG, DOUBLE or BOOLEAN`);
    }
  }
  const first = resumed?.first ?? 1;
  return {
    ...head,
    first_iteration: first,
    last_iteration: first - 1,
    rollup: resumed?.rollup ?? EMPTY_ROLLUP,
    loop_param_values: resumed?.values ?? Object.fromEntries(params.map(({ name, result }) => [name, [result]])),
    type: "WHILE",
  };
}

/**
 * | the restart                     | the loop resumes at                            |
 * |---------------------------------|------------------------------------------------|
 * | begins at the beginning         | its first iteration, with fresh values         |
 * | leads to one iteration          | that one                                       |
 * | is for what is incomplete       | the last one that there was                    |
 *
 * @param children the newest run of each iteration
 * @returns undefined: it begins anew
 * @throws BAD_REQUEST when there is no such iteration
 */
export function resumption(
  step: LoopStep,
  before: WhileArtifact,
  children: readonly StoredChild[],
): Resumption | undefined {
  const named = iterationNamed(step);
  const { last_iteration: last, loop_param_values } = before;
  if (named !== undefined && named > last) {
    throw badRequest(`Iteration [${named}] was never run: the loop had ${last} iterations`);
  }
  if (named === undefined && policyBeside(step) === "RESTART_FROM_BEGINNING") return undefined;
  const first = named ?? last;
  if (first < 1) return undefined;
  const values = Object.entries(loop_param_values).map(([name, list]) => [name, list.slice(0, first)] as const);
  const rollups = children.flatMap(({ instanceId, rollup }) => (instanceId < first && rollup ? [rollup] : []));
  return { first, values: Object.fromEntries(values), rollup: addRollups(rollups) };
}

/** The values of an iteration are known. */
export const hasValues = ({ loop_param_values }: WhileArtifact, iteration: number): boolean =>
  Object.values(loop_param_values).every((values) => values.length >= iteration);

/** The loop params of an iteration. @param params as they are declared */
export const valuesOf = (
  { loop_param_values }: WhileArtifact,
  iteration: number,
  params: readonly LoopParam[],
): readonly LoopParam[] =>
  params.map(({ name, type }) => ({ name, type, result: own(loop_param_values, name)?.[iteration - 1] ?? null }));

/** What an iteration hands on to the next: the last of its steps that has a param of that name says so. */
export function handOn(artifact: WhileArtifact, steps: readonly StepAttempt[]): WhileArtifact {
  const ordered = [...steps].sort((a, b) => a.stepInstanceId - b.stepInstanceId);
  const values = Object.entries(artifact.loop_param_values).map(([name, before]) => {
    const setter = ordered.findLast(({ params }) => own(params, name)?.evaluated_result !== undefined);
    const next = setter === undefined ? before.at(-1) : own(setter.params, name)?.evaluated_result;
    return [name, [...before, next ?? null]] as const;
  });
  return { ...artifact, loop_param_values: Object.fromEntries(values) };
}

/** The next iteration begins. */
export function launchNext(artifact: WhileArtifact): WhileArtifact {
  const { last_overview, last_status: _, rollup, last_iteration, ...rest } = artifact;
  const before = last_overview === undefined ? rollup : addRollups([rollup, last_overview.rollup_overview]);
  return { ...rest, last_iteration: last_iteration + 1, last_status: "IN_PROGRESS", rollup: before };
}

export function iterationEnded(
  artifact: WhileArtifact,
  status: RunStatus,
  overview: OverviewView | undefined,
): WhileArtifact {
  return { ...artifact, last_status: status, ...(overview && { last_overview: overview }) };
}
