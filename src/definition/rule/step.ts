/** Rules of steps: each by itself, and the graph that a list of them makes. */
import type { ParamDefinitions } from "../../param/type.ts";
import { isInterpolated, type ParsableLong, parseTimeout } from "../duration.ts";
import { at, type Report, shown } from "../finding.ts";
import { computeDag, findCycle } from "../graph.ts";
import { checkDescription, checkDisplayName, checkReferenceId } from "../id.ts";
import type { DefinitionLimits } from "../limit.ts";
import { checkRetryPolicy } from "../retry.ts";
import { fieldsOf, nestedSteps, STEP_KINDS, type Step, type StepFields, stepOf, type UnwrappedStep } from "../step.ts";
import { closest } from "../suggest.ts";
import { checkParams, checkTags } from "./param.ts";
import { checkSecrets } from "./secret.ts";
import { checkStepSignals } from "./trigger.ts";

/** What holds where a list of steps stands. */
export interface Scope {
  readonly limits: DefinitionLimits;
  readonly report: Report;
  /** Where each step id of the whole definition was seen first. */
  readonly ids: Map<string, string>;
  readonly stepTypes: ReadonlyMap<string, string>;
  /** The enclosing loop that has a loop param, by its name. */
  readonly loopParams: ReadonlyMap<string, string>;
  readonly depth: number;
}

export function scopeOf(limits: DefinitionLimits, report: Report): Scope {
  const types = limits.stepTypes.map((type) => [type.toLowerCase(), type] as const);
  return { limits, report, ids: new Map(), stepTypes: new Map(types), loopParams: new Map(), depth: 0 };
}

/** One list of siblings, and below it the bodies of loops. */
export function checkSteps(steps: readonly Step[], path: string, scope: Scope): void {
  steps.forEach((step, index) => {
    const unwrapped = stepOf(step);
    checkStep(step, unwrapped, at(at(path, index), unwrapped.kind), scope);
  });
  checkGraph(steps, path, scope);
}

function checkStep(step: Step, unwrapped: UnwrappedStep, path: string, scope: Scope): void {
  const { limits, report, ids } = scope;
  const { body } = unwrapped;
  const idProblem = checkReferenceId(body.id, limits);
  if (idProblem) report(at(path, "id"), idProblem);
  const first = ids.get(body.id);
  if (first !== undefined) report(at(path, "id"), `${shown(body.id)} is the id of ${first} too; ids must be unique`);
  else ids.set(body.id, path);
  checkCommon(body, path, scope);
  checkSecrets(body.params, at(path, "params"), ["step", "template"].includes(unwrapped.kind), report);
  if (unwrapped.kind === "step") checkTyped(unwrapped.body, path, scope);
  if (unwrapped.kind === "subworkflow" && body.params?.subworkflow_id === undefined) {
    report(at(path, "params"), 'needs the param "subworkflow_id", which names the workflow to run');
  }
  if (unwrapped.kind === "template" && (unwrapped.body.sub_type ?? "") === "") {
    report(at(path, "sub_type"), "is required: the name of the job template from which the step has its type");
  }
  if (unwrapped.kind === "foreach" || unwrapped.kind === "while") checkLoop(step, unwrapped, path, scope);
}

function checkCommon(body: StepFields, path: string, { limits, report }: Scope): void {
  const name = body.name === undefined ? undefined : checkDisplayName(body.name, limits);
  if (name) report(at(path, "name"), name);
  const description = body.description === undefined ? undefined : checkDescription(body.description, limits);
  if (description) report(at(path, "description"), description);
  checkTags(body.tags, at(path, "tags"), limits, report);
  checkTimeout(body.timeout, at(path, "timeout"), report);
  checkParams(body.params, at(path, "params"), limits, report);
  checkStepSignals(body, path, limits, report);
}

/** Texts with references pass: they are read at run time. */
export function checkTimeout(timeout: ParsableLong | undefined, path: string, report: Report): void {
  if (timeout === undefined || isInterpolated(timeout)) return;
  const read = parseTimeout(timeout);
  if ("problem" in read) report(path, read.problem);
}

function checkTyped(
  body: (UnwrappedStep & { kind: "step" })["body"],
  path: string,
  { stepTypes, report }: Scope,
): void {
  const type = body.type.toLowerCase();
  if (!stepTypes.has(type)) report(at(path, "type"), unknownType(body.type, [...stepTypes.values()]));
  if (body.retry_policy === undefined) return;
  for (const { field, problem } of checkRetryPolicy(body.retry_policy)) {
    report(`${at(path, "retry_policy")}.${field}`, problem);
  }
}

