/**
 * What expressions ask of runs that a step has started: `params.getFromForeach(step, inner, name)` and
 * `params.getFromSubworkflow(step, inner, name)`. Pure: which question the store is to answer, and what its rows come to as
 * a value. The rows cross threads as one text, and become a value where the expression is evaluated.
 *
 * The step asked about is complete, in this run or an earlier one; the newest artifact of it names the children. Of each child
 * counts the newest attempt at the inner step, in the newest run that has one.
 */
import { nestedSteps, type Step, stepIdOf, stepOf } from "../definition/step.ts";
import type { Artifact } from "../definition/timeline.ts";
import { type Json, type JsonObject, parseJson } from "../json.ts";
import { expandStepParams } from "../param/compact.ts";
import { toSel } from "../param/literal.ts";
import { stepParam } from "../param/scope.ts";
import type { Parameter, ParamType } from "../param/type.ts";
import { own } from "../record.ts";
import type { SelValue } from "../sel/index.ts";
import type { StepAttempt } from "../step/model.ts";
import { withSatisfied } from "../step/satisfied.ts";
import { isComplete, type StepStatus } from "../step/status.ts";

const CHILD_METHODS = ["getFromForeach", "getFromSubworkflow"] as const;
export type ChildMethod = (typeof CHILD_METHODS)[number];
export type ChildArgs = readonly [stepId: string, inner: string, name: string];

/** The call is one of these. */
export const isChildCall = (call: {
  readonly method: string;
  readonly args: readonly string[];
}): call is { readonly method: ChildMethod; readonly args: ChildArgs } =>
  (CHILD_METHODS as readonly string[]).includes(call.method) && call.args.length === 3;

/** A param of a step, in instances of a workflow: of each the newest attempt, over all of its runs. */
export interface ParamQuestion {
  readonly workflowId: string;
  /** Instance ids, both included. */
  readonly first: number;
  readonly last: number;
  readonly stepId: string;
  readonly name: string;
  /** Characters that the values may have together, as JSON. */
  readonly maxChars: number;
}

/** How the store answers a {@link ParamQuestion}. */
export interface ParamRows {
  /** A JSON array of {@link Row}; undefined when the values have too many characters. */
  readonly rows: string | undefined;
  /** Of the values, as JSON. */
  readonly chars: number;
}

/**
 * One instance's attempt: what of its stored params tells about the param, as `param/compact.ts` has them. The facts are
 * there for {@link followsFromFacts names that follow from them}.
 */
type Row = readonly [
  instanceId: number,
  marks: { readonly t?: 1; readonly e?: true },
  param: JsonObject | null,
  facts?: readonly [uuid: string, attemptId: number, status: StepStatus, initialized: boolean, ended: boolean],
];

/** An answer, as an evaluation takes it along. Plain JSON. */
export interface ChildAnswer {
  readonly method: string;
  readonly args: readonly string[];
  /** Why there is none: a sentence without its end. */
  readonly error?: string | undefined;
  readonly rows?: string | undefined;
  /** Elements of the array. */
  readonly total?: number | undefined;
  /** What the definition of the inner step says, for a loop in which no iteration has the param. */
  readonly type?: ParamType | undefined;
}

/** Names of params that are not stored, since they follow from the attempt itself. */
export const followsFromFacts = (name: string): boolean => FROM_FACTS.has(name);

const FROM_FACTS: ReadonlySet<string> = new Set([
  ...["workflow_instance_id", "step_instance_uuid", "step_attempt_id", "step_id"],
  "maestro_step_satisfied",
]);

/** What the step's attempt and definition say of its children. */
export interface Asked {
  readonly attempt: StepAttempt | undefined;
  readonly step: Step | undefined;
}

/**
 * What is to be read for a call.
 * @throws Error why there is nothing to read, for the writer of the expression
 */
export function childQuestion(
  method: ChildMethod,
  [stepId, inner, name]: ChildArgs,
  { attempt, step }: Asked,
  maxChars: number,
): { readonly question: ParamQuestion; readonly total?: number; readonly type?: ParamType } {
  if (attempt === undefined || !isComplete(attempt.status)) {
    throw new Error(`step [${stepId}] is not a finished step of this run or an earlier one`);
  }
  if ([inner, name].some((text) => text.includes("\0"))) throw new Error("no step and no param has a NUL in its name");
  const kind = KINDS[method];
  // An artifact counts as the engine's own: a plugin may keep what it wants under any name.
  const range = step && stepOf(step).kind === kind ? RANGES[kind](attempt) : undefined;
  if (step === undefined || range === undefined) {
    throw new Error(`step [${stepId}] is not a ${kind} step that has run: it has no artifact maestro_${kind}`);
  }
  const question = { ...range, stepId: inner, name, maxChars };
  if (method === "getFromSubworkflow") return { question };
  const type = typeIn(step, stepId, inner, name);
  return { question, total: range.last, ...(type && { type }) };
}

