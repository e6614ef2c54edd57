/** Evaluations for simulated worlds: no expressions, but they can fail, and they can take a while. */
import { pause } from "../../src/clock.ts";
import { Deferred, type EvaluationPort, type TaskScope } from "../../src/flow/evaluation.ts";
import type { SimProcess } from "./process.ts";

/** Conditions are `true` or `false`; a param `fail` cannot be evaluated. */
export const plainEvaluation: EvaluationPort = {
  interpolate: (_run, text) => text,
  startParams: () => ({ params: {} }),
  undeclaredParams: () => undefined,
  startText: (_input, _params, text) => text,
  stepParams: ({ node }) => {
    const params = node.body.params ?? {};
    if (params.fail) throw new Error("cannot be evaluated");
    return Object.fromEntries(
      Object.entries(params).map(([name, param]) => [name, { ...param, evaluated_result: param.value as never }]),
    );
  },
  condition: (_scope, expression) => expression === "true",
  outputParams: ({ attempt }, outputs) => ({ ...attempt.params, ...outputs }),
};

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
    stepParams: (scope) => {
      onParams(scope);
      return evaluation.stepParams(scope);
    },
    condition: (scope, expression) => evaluation.condition(scope, expression),
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
  };
}
