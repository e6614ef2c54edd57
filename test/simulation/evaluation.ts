/** Evaluations for simulated worlds: no expressions, but they can fail, and they can take a while. */
import { pause } from "../../src/clock.ts";
import { Deferred, type EvaluationPort, type TaskScope } from "../../src/flow/evaluation.ts";
import type { Json } from "../../src/json.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params } from "../../src/param/type.ts";
import type { SimProcess } from "./process.ts";

/** Conditions are `true` or `false`, that of a while the number of its iterations; a param `fail` cannot be evaluated. */
export const plainEvaluation: EvaluationPort = {
  interpolate: (_run, text) => text,
  startParams: () => ({ params: {} }),
  undeclaredParams: () => undefined,
  startText: (_input, _params, text) => text,
  template: () => undefined,
  forgetTemplates: () => {},
  stepParams: ({ node }) => {
    const params = node.body.params ?? {};
    if (params.fail) throw new Error("cannot be evaluated");
    return evaluated(params);
  },
  code: () => undefined,
  condition: (_scope, expression) => expression === "true",
  childParams: ({ runParams }) => ({ params: evaluated(runParams) }),
  loopCondition: (_scope, expression, _values, iteration) => iteration <= Number(expression),
  outputParams: ({ attempt }, outputs) => ({ ...attempt.params, ...outputs }),
};

/** Literals evaluate to themselves. */
const evaluated = (definitions: ParamDefinitions): Params =>
  Object.fromEntries(
    Object.entries(definitions).map(([name, param]) => [
      name,
      { ...param, evaluated_result: literal(param), evaluated_time: 1 } as Parameter,
    ]),
  );

const literal = ({ type, value }: ParamDefinition): Json =>
  type === "MAP"
    ? Object.fromEntries(Object.entries(value as ParamDefinitions).map(([key, entry]) => [key, literal(entry)]))
    : (value as Json);

/** Tells when params are asked for. */
export function watched(
  evaluation: EvaluationPort,
  onParams: (scope: TaskScope) => void,
  onStart: () => void,
): EvaluationPort {
  return {
    interpolate: (run, text, now) => evaluation.interpolate(run, text, now),
    startParams: (input) => {
      onStart();
      return evaluation.startParams(input);
    },
    undeclaredParams: (input) => evaluation.undeclaredParams(input),
    startText: (input, params, text) => evaluation.startText(input, params, text),
    template: (scope, use) => evaluation.template(scope, use),
    forgetTemplates: () => evaluation.forgetTemplates(),
    stepParams: (scope, template) => {
      onParams(scope);
      return evaluation.stepParams(scope, template);
    },
    code: (scope) => evaluation.code(scope),
    condition: (scope, expression) => evaluation.condition(scope, expression),
    childParams: (input) => evaluation.childParams(input),
    loopCondition: (...args) => evaluation.loopCondition(...args),
    outputParams: (scope, outputs) => evaluation.outputParams(scope, outputs),
  };
}

/** Now and then an answer takes a while, and is asked for again. */
export function slowEvaluation(process: SimProcess, chance: number): EvaluationPort {
  const perhapsLater = (): void => {
    if (process.random() < chance) throw new Deferred(pause(process, process.random() * 500));
  };
  return {
    ...plainEvaluation,
    interpolate: (run, text, now) => {
      perhapsLater();
      return plainEvaluation.interpolate(run, text, now);
    },
    startParams: (input) => {
      perhapsLater();
      return plainEvaluation.startParams(input);
    },
    stepParams: (scope) => {
      perhapsLater();
      return plainEvaluation.stepParams(scope);
    },
    condition: (scope, expression) => {
      perhapsLater();
      return plainEvaluation.condition(scope, expression);
    },
    childParams: (input) => {
      perhapsLater();
      return plainEvaluation.childParams(input);
    },
    loopCondition: (...args) => {
      perhapsLater();
      return plainEvaluation.loopCondition(...args);
    },
  };
}
