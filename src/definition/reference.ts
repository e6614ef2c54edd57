/**
 * References of a definition that lead nowhere as far as it tells: names in texts and expressions that no param of the
 * step, of the run, of another step or of a signal has. They are warnings and never refuse anything, since a start may
 * give params that no definition declares. What the definition does not tell (a job template's params, a plugin's
 * defaults, a loop over what an expression makes) is taken to have every name.
 */
import type { CodeFields } from "../param/code.ts";
import { DEFAULT_CATALOG, type DefaultCatalog } from "../param/defaults.ts";
import { WORKFLOW_DEFAULTS } from "../param/derive.ts";
import { textReferences } from "../param/interpolate.ts";
import { STEP_DEFAULTS } from "../param/scope.ts";
import { secretMentions, secretOf, WHERE_SECRETS } from "../param/secret.ts";
import { splitName } from "../param/split.ts";
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import { escapeHint, linesWith } from "../param/unknown.ts";
import { references, SelError } from "../sel/index.ts";
import { at, collect, type Report } from "./finding.ts";
import { allSteps, nestedSteps, type Step, stepOf } from "./step.ts";
import type { Workflow } from "./workflow.ts";

export interface ReferenceSetting {
  readonly catalog?: DefaultCatalog | undefined;
  /** Step types, in any case, that bring no params but those of the catalog. `NoOp` and `Sleep` are known. */
  readonly types?: readonly string[] | undefined;
}

/** Names that a step's own params have. */
interface StepNames {
  readonly names: ReadonlySet<string>;
  /** It may have any other, too. */
  readonly isOpen: boolean;
}

/** The names that a text may refer to, and where findings go. */
interface Lookup {
  /** Params of the run. */
  readonly run: StepNames;
  readonly steps: ReadonlyMap<string, StepNames>;
  readonly signals: ReadonlySet<string>;
  readonly codes: DefaultCatalog["code"];
  readonly report: Report;
  /** The step that the text belongs to; absent for the workflow's own. */
  readonly step?: StepNames | undefined;
  /** Where the step's settings have code; absent below the step's own params. */
  readonly code?: CodeFields | undefined;
  /** The param in whose definition the text stands: its name means the run's param there. */
  readonly self?: string | undefined;
}

/** @returns lines `path: warning: problem`, one a text or expression */
export function unknownReferences(
  workflow: Workflow,
  setting: ReferenceSetting = {},
  path = "workflow",
): readonly string[] {
  const { catalog = DEFAULT_CATALOG } = setting;
  const { report, lines } = collect();
  const all = [...allSteps(workflow.steps)];
  const dependencies = all.flatMap((step) => stepOf(step).body.signal_dependencies ?? []);
  const names = workflowParamNames(workflow, catalog);
  const lookup: Lookup = {
    run: { names, isOpen: false },
    steps: new Map(all.map((step) => [stepOf(step).body.id, namesOf(step, setting)])),
    signals: new Set([
      ...(workflow.signal_triggers ?? []).flatMap((trigger) => Object.keys(trigger.definitions)),
      ...dependencies.map(({ name }) => name),
    ]),
    codes: catalog.code,
    report: (where, problem) => report(where, `warning: ${problem}`),
  };
  checkDefinitions(workflow.params, at(path, "params"), lookup);
  checkText(workflow.timeout, at(path, "timeout"), lookup);
  checkSteps(workflow.steps, at(path, "steps"), lookup);
  return lines;
}

/** Those that the definition declares, and the server's own. */
export function workflowParamNames({ params = {} }: Workflow, catalog: DefaultCatalog): ReadonlySet<string> {
  const defaults = [...WORKFLOW_DEFAULTS.keys()].filter((name) => !catalog.omit.includes(name));
  return new Set([...Object.keys(params), ...defaults, ...catalog.workflow.keys()]);
}

const PLAIN_TYPES: readonly string[] = ["noop", "sleep"];

