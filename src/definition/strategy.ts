/** Run strategies: which of a workflow's runs may run at a time. */
import { z } from "zod";
import { isRawNumber } from "../json.ts";
import { RANGE } from "./range.ts";
import { caseless, integer, object, spellings } from "./wire.ts";

/** Rules with the concurrency that each has when none is given. */
export const RUN_STRATEGY_RULES = {
  SEQUENTIAL: 1,
  STRICT_SEQUENTIAL: 1,
  FIRST_ONLY: 1,
  LAST_ONLY: 1,
  PARALLEL: 20,
  SERIAL_LATEST_ONLY: 1,
} as const;

export type RunStrategyRule = keyof typeof RUN_STRATEGY_RULES;

/** Read as a rule's name, a number n (PARALLEL with n), or this object; written as this object. */
export interface RunStrategy {
  readonly rule: RunStrategyRule;
  readonly workflow_concurrency: number;
}

export const DEFAULT_RUN_STRATEGY: RunStrategy = { rule: "SEQUENTIAL", workflow_concurrency: 1 };

export const runStrategyOf = (rule: RunStrategyRule): RunStrategy => ({
  rule,
  workflow_concurrency: RUN_STRATEGY_RULES[rule],
});

const rules = Object.keys(RUN_STRATEGY_RULES) as [RunStrategyRule, ...RunStrategyRule[]];

function spelledOut(value: unknown): unknown {
  if (typeof value === "string") return { rule: value };
  if (typeof value === "number" || isRawNumber(value)) return { rule: "PARALLEL", workflow_concurrency: value };
  return value;
}

/** Fills the concurrency in, unless the rule is unknown: then the enum refuses it. */
function withConcurrency(fields: Readonly<Record<string, unknown>>): unknown {
  const { rule = "SEQUENTIAL", ...rest } = fields;
  const known = typeof rule === "string" ? rule.toUpperCase() : "";
  const fallback = Object.hasOwn(RUN_STRATEGY_RULES, known) ? RUN_STRATEGY_RULES[known as RunStrategyRule] : 1;
  return { workflow_concurrency: fallback, ...rest, rule };
}

const strategyObject = object(
  { rule: caseless(rules), workflow_concurrency: integer(RANGE.workflowConcurrency) },
  withConcurrency,
).refine(({ rule, workflow_concurrency }) => rule === "PARALLEL" || workflow_concurrency === 1, {
  error: "a workflow_concurrency above 1 needs the rule PARALLEL",
});

export const runStrategySchema: z.ZodType<RunStrategy> = z.preprocess(spelledOut, strategyObject).meta({
  id: "RunStrategy",
  description: "Read as a rule's name, a number n (PARALLEL with n), or an object; written as an object",
});
spellings.add(runStrategySchema, {
  takes: [
    { type: "string", enum: rules },
    {
      type: "integer",
      format: "int64",
      minimum: RANGE.workflowConcurrency.min,
      maximum: RANGE.workflowConcurrency.max,
    },
  ],
});
