/** Expressions of a step that ask other runs: who answers, how often, and what it comes to. */
import { describe, expect, test } from "bun:test";
import { nextTurn, systemClock } from "../../src/clock.ts";
import { type ForeachStep, type Step, stepIdOf } from "../../src/definition/step.ts";
import { badRequest, MaestroError } from "../../src/error.ts";
import { Deferred, type TaskScope } from "../../src/flow/evaluation.ts";
import { Evaluator, type EvaluatorOptions } from "../../src/flow/evaluator.ts";
import { patiently } from "../../src/flow/fetching.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";
import { DEFAULT_CATALOG, loopLimits, type ParamDefinitions, type Params } from "../../src/param/index.ts";
import type { ParamQuestion, ParamRows } from "../../src/run/child.ts";
import { type EvaluationJob, type EvaluationSetting, evaluateJob } from "../../src/run/evaluation.ts";
import type { Run } from "../../src/run/model.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { stepNode } from "../../src/step/node.ts";
import type { StepStatus } from "../../src/step/status.ts";
import { FakeClock } from "../simulation/clock.ts";
import { attempt } from "../store/fixture.ts";

const SETTING: EvaluationSetting = { environment: "test", limits: {}, catalog: DEFAULT_CATALOG };
const run: Run = {
  ...{ workflowId: "wf", instanceId: 1, runId: 1, key: 1, uuid: "u", internalId: 1, versionId: 1, groupId: 0 },
  ...{ groupInfo: 0, correlationId: undefined, initiator: { type: "MANUAL", depth: 0, user: "ann" } },
  ...{ config: { policy: "START_FRESH_NEW_RUN" }, runParams: {}, properties: { create_time: 1, owner: "ann" } },
  ...{ params: { params: {} }, timeoutMs: undefined, status: "IN_PROGRESS", executionId: "u", requestTime: 1 },
  ...{ createTime: 1, startTime: 1, endTime: undefined, modifyTime: 1, overview: undefined, artifacts: {} },
  timeline: [],
};

const body: ForeachStep = {
  id: "f",
  transition: {},
  steps: [{ step: { id: "in", type: "NoOp", transition: {}, params: { v: { type: "LONG", value: 1 } } } }],
};
const LOOP = "maestro_foreach_Ib2_11_0";
const foreach = (total: unknown = 3, status: StepStatus = "SUCCEEDED"): StepAttempt =>
  attempt("f", 1, {
    status,
    artifacts: { maestro_foreach: { type: "FOREACH", foreach_workflow_id: LOOP, total_loop_count: total } },
  });
/** A plugin's step that calls its artifact like the engine's. */
const fake: Step = { step: { id: "fake", type: "NoOp", transition: {} } };
const subworkflow = attempt("sub", 1, {
  status: "COMPLETED_WITH_ERROR",
  artifacts: { maestro_subworkflow: { type: "SUBWORKFLOW", subworkflow_id: "kid", subworkflow_instance_id: 7 } },
});

/** The scope of a step with these params, after the steps of these attempts. */
function scopeOf(params: ParamDefinitions, ...others: readonly StepAttempt[]): TaskScope {
  const step: Step = { step: { id: "s", type: "NoOp", transition: {}, params } };
  return {
    run,
    node: stepNode(step, [], {}),
    attempt: attempt("s", 1),
    now: 1_700_000_000_000,
    attemptOf: (id) => others.find(({ stepId }) => stepId === id),
    definitionOf: (id) =>
      [{ foreach: body }, { subworkflow: { id: "sub", transition: {} } }, { foreach: { ...body, id: "g" } }, fake].find(
        (one) => stepIdOf(one) === id,
      ),
    stepIds: () => others.map(({ stepId }) => stepId),
  };
}

/** Values as the store's rows, by instance. */
const rowsOf = (values: Readonly<Record<number, number>>): ParamRows => {
  const rows = Object.entries(values).map(([id, value]) => [
    Number(id),
    { t: 1, e: true },
    { type: "LONG", evaluated_result: value },
  ]);
  return { rows: stringifyJson(rows), chars: rows.length };
};