function unknownType(type: string, known: readonly string[]): string {
  const kind = STEP_KINDS.find((candidate) => candidate === type.toLowerCase());
  if (kind) return `${shown(type)} is not a type of "step"; write the step under the key "${kind}" instead`;
  const near = closest(type, known);
  return `${shown(type)} is not a step type; ${near ? `did you mean "${near}"?` : `known are ${known.join(", ")}`}`;
}

const ARRAYS: ReadonlySet<string> = new Set(["STRING_ARRAY", "LONG_ARRAY", "DOUBLE_ARRAY", "BOOLEAN_ARRAY"]);
const SCALARS: ReadonlySet<string> = new Set(["STRING", "LONG", "DOUBLE", "BOOLEAN"]);

function checkLoop(
  step: Step,
  unwrapped: UnwrappedStep & { kind: "foreach" | "while" },
  path: string,
  scope: Scope,
): void {
  const { limits, report, depth } = scope;
  if (unwrapped.kind === "while" && unwrapped.body.condition.trim() === "")
    report(at(path, "condition"), "must not be blank");
  const names = checkLoopParams(unwrapped, path, scope);
  const steps = nestedSteps(step);
  if (steps.length === 0) report(at(path, "steps"), "a loop needs at least one step");
  if (depth >= limits.loopDepth) {
    report(path, `loops are nested more than ${limits.loopDepth} levels deep; nest less`);
    return;
  }
  const loopParams = new Map(scope.loopParams);
  for (const name of names) loopParams.set(name, unwrapped.body.id);
  checkSteps(steps, at(path, "steps"), { ...scope, loopParams, depth: depth + 1 });
}

/** @returns the names of the loop's params, as far as they are literal */
function checkLoopParams(
  unwrapped: UnwrappedStep & { kind: "foreach" | "while" },
  path: string,
  scope: Scope,
): string[] {
  const { limits, report } = scope;
  const loopParams = unwrapped.body.params?.loop_params;
  const loopPath = `${at(path, "params")}.loop_params`;
  if (loopParams === undefined) {
    report(at(path, "params"), `a ${unwrapped.kind} needs the MAP param "loop_params"`);
    return [];
  }
  if (loopParams.type !== "MAP") {
    report(at(loopPath, "type"), `${loopParams.type} is not MAP; write each loop param as an entry of a MAP`);
    return [];
  }
  if (loopParams.value === undefined) return [];
  const entries = Object.entries(loopParams.value as ParamDefinitions);
  if (unwrapped.kind === "foreach" && entries.length === 0) {
    report(at(loopPath, "value"), "must not be empty; a foreach needs at least one loop param");
  }
  const [wanted, right] =
    unwrapped.kind === "foreach" ? [ARRAYS, "a list to iterate over"] : [SCALARS, "STRING, LONG, DOUBLE or BOOLEAN"];
  for (const [name, param] of entries) {
    const entryPath = at(at(loopPath, "value"), name);
    const problem = checkReferenceId(name, limits);
    if (problem) report(entryPath, problem);
    if (!wanted.has(param.type))
      report(at(entryPath, "type"), `${param.type} cannot be looped over; it must be ${right}`);
    const enclosing = scope.loopParams.get(name);
    if (enclosing !== undefined) {
      report(
        entryPath,
        `the enclosing loop ${shown(enclosing)} has a loop param ${shown(name)} too; rename one of them`,
      );
    }
  }
  return entries.map(([name]) => name);
}

function checkGraph(steps: readonly Step[], path: string, { report }: Scope): void {
  const dag = computeDag(steps);
  steps.forEach((step, index) => {
    const { id, transition } = fieldsOf(step);
    const transitionPath = at(at(at(path, index), stepOf(step).kind), "transition");
    for (const [successor, condition] of Object.entries(transition.successors ?? {})) {
      const successorPath = at(at(transitionPath, "successors"), successor);
      if (!dag.has(successor)) report(successorPath, unknownSibling(successor, dag.keys()));
      if (condition.trim() === "") report(successorPath, 'the condition must not be blank; write "true"');
    }
    const given = transition.predecessors;
    const computed = dag.get(id)?.predecessors ?? [];
    if (given !== undefined && !sameSet(given, computed)) {
      const right =
        computed.length === 0 ? "no step leads here" : `the steps that lead here are ${computed.join(", ")}`;
      report(at(transitionPath, "predecessors"), `does not match the successors of the other steps: ${right}`);
    }
  });
  const cycle = findCycle(dag);
  if (cycle) report(path, `the steps make a cycle, ${cycle.join(" → ")}; remove one of its transitions`);
}

function unknownSibling(id: string, siblings: Iterable<string>): string {
  const near = closest(id, siblings);
  return `there is no step ${shown(id)} in the same list of steps${near ? `; did you mean "${near}"?` : ""}`;
}

const sameSet = (left: readonly string[], right: readonly string[]): boolean => {
  const set = new Set(left);
  return set.size === new Set(right).size && right.every((id) => set.has(id));
};