function namesOf(step: Step, { catalog = DEFAULT_CATALOG, types = [] }: ReferenceSetting): StepNames {
  const { kind, body } = stepOf(step);
  const type = ("type" in body ? body.type : kind).toLowerCase();
  const isKnown =
    PLAIN_TYPES.includes(type) || catalog.types.has(type) || types.some((known) => known.toLowerCase() === type);
  const layers = [STEP_DEFAULTS, catalog.step, catalog.types.get(type) ?? new Map<string, unknown>()];
  const names = new Set([...Object.keys(body.params ?? {}), ...layers.flatMap((layer) => [...layer.keys()])]);
  return { names, isOpen: !isKnown || kind === "template" || ("sub_type" in body && body.sub_type !== undefined) };
}

function checkSteps(steps: readonly Step[], path: string, lookup: Lookup): void {
  steps.forEach((step, index) => {
    const { kind, body } = stepOf(step);
    const where = at(at(path, index), kind);
    const inside = { ...lookup, step: lookup.steps.get(body.id) };
    const code = "type" in body ? lookup.codes.get(body.type.toLowerCase()) : undefined;
    checkDefinitions(body.params, at(where, "params"), { ...inside, code });
    checkText(body.timeout, at(where, "timeout"), lookup);
    for (const [id, condition] of Object.entries(body.transition.successors ?? {})) {
      checkExpression(condition, at(at(at(where, "transition"), "successors"), id), inside);
    }
    if (kind === "step") checkRetry(body.retry_policy, at(where, "retry_policy"), lookup);
    if (kind !== "foreach" && kind !== "while") return;
    const loop = { ...lookup, run: iteration(body.params, lookup.run) };
    if (kind === "while") checkExpression(body.condition, at(where, "condition"), { ...inside, run: loop.run });
    checkSteps(nestedSteps(step), at(where, "steps"), loop);
  });
}

/** What an iteration of a loop has: the run's params, the loop's own, and one for each that it loops over. */
function iteration(params: ParamDefinitions | undefined, run: StepNames): StepNames {
  const { loop_params: loop, ...passed } = params ?? {};
  const isOpen = run.isOpen || loop?.value === undefined || loop.type !== "MAP";
  const over = isOpen ? [] : Object.keys(loop.value as ParamDefinitions);
  return { names: new Set([...run.names, ...Object.keys(passed), ...over, "loop_index", "condition"]), isOpen };
}

function checkRetry(policy: object | undefined, path: string, lookup: Lookup): void {
  for (const [key, value] of Object.entries(policy ?? {})) {
    if (typeof value === "object" && value !== null) checkRetry(value, at(path, key), lookup);
    else checkText(value, at(path, key), lookup);
  }
}

function checkDefinitions(definitions: ParamDefinitions | undefined, path: string, lookup: Lookup): void {
  for (const [name, definition] of Object.entries(definitions ?? {})) {
    checkDefinition(definition, at(path, name), { ...lookup, self: name });
  }
}

function checkDefinition({ type, value, expression }: ParamDefinition, path: string, lookup: Lookup): void {
  if (expression !== undefined) return checkExpression(expression, at(path, "expression"), lookup);
  const where = at(path, "value");
  const { code, self, ...below } = lookup;
  const isCode = (key: string): boolean => code !== undefined && code.param === self && code.fields.has(key);
  if (type === "MAP") {
    for (const [key, entry] of Object.entries((value ?? {}) as ParamDefinitions)) {
      const isText = entry.type === "STRING" && entry.expression === undefined;
      if (isText && isCode(key)) checkCode(entry.value, at(at(where, key), "value"), lookup);
      else checkDefinition(entry, at(where, key), { ...below, self });
    }
  } else if (type === "STRING_MAP") {
    for (const [key, text] of Object.entries(value ?? {})) {
      if (isCode(key)) {
        checkCode(text, at(where, key), lookup);
        continue;
      }
      checkText(key, at(where, key), lookup);
      checkText(text, at(where, key), lookup);
    }
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      checkText(item, at(where, index), lookup);
    });
  } else checkText(value, where, lookup);
}