class Fixture {
  readonly asked: ParamQuestion[] = [];
  readonly jobs: EvaluationJob[] = [];
  readonly evaluator: Evaluator;

  constructor(
    fetch: (question: ParamQuestion) => ParamRows | Promise<ParamRows>,
    more: Partial<EvaluatorOptions> = {},
  ) {
    this.evaluator = new Evaluator({
      ...SETTING,
      inlineVisits: 500,
      random: () => 1,
      fetch: async (question) => {
        this.asked.push(question);
        return fetch(question);
      },
      elsewhere: async (job) => {
        this.jobs.push(job);
        const copy = parseJson(stringifyJson(job)) as unknown as EvaluationJob;
        return parseJson(stringifyJson(evaluateJob(copy, { ...SETTING, ...more })));
      },
      ...more,
    });
  }

  /** Asks as a flow does: again and again, until there is an answer. */
  async settle<T>(ask: (evaluator: Evaluator) => T): Promise<T> {
    for (;;) {
      try {
        return ask(this.evaluator);
      } catch (error) {
        if (!(error instanceof Deferred)) throw error;
        await error.settled;
      }
    }
  }

  params(scope: TaskScope): Promise<Params> {
    return this.settle((evaluator) => evaluator.stepParams(scope));
  }

  async value(expression: string, scope: readonly StepAttempt[], type = "LONG_ARRAY" as const): Promise<unknown> {
    return (await this.params(scopeOf({ p: { type, expression } }, ...scope))).p?.evaluated_result;
  }
}

const GATHER = "params.getFromForeach('f', 'in', 'v')";

describe("an expression that asks other runs", () => {
  test("is evaluated again with what they say", async () => {
    const fixture = new Fixture(() => rowsOf({ 1: 10, 3: 30 }));
    expect(await fixture.value(GATHER, [foreach()])).toEqual([10, 0, 30]);
    expect(fixture.asked).toEqual([
      { workflowId: LOOP, first: 1, last: 3, stepId: "in", name: "v", maxChars: 5_000_000 },
    ]);
    expect(fixture.jobs).toEqual([]);
  });

  test("asks once for what it uses often, and one by one for what it needs", async () => {
    const fixture = new Fixture(({ workflowId }) => rowsOf(workflowId === "kid" ? { 7: 5 } : { 1: 1, 2: 2, 3: 3 }));
    const params = await fixture.params(
      scopeOf(
        {
          sum: { type: "LONG", expression: `a = ${GATHER}; b = ${GATHER}; return a[0] + b[2] + kid;` },
          kid: {
            type: "LONG",
            expression: "params.getFromSubworkflow('sub', 'in', 'v') + params.getFromSubworkflow('sub', 'in', 'v')",
          },
        },
        foreach(),
        subworkflow,
      ),
    );
    expect([params.sum?.evaluated_result, params.kid?.evaluated_result]).toEqual([14, 10]);
    expect(fixture.asked.map(({ workflowId, first, last }) => [workflowId, first, last])).toEqual([
      ["kid", 7, 7],
      [LOOP, 1, 3],
    ]);
  });

  test("has the same clock and chance each time", async () => {
    const seen = new Set<string>();
    const fixture = new Fixture(() => rowsOf({ 7: 1 }));
    const expression =
      "x = UUID.randomUUID().toString() + System.currentTimeMillis() + params.nextUniqueId(); y = params.getFromSubworkflow('sub', 'in', 'v'); return x;";
    for (let i = 0; i < 2; i++) {
      const params = await fixture.params(scopeOf({ p: { type: "STRING", expression } }, subworkflow));
      seen.add(String(params.p?.evaluated_result));
    }
    const alone = new Fixture(() => rowsOf({}));
    const params = await alone.params(
      scopeOf({ p: { type: "STRING", expression: expression.replace(/ y = .*?;/, "") } }),
    );
    seen.add(String(params.p?.evaluated_result));
    expect([...seen]).toHaveLength(1);
  });

  test("may be the condition of an edge, and a long one", async () => {
    const scope = scopeOf({}, foreach());
    const fixture = new Fixture(() => rowsOf({ 1: 1, 2: 2, 3: 3 }));
    const condition = `n = 0; while (n < 1000) { n += 1; } return ${GATHER}[2] == 3;`;
    expect(await fixture.settle((evaluator) => evaluator.condition(scope, condition))).toBe(true);
    expect(await fixture.settle((evaluator) => evaluator.condition(scope, `${GATHER}[0] == 3`))).toBe(false);
    expect(fixture.jobs.map(({ kind, answers = [] }) => [kind, answers.length])).toEqual([
      ["condition", 0],
      ["condition", 1],
    ]);
  });

  test("with many characters to read goes to the evaluation thread at once", async () => {
    const values = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [i + 1, i]));
    const fixture = new Fixture(() => rowsOf(values), { inlineVisits: 1_000_000 });
    expect(await fixture.value(GATHER, [foreach(1_000)])).toHaveLength(1_000);
    expect(fixture.jobs).toHaveLength(1);
  });
});

