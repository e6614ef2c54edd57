/**
 * Evaluation of params: lazy and recursive, each param once, in the order in which they need each other.
 *
 * Names in a workflow: its own params, then `signal__param`.
 * Names in a step: `step__param` of the step itself or of a finished step (else `signal__param`), then the step's own
 * params, then the workflow's. Inside its own definition a step param's name means the workflow's param of that name.
 * Evaluated values are data: they are never interpolated again.
 */
import { badRequest, internalError, MaestroError } from "../error.ts";
import type { Json } from "../json.ts";
import {
  ExtensionRequest,
  evaluate,
  formatError,
  references,
  SelError,
  type SelExtension,
  type SelValue,
} from "../sel/index.ts";
import type { CodeFields } from "./code.ts";
import { coerceResult } from "./coerce.ts";
import { deriveDefault } from "./derive.ts";
import { selExtension, typedResult } from "./extension.ts";
import { interpolate, textReferences } from "./interpolate.ts";
import { doubleToJson, jsonToDouble, toJson, toSel, toText } from "./literal.ts";
import {
  type EvaluationContext,
  type LoopLimits,
  loopLimits,
  type StepScope,
  stepParam,
  type WorkflowParams,
  workflowParam,
} from "./scope.ts";
import {
  namesSecret,
  secretNameProblem,
  secretOf,
  secretReference,
  secretReferences,
  secretsIn,
  WHERE_SECRETS,
} from "./secret.ts";
import { splitName } from "./split.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params, ParamType } from "./type.ts";
import { UnknownName, unknownInText, unknownNames } from "./unknown.ts";

/** Params that may wait for each other at a time: each takes its part of the stack. */
const MAX_CHAIN = 500;

/** The function that answers with an element for each iteration of a loop. */
const GATHERING = "getFromForeach";

/** An evaluated value and the type that it has. */
interface Resolved {
  readonly type: ParamType;
  readonly result: Json;
  /** Absent for what comes from outside the run. */
  readonly param?: Parameter;
}

/** Where names lead: into a run's own params, or into a step. */
export type Surroundings =
  | { readonly kind: "workflow"; readonly defaults?: WorkflowParams["defaults"] }
  | {
      readonly kind: "step";
      readonly step: StepScope;
      /** The params are a step's own: their literals may name secrets. */
      readonly maySecret?: boolean;
    };

/** One evaluation of a set of params that may refer to each other. */
export class Evaluation {
  readonly #params: Map<string, Parameter>;
  readonly #visiting: string[] = [];
  readonly #context: EvaluationContext;
  readonly #where: Surroundings;
  readonly #extension: SelExtension;
  readonly #loops: LoopLimits;
  /** Params that have an element for each iteration of a loop: limits of their own hold for them. */
  readonly #ofLoops: Set<string>;
  readonly #code: CodeFields | undefined;

  /**
   * @param ofLoops params that are known for it beforehand; those that call `getFromForeach` are found
   * @param code the entries of one of the params whose text is left as it is
   */
  constructor(
    params: Params,
    where: Surroundings,
    context: EvaluationContext,
    ofLoops: Iterable<string> = [],
    code?: CodeFields,
  ) {
    this.#params = new Map(Object.entries(params));
    this.#where = where;
    this.#context = context;
    const outside = selExtension(context, where.kind === "step" ? where.step : undefined);
    this.#extension = { call: (method, args) => this.#call(outside, method, args) };
    this.#loops = context.loops ?? loopLimits(undefined, context.limits);
    this.#ofLoops = new Set(ofLoops);
    this.#code = code;
  }

  /** Those found so far. */
  get ofLoops(): ReadonlySet<string> {
    return this.#ofLoops;
  }