function checkText(text: unknown, path: string, lookup: Lookup): void {
  if (typeof text !== "string") return;
  const unknown = textReferences(text).filter((name) => secretOf(name) === undefined && !isKnown(name, lookup));
  const [first] = unknown;
  if (first === undefined) return;
  const isLong = text.includes("\n");
  const shown = unknown.map((name) => {
    const [found] = isLong ? linesWith(text, new Set([name])) : [];
    return found === undefined ? `[${name}]` : `[${name}] (line ${found.line}: ${found.text})`;
  });
  lookup.report(path, `${problem(unknown, shown, lookup)}. ${escapeHint(first)}`);
}

/** In a program's text a dollar is the program's: what it mentions and nobody knows is a variable of its own. */
function checkCode(text: unknown, path: string, lookup: Lookup): void {
  if (typeof text !== "string") return;
  const found = new Map<string, number>();
  text.split("\n").forEach((line, index) => {
    for (const [, dollars = "", name = ""] of line.matchAll(/(\$+)\{?([A-Za-z_][-.\w]*)/g)) {
      const says = aboutCode(dollars.length, name, lookup);
      if (says !== undefined && !found.has(says)) found.set(says, index + 1);
    }
  });
  for (const [says, line] of found) lookup.report(path, `line ${line}: ${says}`);
}

function aboutCode(dollars: number, name: string, { run, steps, step }: Lookup): string | undefined {
  const variable = /^\w+/.exec(name)?.[0] ?? "";
  if (dollars > 1) {
    return `$$${variable} is the number of the process and a text: the text of code is left as it is, so the variable is $${variable}`;
  }
  const isParam = (it: string): boolean =>
    splitName(it).some(([owner, param]) => steps.get(owner)?.names.has(param)) ||
    step?.names.has(it) === true ||
    run.names.has(it);
  if (name !== variable) {
    const written = name.replace(/[-.]+$/, "");
    if (isParam(written))
      return `[${written}] can't be the name of a variable: it is in the file $MAESTRO_PARAMS alone`;
  }
  const [missing] = splitName(variable).filter(([owner]) => steps.has(owner));
  if (missing === undefined || isParam(variable)) return undefined;
  const [owner, param] = missing;
  if (has(steps.get(owner), param)) return undefined;
  return `[${variable}] is not found: step [${owner}] has no param [${param}], and the variable is empty`;
}

function checkExpression(source: string, path: string, lookup: Lookup): void {
  const [mention] = secretMentions(source);
  if (mention) lookup.report(path, `${mention.text} in an expression is text and no secret: ${WHERE_SECRETS}`);
  const unknown = namesIn(source).filter((name) => name !== "params" && !isKnown(name, lookup));
  if (unknown.length === 0) return;
  const shown = unknown.map((name) => `[${name}]`);
  lookup.report(path, problem(unknown, shown, lookup));
}

/** None of an expression that does not parse: that is told elsewhere. */
function namesIn(source: string): readonly string[] {
  try {
    return references(source);
  } catch (error) {
    if (error instanceof SelError) return [];
    throw error;
  }
}

function problem(names: readonly string[], shown: readonly string[], { step }: Lookup): string {
  const [is, name] = shown.length === 1 ? ["is", "this name"] : ["are", "these names"];
  const owners = step === undefined ? "the workflow" : "the step, the workflow or another step";
  // A start gives params to the run, not to its steps.
  const unless = names.every((it) => splitName(it).length > 0) ? "" : " unless its start gives it";
  return `${shown.join(", ")} ${is} not found: ${owners} has no param of ${name}, and a run fails${unless}`;
}

function isKnown(name: string, { run, steps, signals, step, self }: Lookup): boolean {
  const splits = splitName(name);
  if (splits.length > 0) {
    return splits.some(([owner, param]) => signals.has(owner) || (step !== undefined && has(steps.get(owner), param)));
  }
  return (name !== self && has(step, name)) || has(run, name);
}

/** The engine gives each step params of its own, whose names begin with `maestro_`. */
const has = (step: StepNames | undefined, name: string): boolean =>
  step !== undefined && (step.isOpen || step.names.has(name) || name.startsWith("maestro_"));