describe("an answer that there is not", () => {
  const failing = async (
    expression: string,
    scope: readonly StepAttempt[],
    fixture = new Fixture(() => rowsOf({})),
  ) => {
    try {
      return { value: await fixture.value(expression, scope), asked: fixture.asked.length };
    } catch (error) {
      return { message: (error as Error).message, asked: fixture.asked.length, code: (error as MaestroError).code };
    }
  };

  test.each([
    ["no such step", GATHER, [], "step [f] is not a finished step of this run or an earlier one"],
    ["a step under way", GATHER, [foreach(3, "RUNNING")], "step [f] is not a finished step"],
    ["a failed step", GATHER, [foreach(3, "FATALLY_FAILED")], "step [f] is not a finished step"],
    ["no loop", GATHER, [attempt("f", 1, { status: "SUCCEEDED" })], "step [f] is not a foreach step that has run"],
    ["no count", GATHER, [foreach("3")], "step [f] is not a foreach step that has run"],
    [
      "a plugin's artifact",
      "params.getFromForeach('fake', 'in', 'v')",
      [{ ...foreach(), stepId: "fake" }],
      "step [fake] is not a foreach step that has run",
    ],
    [
      "no child",
      "params.getFromSubworkflow('f', 'in', 'v')",
      [foreach()],
      "step [f] is not a subworkflow step that has run",
    ],
    [
      "no inner step",
      "params.getFromForeach('f', 'out', 'v')",
      [foreach()],
      "step [f] has no step [out] in its body; there are in",
    ],
    ["a NUL", "params.getFromForeach('f', 'in', '\\u0000')", [foreach()], "no param has a NUL in its name"],
  ] as const)("is the expression's error, and nothing is read: %s", async (_, expression, scope, text) => {
    const { message, asked, code } = await failing(expression, scope);
    expect(message).toContain("Expression evaluation throws an exception for [p]");
    expect(message).toContain(text);
    expect({ asked, code }).toEqual({ asked: 0, code: "BAD_REQUEST" });
  });

  test("because nobody has the param", async () => {
    const { message } = await failing("params.getFromForeach('f', 'in', 'w')", [foreach()]);
    expect(message).toContain("no iteration of step [f] has an evaluated param [w] of step [in]");
    const kid = await failing("params.getFromSubworkflow('sub', 'in', 'v')", [subworkflow]);
    expect(kid.message).toContain("the workflow of step [sub] has no evaluated param [v] of a step [in]");
  });

  test("because the database refuses the question", async () => {
    const fixture = new Fixture(() => Promise.reject(new Error("invalid byte sequence")));
    expect((await failing(GATHER, [foreach()], fixture)).message).toContain("invalid byte sequence");
  });

  test("because there would be too much to read, all in all", async () => {
    const loops = loopLimits(10, {}, 10);
    const sizes = [6, 5];
    const fixture = new Fixture(
      ({ maxChars }) => {
        const chars = sizes.shift() ?? 0;
        return { chars, rows: chars > maxChars ? undefined : "[]" };
      },
      { loops },
    );
    const sum = "a = params.getFromForeach('f', 'in', 'v'); b = params.getFromForeach('g', 'in', 'v'); return b;";
    const { message } = await failing(sum, [foreach(), { ...foreach(), stepId: "g" }], fixture);
    expect(message).toContain("its values have 5 characters as JSON; 4 are left of the limit");
    expect(fixture.asked.map(({ maxChars }) => maxChars)).toEqual([10, 4]);
  });

  test("because it is the hundred-and-first", async () => {
    const fixture = new Fixture(() => rowsOf({ 7: 1 }), { inlineVisits: 100_000 });
    const expression =
      "n = 0; for (i = 0; i < 101; i += 1) { n += params.getFromSubworkflow('sub', 'in', 'v' + i); } return n;";
    const { message, asked } = await failing(expression, [subworkflow], fixture);
    expect(message).toContain("an evaluation may ask other runs 100 times at most");
    expect(asked).toBe(100);
  });

  test("because it is asked for outside of a step", async () => {
    const fixture = new Fixture(() => rowsOf({}));
    const head = { workflowId: "wf", internalId: 1, revision: 0, activeVersion: 1, latestVersion: 1 };
    const start = fixture.settle((evaluator) =>
      evaluator.startParams({
        id: "x",
        workflow: { id: "wf", steps: [], params: { p: { type: "LONG_ARRAY", expression: GATHER } } },
        head: { ...head, properties: { workflow_id: "wf", create_time: 1, author: "ann", owner: "ann" } },
        initiator: { type: "MANUAL", depth: 0, user: "ann" },
        runParams: undefined,
        now: 1,
      }),
    );
    await expect(start).rejects.toThrow("it works inside a step only");
  });
});