  /** Every param, evaluated, in the given order. @throws MaestroError, BudgetExceeded, ExtensionRequest. */
  all(): Params {
    for (const name of this.#params.keys()) this.#own(name);
    return Object.fromEntries(this.#params);
  }

  /** An expression's raw value. */
  expression(name: string, source: string): SelValue {
    const limits = this.#limitsOf(source);
    try {
      return evaluate(source, {
        variables: this.#variables(source),
        extension: this.#extension,
        now: this.#context.now,
        seed: this.#context.seed,
        ...(limits && { limits }),
        ...(this.#context.clock && { clock: this.#context.clock }),
        ...(this.#context.budget && { budget: this.#context.budget }),
      });
    } catch (error) {
      if (!(error instanceof SelError)) throw error;
      const text = `Expression evaluation throws an exception for [${name}]: ${formatError(source, error)}`;
      throw new MaestroError("BAD_REQUEST", text, { cause: error });
    }
  }

  /** A program that only mentions the function, in a comment or a text, has the wider limits too: that does no harm. */
  #limitsOf(source: string): EvaluationContext["limits"] {
    const isOfLoop = source.includes(GATHERING) || this.#ofLoops.has(this.#visiting.at(-1) ?? "");
    return this.#where.kind === "step" && isOfLoop ? this.#loops.sel : this.#context.limits;
  }

  /** Remembers who gathers from a loop. */
  #call(outside: SelExtension, method: string, args: readonly string[]): SelValue {
    const param = this.#visiting.at(-1);
    if (method === GATHERING && param !== undefined) this.#ofLoops.add(param);
    return outside.call(method, args);
  }

  /**
   * A text with its references replaced.
   * @param place what holds the text, for errors.
   * @throws MaestroError that names all references that lead nowhere
   */
  text(template: string, place?: string): string {
    return this.#replaced(template, place, false);
  }

  /** As {@link text}, for a literal of a param: references to secrets stay as they are. */
  #literalText(template: string, place: string): string {
    const named = this.#maySecret ? secretReferences(template) : [];
    const text = this.#replaced(template, place, named.length > 0);
    // What is inserted may look like a reference; then nobody could tell the two apart any more.
    if (named.length === 0 || secretsIn(text).join(" ") === named.join(" ")) return text;
    throw badRequest(
      `Param [${place}] names the secret [${named.join(", ")}], and what is inserted or escaped in the same text looks like a secret, too: keep the two apart`,
    );
  }

  #replaced(template: string, place: string | undefined, maySecret: boolean): string {
    try {
      return interpolate(template, (name) => this.#inserted(name, maySecret));
    } catch (error) {
      if (!(error instanceof UnknownName)) throw error;
      const names = textReferences(template).filter((name) => secretOf(name) === undefined);
      throw unknownInText(this.#unknown(names), template, place);
    }
  }

  get #maySecret(): boolean {
    return this.#where.kind === "step" && this.#where.maySecret === true;
  }

  #inserted(name: string, maySecret: boolean): string {
    const secret = secretOf(name);
    if (secret === undefined) {
      const { type, result, param } = this.resolve(name);
      const text = toText(type, result);
      if (param !== undefined && secretsIn(text).length > 0) refuseSecret(name, param);
      return text;
    }
    const problem = secretNameProblem(secret);
    if (problem !== undefined) throw badRequest(`[${secretReference(secret)}] names no secret: ${problem}`);
    if (maySecret) return secretReference(secret);
    throw badRequest(`The secret [${secret}] can't be used here: ${WHERE_SECRETS}`);
  }

