/** What has an element for each iteration of a loop has limits of its own, from `loop_params` to `getFromForeach`. */
import { describe, expect, test } from "bun:test";
import { stringifyJson } from "../../src/json.ts";
import { DEFAULT_CATALOG, loopLimits, type ParamDefinition, type ParamDefinitions } from "../../src/param/index.ts";
import type { ChildAnswer } from "../../src/run/child.ts";
import { type EvaluationSetting, evaluateJob } from "../../src/run/evaluation.ts";

const TOTAL = 100_000;

function evaluate(
  stepType: string,
  definition: ParamDefinitions,
  setting: Partial<EvaluationSetting> = {},
  answers: readonly ChildAnswer[] = [],
) {
  return evaluateJob(
    {
      kind: "step",
      merge: { stepType, definition, source: "LAUNCH", fresh: true },
      instance: { workflow_id: "w", owner: "ann", initiator_type: "MANUAL", run_policy: "START_FRESH_NEW_RUN" },
      now: 1_700_000_000_000,
      seed: 1,
      answers,
      step: {
        facts: {
          ...{
            step_id: "s",
            step_instance_uuid: "u",
            step_attempt_id: 1,
            workflow_instance_id: 1,
            step_instance_id: 1,
          },
          ...{ step_type_info: stepType, error_retries: 0 },
        },
        workflow: { params: {} },
        finished: {},
      },
    },
    { environment: "test", limits: {}, catalog: DEFAULT_CATALOG, ...setting },
  ) as Readonly<Record<string, { readonly evaluated_result?: unknown }>>;
}

const longs = (expression: string): ParamDefinition => ({ type: "LONG_ARRAY", expression });
const loopParams = (i: ParamDefinition): ParamDefinitions => ({ loop_params: { type: "MAP", value: { i } } });
const range = (count: number): string =>
  `x = new long[${count}]; for (i = 0; i < ${count}; i += 1) { x[i] = 1000000000 + i; } return x;`;
const loopOf = (params: ReturnType<typeof evaluate>) =>
  (params.loop_params?.evaluated_result as { readonly i: readonly unknown[] } | undefined)?.i ?? [];

describe("loop params of a foreach", () => {
  test("may have a hundred thousand elements, of more characters than all other params", () => {
    const params = evaluate("foreach", loopParams(longs(range(TOTAL))));
    expect(loopOf(params)).toHaveLength(TOTAL);
    expect(loopOf(params).at(-1)).toBe(1_000_099_999);
    expect(stringifyJson(params).length).toBeGreaterThan(1_000_000);
  });

  test("beyond that are refused with the limit", () => {
    expect(() => evaluate("foreach", loopParams(longs("new long[1000000];")))).toThrow(
      "an array of 1000000 elements; fewer than 100001 are allowed",
    );
    expect(() =>
      evaluate("foreach", loopParams(longs("x = new long[1]; for (i = 0; i < 1000000; i += 1) { } return x;"))),
    ).toThrow("limit-loop: the loop ran 100001 times");
  });

  test("follow the configured number of iterations and characters", () => {
    const loops = loopLimits(30_000, { array: 10, loop: 20 }, 100_000);
    expect(() => evaluate("foreach", loopParams(longs("new long[30001];")), { loops })).toThrow("fewer than 30001");
    expect(loopOf(evaluate("foreach", loopParams(longs("new long[30000];")), { loops }))).toHaveLength(30_000);
    expect(() => evaluate("foreach", loopParams(longs(range(30_000))), { loops })).toThrow(
      /^The size of what params have of loops \(loop_params\) in JSON is \d+ characters: the limit is 100000$/,
    );
    expect(loopLimits(5).sel).toMatchObject({ array: 25_001, loop: 25_001 });
  });

  test("are a case of their own: everything else has the common limits", () => {
    expect(() => evaluate("foreach", { ...loopParams(longs("new long[1];")), p: longs("new long[30000];") })).toThrow(
      "fewer than 25001 are allowed",
    );
    expect(() => evaluate("NoOp", loopParams(longs("new long[30000];")))).toThrow("fewer than 25001 are allowed");
    expect(() =>
      evaluate("NoOp", { p: longs("x = 0; for (i = 0; i < 30000; i += 1) { x += 1; } return new long[1];") }),
    ).toThrow("limit-loop: the loop ran 25001 times");
    const text: ParamDefinition = { type: "STRING", value: "x".repeat(750_001) };
    expect(() => evaluate("foreach", { ...loopParams(longs(range(TOTAL))), text })).toThrow(
      /^Total parameters' size in JSON is \d+ characters: the limit is 750000$/,
    );
  });
});

describe("what is gathered from a loop", () => {
  const rows = stringifyJson(
    Array.from({ length: TOTAL }, (_, i) => [i + 1, { t: 1 }, { type: "LONG", evaluated_result: 1_000_000_000 + i }]),
  );
  const answer: ChildAnswer = { method: "getFromForeach", args: ["f", "in", "v"], rows, total: TOTAL };
  const GATHER = "params.getFromForeach('f', 'in', 'v')";

  test("has a hundred thousand elements, which an expression may go through", () => {
    const sum = `a = ${GATHER}; n = 0; for (i = 0; i < a.length; i += 1) { n += a[i]; } return n;`;
    const params = evaluate("NoOp", { all: longs(GATHER), sum: { type: "LONG", expression: sum } }, {}, [answer]);
    expect(params.all?.evaluated_result).toHaveLength(TOTAL);
    expect(params.sum?.evaluated_result).toBe(100_004_999_950_000);
  });

  test("has the size limit of loops, and a copy of it the common one", () => {
    const loops = loopLimits(TOTAL, {}, 1_000_000);
    expect(() => evaluate("NoOp", { all: longs(GATHER) }, { loops }, [answer])).toThrow(
      "The size of what params have of loops (all) in JSON is",
    );
    expect(() => evaluate("NoOp", { all: longs(GATHER), copy: longs("all") }, {}, [answer])).toThrow(
      "Total parameters' size in JSON is",
    );
  });
});