describe("the database", () => {
  test("is asked for eight evaluations at a time", async () => {
    const held: PromiseWithResolvers<ParamRows>[] = [];
    const fixture = new Fixture(() => {
      const one = Promise.withResolvers<ParamRows>();
      held.push(one);
      return one.promise;
    });
    const scopes = Array.from({ length: 20 }, (_, i) => {
      const scope = scopeOf({ p: { type: "LONG_ARRAY", expression: GATHER } }, foreach());
      return { ...scope, attempt: attempt("s", 1, { uuid: `s${i}` }) };
    });
    const evaluations = scopes.slice(0, 12).map((scope) => fixture.params(scope));
    let most = 0;
    for (let done = 0; done < scopes.length; ) {
      await nextTurn(systemClock);
      most = Math.max(most, held.length);
      const next = held.shift();
      if (next) done++;
      next?.resolve(rowsOf({ 1: 1 }));
      if (next && done === 6) evaluations.push(...scopes.slice(12).map((scope) => fixture.params(scope)));
    }
    const results = (await Promise.all(evaluations)).map(({ p }) => p?.evaluated_result);
    expect(results).toEqual(Array(scopes.length).fill([1, 0, 0]));
    expect(most).toBe(8);
  });

  test("is asked again while it is away, ever more rarely", async () => {
    const clock = new FakeClock();
    let asked = 0;
    const away = new MaestroError("UNAVAILABLE", "away", { retryable: true });
    const answer = patiently(clock, async () => {
      if (++asked <= 9) throw away;
      return rowsOf({});
    })({ workflowId: "w", first: 1, last: 1, stepId: "s", name: "v", maxChars: 1 });
    const waits: number[] = [];
    while (asked < 10) {
      await nextTurn(systemClock);
      const { next } = clock;
      if (next === undefined) continue;
      waits.push(next - clock.now());
      clock.moveTo(next);
    }
    expect(await answer).toEqual(rowsOf({}));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  test("that refuses for good is not asked again", async () => {
    let asked = 0;
    const ask = patiently(new FakeClock(), async () => {
      asked++;
      throw badRequest("no");
    });
    await expect(ask({ workflowId: "w", first: 1, last: 1, stepId: "s", name: "v", maxChars: 1 })).rejects.toThrow(
      "no",
    );
    expect(asked).toBe(1);
  });
});