  /** Those of the names that lead nowhere. */
  #unknown(names: readonly string[]): readonly UnknownName[] {
    const depth = this.#visiting.length;
    return names.flatMap((name) => {
      try {
        this.resolve(name);
        return [];
      } catch (error) {
        this.#visiting.length = depth;
        return error instanceof UnknownName ? [error] : [];
      }
    });
  }

  /** What a name means here; undefined when it leads nowhere, or can be read in two ways. */
  find(name: string): Resolved | undefined {
    try {
      return this.resolve(name);
    } catch (error) {
      if (error instanceof MaestroError) return undefined;
      throw error;
    }
  }

  /** What a name means here. */
  resolve(name: string): Resolved {
    return this.#where.kind === "workflow" ? this.#inWorkflow(name) : this.#inStep(name, this.#where.step);
  }

  #inWorkflow(name: string): Resolved {
    if (this.#params.has(name)) return this.#own(name);
    const inputs = this.#where.kind === "workflow" ? this.#where.defaults : undefined;
    const derived = inputs && deriveDefault(name, inputs, (other) => this.resolve(other).result);
    if (derived) return resultOf(name, derived);
    const [split] = splitName(name);
    if (split) return this.#fromSignal(name, ...split);
    throw new UnknownName("BAD_REQUEST", name, "neither the workflow nor a signal has a param of that name");
  }

  #inStep(name: string, scope: StepScope): Resolved {
    const splits = splitName(name);
    if (splits.length > 0) return this.#acrossSteps(name, splits, scope);
    const inOwnDefinition = this.#visiting.at(-1) === name;
    if (!inOwnDefinition) {
      const own = this.#ownOf(name, scope);
      if (own) return own;
    }
    const param = workflowParam(scope.workflow, name);
    if (param) return resultOf(name, param);
    if (inOwnDefinition) {
      const reason = `param [${name}] refers to itself, and the workflow has no param of that name`;
      throw new UnknownName("BAD_REQUEST", name, reason);
    }
    const reason = `neither step [${scope.facts.step_id}] nor the workflow has a param of that name`;
    throw new UnknownName("INTERNAL_ERROR", name, reason);
  }

  #ownOf(name: string, scope: StepScope): Resolved | undefined {
    if (this.#params.has(name)) return this.#own(name);
    const known = stepParam(scope.own ?? { params: {}, identity: scope.facts }, name);
    return known && resultOf(name, known);
  }

  #acrossSteps(name: string, splits: readonly (readonly [string, string])[], scope: StepScope): Resolved {
    const exists = (id: string) => id === scope.facts.step_id || scope.finished(id) !== undefined;
    const matches = splits.length === 1 ? splits : splits.filter(([id]) => exists(id));
    const [match] = matches;
    if (!match || matches.length > 1) {
      throw internalError(`The reference [${name}] is ambiguous: ${splits.map((s) => s.join(" and ")).join(", or ")}?`);
    }
    const [stepId, param] = match;
    if (stepId === scope.facts.step_id) {
      const own = this.#ownOf(param, scope);
      if (own) return own;
      throw noParam(name, stepId, param);
    }
    const finished = scope.finished(stepId);
    if (!finished) return this.#fromSignal(name, stepId, param);
    const known = stepParam(finished.params, param);
    if (known?.evaluated_result === undefined) throw noParam(name, stepId, param);
    return resultOf(name, known);
  }

  #fromSignal(name: string, signal: string, param: string): Resolved {
    try {
      return typedResult(this.#extension.call("getFromSignal", [signal, param]));
    } catch (error) {
      if (error instanceof ExtensionRequest || error instanceof MaestroError) throw error;
      const step = this.#where.kind === "step" ? `no step [${signal}] has ended successfully, and ` : "";
      const problem = error instanceof Error ? error.message : String(error);
      throw new UnknownName("INTERNAL_ERROR", name, `${step}a signal [${signal}] can't be read (${problem})`);
    }
  }

  #own(name: string): Resolved {
    const param = this.#params.get(name) as Parameter;
    if (param.evaluated_time !== undefined) return resultOf(name, param);
    if (this.#visiting.includes(name)) {
      const cycle = [...this.#visiting.slice(this.#visiting.indexOf(name)), name].join(" → ");
      throw badRequest(`Param definition contains a cycle: ${cycle}`);
    }
    if (this.#visiting.length >= MAX_CHAIN) {
      throw badRequest(
        `Param [${name}] ends a chain of ${MAX_CHAIN} params that each refer to the next: that is too long`,
      );
    }
    this.#visiting.push(name);
    const evaluated = this.#evaluated(name, param);
    this.#visiting.pop();
    this.#params.set(name, evaluated);
    return resultOf(name, evaluated);
  }

  #evaluated(name: string, param: Parameter): Parameter {
    const evaluated_time = this.#context.now;
    if (param.expression === undefined) {
      return { ...param, evaluated_result: this.literal(name, param), evaluated_time };
    }
    const { result, ...notes } = coerceResult(name, param.type, this.expression(name, param.expression));
    return { ...param, evaluated_result: result, evaluated_time, ...notes };
  }

  /** A literal's evaluated result; the literal itself where nothing is to be replaced. */
  literal(name: string, { type, value }: ParamDefinition): Json {
    switch (type) {
      case "STRING":
        return this.#literalText(value as string, name);
      case "STRING_ARRAY":
        return this.#texts(name, value as readonly string[]);
      case "STRING_MAP":
        return this.#textMap(name, value as Readonly<Record<string, string>>);
      case "DOUBLE":
        return doubleToJson(jsonToDouble(value) ?? Number.NaN);
      case "DOUBLE_ARRAY":
        return (value as readonly Json[]).map((item) => doubleToJson(jsonToDouble(item) ?? Number.NaN));
      case "MAP":
        return this.#map(name, value as ParamDefinitions);
      default:
        return value as Json;
    }
  }

  #texts(name: string, items: readonly (string | null)[]): readonly (string | null)[] {
    if (!items.some((item) => item?.includes("$"))) return items;
    return items.map((item, index) => (item === null ? null : this.#literalText(item, `${name}[${index}]`)));
  }

  #textMap(name: string, map: Readonly<Record<string, string>>): Json {
    const entries = Object.entries(map);
    if (!entries.some(([key, value]) => key.includes("$") || value?.includes("$"))) return map;
    const result = new Map<string, string>();
    for (const [key, value] of entries) {
      const replaced = this.text(key, name);
      const isText = value !== null && !this.#isCode(name, key);
      const text = isText ? this.#literalText(value, `${name}.${key}`) : value;
      if (isText && replaced !== key && text !== null && secretsIn(text).length > 0) {
        throw badRequest(
          `Param [${name}] has a secret under the key [${key}], whose text has references: write a plain key`,
        );
      }
      if (result.has(replaced)) {
        const values = `values [${result.get(replaced)}] and [${text}]`;
        throw badRequest(`There is a duplicate key [${replaced}] with ${values} in param [${name}]`);
      }
      result.set(replaced, text);
    }
    return Object.fromEntries(result);
  }

  #map(name: string, definitions: ParamDefinitions): Json {
    return Object.fromEntries(
      Object.entries(definitions).map(([key, entry]) => {
        const path = `${name}.${key}`;
        const { expression } = entry;
        if (expression === undefined && entry.type === "STRING" && this.#isCode(name, key))
          return [key, entry.value as Json];
        return [key, expression === undefined ? this.literal(path, entry) : toJson(this.expression(path, expression))];
      }),
    );
  }

  #isCode(name: string, key: string): boolean {
    return this.#code !== undefined && this.#code.param === name && this.#code.fields.has(key);
  }

  /** Values of all names that an expression mentions; `params` in a step brings in the workflow's. */
  #variables(source: string): (name: string) => SelValue | undefined {
    const values = new Map<string, SelValue>();
    const names = references(source);
    try {
      for (const name of names) {
        if (name === "params") continue;
        const { type, result, param } = this.resolve(name);
        if (param !== undefined) refuseSecret(name, param);
        values.set(name, toSel(type, result));
      }
    } catch (error) {
      if (!(error instanceof UnknownName)) throw error;
      throw unknownNames(this.#unknown(names.filter((name) => name !== "params")), []);
    }
    const where = this.#where;
    if (where.kind === "workflow" || !names.includes("params")) return (name) => values.get(name);
    return (name) => {
      const known = values.get(name);
      if (known) return known;
      const param = workflowParam(where.step.workflow, name);
      return param && toSel(param.type, param.evaluated_result);
    };
  }
}

const noParam = (name: string, stepId: string, param: string): UnknownName =>
  new UnknownName("INTERNAL_ERROR", name, `step [${stepId}] has no param [${param}]`);

function resultOf(name: string, param: Parameter): Resolved {
  if (param.evaluated_result === undefined) throw internalError(`Param [${name}] is not evaluated yet`);
  return { type: param.type, result: param.evaluated_result, param };
}

/** The text would reach whoever uses it with the name alone, which nobody wants. */
function refuseSecret(name: string, param: Parameter): void {
  if (!namesSecret(param)) return;
  throw badRequest(`Param [${name}] names a secret, so its value can't be used elsewhere: ${WHERE_SECRETS}`);
}