const KINDS = { getFromForeach: "foreach", getFromSubworkflow: "subworkflow" } as const;

type Range = Pick<ParamQuestion, "workflowId" | "first" | "last">;

/** Where the children of an attempt are; undefined: it has none. */
const RANGES: { readonly [kind in "foreach" | "subworkflow"]: (attempt: StepAttempt) => Range | undefined } = {
  foreach({ artifacts }) {
    const artifact = own(artifacts, "maestro_foreach");
    const total = countIn(artifact, "total_loop_count");
    return rangeOf(artifact?.foreach_workflow_id, 1, total);
  },
  subworkflow({ artifacts }) {
    const artifact = own(artifacts, "maestro_subworkflow");
    const instanceId = countIn(artifact, "subworkflow_instance_id");
    return rangeOf(artifact?.subworkflow_id, instanceId, instanceId);
  },
};

const rangeOf = (workflowId: unknown, first: number | undefined, last: number | undefined): Range | undefined =>
  typeof workflowId === "string" && first !== undefined && last !== undefined ? { workflowId, first, last } : undefined;

function countIn(artifact: Artifact | undefined, field: string): number | undefined {
  const value = own(artifact, field);
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** The declared type of the param. @throws Error for a step that the loop does not have */
function typeIn(loop: Step, stepId: string, inner: string, name: string): ParamType | undefined {
  const steps = nestedSteps(loop);
  const found = steps.find((step) => stepIdOf(step) === inner);
  if (found !== undefined) return own(stepOf(found).body.params, name)?.type;
  const known = steps.slice(0, MOST_NAMED).map(stepIdOf).join(", ");
  throw new Error(`step [${stepId}] has no step [${inner}] in its body; there are ${known}`);
}

/** Steps that a message names. */
const MOST_NAMED = 10;

/** The value of an answer. @throws Error why there is none, for the writer of the expression */
export function childValue({ method, args, error, rows = "[]", total = 0, type }: ChildAnswer): SelValue {
  if (error !== undefined) throw new Error(error);
  const [stepId, inner, name] = args as ChildArgs;
  const read = (parseJson(rows) as unknown as readonly Row[]).flatMap((row) => {
    const param = paramIn(row, inner, name);
    return param === undefined ? [] : [[row[0], param] as const];
  });
  if (method === "getFromForeach") return gathered({ stepId, inner, name }, read, total, type);
  const [found] = read;
  if (found !== undefined) return toSel(found[1].type, found[1].evaluated_result);
  throw new Error(`the workflow of step [${stepId}] has no evaluated param [${name}] of a step [${inner}]`);
}

/** The param as every other step of the inner run would see it; undefined while it is not evaluated. */
function paramIn([instanceId, marks, stored, facts]: Row, stepId: string, name: string): Parameter | undefined {
  const [uuid = "", attemptId = 0, status = "CREATED", initialized = false, ended = false] = facts ?? [];
  const identity = {
    workflow_instance_id: instanceId,
    step_instance_uuid: uuid,
    step_attempt_id: attemptId,
    step_id: stepId,
  };
  const p = stored === null ? {} : Object.fromEntries([[name, stored]]);
  const step = expandStepParams({ ...marks, p }, identity);
  const times = { ...(initialized && { initialize_time: 1 }), ...(ended && { end_time: 1 }) };
  const params = facts ? withSatisfied({ status, times, params: step.params }) : step.params;
  const param = stepParam({ ...step, params }, name);
  return param?.evaluated_result === undefined ? undefined : param;
}

/** What stands where an iteration has no value. */
const GAPS = { STRING: null, LONG: 0, DOUBLE: 0, BOOLEAN: false } as const;

function gathered(
  what: { readonly stepId: string; readonly inner: string; readonly name: string },
  read: readonly (readonly [instanceId: number, param: Parameter])[],
  total: number,
  declared: ParamType | undefined,
): SelValue {
  const types = new Set(read.map(([, { type }]) => type));
  const [type = declared, other] = types;
  const where = `param [${what.name}] of step [${what.inner}]`;
  if (other !== undefined) throw new Error(`${where} is a ${type} in some iterations and a ${other} in others`);
  if (type === undefined) {
    if (total === 0) return { type: "STRING_ARRAY", value: [] };
    throw new Error(`no iteration of step [${what.stepId}] has an evaluated ${where}`);
  }
  if (!Object.hasOwn(GAPS, type)) {
    throw new Error(`${where} is a ${type}; only STRING, LONG, DOUBLE and BOOLEAN can be gathered from a loop`);
  }
  const gap = GAPS[type as keyof typeof GAPS];
  const values = new Array<Json>(total).fill(gap);
  for (const [instanceId, { evaluated_result: result }] of read) values[instanceId - 1] = result ?? gap;
  return toSel(`${type}_ARRAY` as ParamType, values);
}
