/** Flows whose expressions are too long for their engine thread: who waits, who does not, and what comes of it. */
import { describe, expect, test } from "bun:test";
import type { ParamDefinitions } from "../../src/definition/parameter.ts";
import type { Step, TypedStep } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { MaestroError } from "../../src/error.ts";
import { Evaluator } from "../../src/flow/evaluator.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";
import { DEFAULT_CATALOG } from "../../src/param/index.ts";
import type { ParamQuestion, ParamRows } from "../../src/run/child.ts";
import { type EvaluationJob, type EvaluationSetting, evaluateJob } from "../../src/run/evaluation.ts";
import { World } from "./world.ts";

interface Asked {
  readonly job: EvaluationJob;
  readonly settled: PromiseWithResolvers<unknown>;
}

/** The evaluation thread, when the test says so: jobs and answers cross as texts, like between threads. */
class Elsewhere {
  readonly waiting: Asked[] = [];
  readonly kinds: string[] = [];
  /** What other runs say. */
  fetch: (question: ParamQuestion) => Promise<ParamRows> = () => Promise.reject(new Error("nobody is to be asked"));
  readonly setting: EvaluationSetting;

  constructor(setting: Partial<EvaluationSetting> = {}) {
    this.setting = { environment: "test", limits: {}, catalog: DEFAULT_CATALOG, ...setting };
  }

  get evaluator(): Evaluator {
    return new Evaluator({
      ...this.setting,
      inlineVisits: 500,
      random: () => 1,
      fetch: (question) => this.fetch(question),
      elsewhere: (job) => {
        const settled = Promise.withResolvers<unknown>();
        this.kinds.push(job.kind);
        this.waiting.push({ job: parseJson(stringifyJson(job)) as unknown as EvaluationJob, settled });
        return settled.promise;
      },
    });
  }

  /** Carries out everything that waits. */
  work(): void {
    for (const { job, settled } of this.waiting.splice(0)) {
      try {
        settled.resolve(parseJson(stringifyJson(evaluateJob(job, this.setting))));
      } catch (error) {
        settled.reject(error instanceof MaestroError ? MaestroError.fromData(error.toData()) : error);
      }
    }
  }
}

/** Counts to `turns`, which must be an expression. */
const count = (turns: string): string => `n = 0; while (n < ${turns}) { n += 1; } return n;`;
const heavy = (type: "LONG" | "BOOLEAN" = "LONG") => ({ type, expression: count("1000") }) as const;
const turns = (value: number): ParamDefinitions => ({ turns: { type: "LONG", value } });

const step = (id: string, body: Partial<TypedStep> = {}, to: Record<string, string> = {}): Step => ({
  step: { id, type: "NoOp", transition: Object.keys(to).length > 0 ? { successors: to } : {}, ...body },
});

async function boot(workflow: Omit<Workflow, "id">, elsewhere: Elsewhere): Promise<World> {
  const world = new World({ id: "wf", ...workflow }, elsewhere.evaluator);
  await world.boot();
  return world;
}

const attemptOf = (world: World, stepId: string, key = 1) => world.attempts.get(key)?.get(`${stepId}:1`);

describe("workflow params beyond the budget", () => {
  const workflow = {
    params: { turns: { type: "LONG", value: 1 }, n: { type: "LONG", expression: count("turns") } },
    steps: [step("a")],
    timeout: "${n} seconds",
  } as const;

  test("hold up their own start alone, and the timeout that is made of them", async () => {
    const elsewhere = new Elsewhere();
    const world = await boot(workflow, elsewhere);
    const slow = world.start({ runParams: turns(1_000) });
    const fast = world.start({ runParams: turns(2) });
    expect(await fast).toMatchObject({ instanceId: 1, status: "CREATED" });
    const next = world.start();
    expect(await next).toMatchObject({ instanceId: 2 });
    expect(elsewhere.kinds).toEqual(["start"]);
    elsewhere.work();
    expect(await slow).toMatchObject({ instanceId: 3, status: "CREATED" });
    expect([1, 2, 3].map((key) => world.runs.get(key)?.timeoutMs)).toEqual([2_000, 1_000, 1_000_000]);
    expect(world.runs.get(3)?.params.params.n?.evaluated_result).toBe(1_000);
    expect(elsewhere.waiting).toEqual([]);
  });

  test("that exceed the full limits, too, refuse the start as the caller's mistake", async () => {
    const elsewhere = new Elsewhere({ limits: { loop: 100 } });
    const world = await boot(workflow, elsewhere);
    const refused = world.start({ runParams: turns(1_000) }).catch((error: unknown) => error);
    await world.settle();
    elsewhere.work();
    const error = await refused;
    expect(error).toBeInstanceOf(MaestroError);
    expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("[n]") });
    expect(world.runs.size).toBe(0);
  });

  test("or make a failed run, when that is asked for", async () => {
    const elsewhere = new Elsewhere({ limits: { loop: 100 } });
    const world = await boot(workflow, elsewhere);
    const reply = world.start({ runParams: turns(1_000), persistFailedRun: true });
    await world.settle();
    elsewhere.work();
    expect(await reply).toMatchObject({ instanceId: 1 });
    expect(world.status()).toBe("FAILED");
    expect(world.runs.get(1)?.timeline).toMatchObject([{ type: "LOG" }, { type: "DETAILS", status: "BAD_REQUEST" }]);
  });
});

describe("step params beyond the budget", () => {
  const workflow = {
    steps: [
      step("slow", { params: { n: heavy(), t: { type: "STRING", value: "${n}!" } } }, { after: "n == 1000" }),
      step("side", {}, { other: "true" }),
      step("other"),
      step("after"),
    ],
  };

  test("hold up neither other steps nor other runs, and the step goes on with their results", async () => {
    const elsewhere = new Elsewhere();
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    expect(world.statuses()).toEqual({ slow: "EVALUATING_PARAMS", side: "SUCCEEDED", other: "SUCCEEDED" });
    await world.start();
    await world.settle();
    expect(world.statuses(2)).toEqual({ slow: "EVALUATING_PARAMS", side: "SUCCEEDED", other: "SUCCEEDED" });
    const begun = world.clock.now();
    await world.pass(60_000);
    elsewhere.work();
    await world.settle();
    for (const key of [1, 2]) {
      expect(world.status(key)).toBe("SUCCEEDED");
      expect(world.statuses(key).after).toBe("SUCCEEDED");
    }
    const { params, times } = attemptOf(world, "slow") ?? {};
    expect([params?.n?.evaluated_result, params?.t?.evaluated_result]).toEqual([1_000, "1000!"]);
    expect([times?.evaluate_param_time, times?.wait_permit_time]).toEqual([begun, begun + 60_000]);
    expect(elsewhere.kinds).toEqual(["step", "step"]);
  });

  test("that exceed the full limits, too, fail the step internally, with the reason in its timeline", async () => {
    const elsewhere = new Elsewhere({ limits: { loop: 100 } });
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    elsewhere.work();
    await world.settle();
    expect(world.statuses()).toEqual({ slow: "INTERNALLY_FAILED", side: "SUCCEEDED", other: "SUCCEEDED" });
    expect(attemptOf(world, "slow")?.timeline).toMatchObject([
      { type: "DETAILS", status: "INTERNAL_ERROR", message: expect.stringContaining("[n]") },
    ]);
    expect(world.status()).toBe("FAILED");
  });

  test.each(["STOP", "KILL"] as const)(
    "a %s ends the step at once; the answer that comes later changes nothing",
    async (action) => {
      const elsewhere = new Elsewhere();
      const world = await boot(workflow, elsewhere);
      await world.start();
      await world.settle();
      await world.act(1, action);
      await world.settle();
      const ended = action === "STOP" ? "STOPPED" : "FAILED";
      const statuses = world.statuses();
      expect([world.status(), statuses.slow]).toEqual([ended, world.statuses().slow]);
      expect(statuses.slow).not.toBe("EVALUATING_PARAMS");
      elsewhere.work();
      await world.settle();
      await world.pass(1_000);
      expect([world.status(), world.statuses()]).toEqual([ended, statuses]);
    },
  );

  test("are evaluated again by the successor of an owner that died meanwhile", async () => {
    const elsewhere = new Elsewhere();
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    world.crash();
    elsewhere.waiting.length = 0;
    await world.boot();
    await world.settle();
    expect(elsewhere.kinds).toEqual(["step", "step"]);
    elsewhere.work();
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
  });
});

describe("conditions beyond the budget", () => {
  const many = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const long = (index: number): string => `n = 0; while (n < ${1_000 + index}) { n += 1; } return n > 1005;`;
  const workflow = {
    steps: [
      step("a", {}, Object.fromEntries(many.map((id, index) => [id, long(index)]))),
      ...many.map((id) => step(id)),
      step("side"),
    ],
  };

  async function finish(world: World, elsewhere: Elsewhere): Promise<void> {
    for (let round = 0; round < 20 && elsewhere.waiting.length > 0; round++) {
      elsewhere.work();
      await world.settle();
    }
  }

  test("are each evaluated once, and decide", async () => {
    const elsewhere = new Elsewhere();
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    expect(world.statuses()).toEqual({ side: "SUCCEEDED" });
    await finish(world, elsewhere);
    expect(elsewhere.kinds).toEqual(many.map(() => "condition"));
    expect(world.status()).toBe("SUCCEEDED");
    const ran = many.filter((id) => world.statuses()[id] === "SUCCEEDED");
    expect(ran).toEqual(many.slice(6));
  });

  test("that exceed the full limits, too, fail their step internally", async () => {
    const elsewhere = new Elsewhere({ limits: { loop: 100 } });
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    await finish(world, elsewhere);
    expect(elsewhere.kinds).toHaveLength(1);
    expect(world.statuses()).toEqual({ a: "INTERNALLY_FAILED", side: "SUCCEEDED" });
    expect(attemptOf(world, "a")?.timeline.at(-1)).toMatchObject({ type: "DETAILS", status: "INTERNAL_ERROR" });
    expect(world.status()).toBe("FAILED");
  });

  test("do not keep a run from being stopped", async () => {
    const elsewhere = new Elsewhere();
    const world = await boot(workflow, elsewhere);
    await world.start();
    await world.settle();
    await world.act(1, "STOP");
    await world.settle();
    expect(world.status()).toBe("STOPPED");
    const statuses = world.statuses();
    await finish(world, elsewhere);
    expect(world.statuses()).toEqual(statuses);
  });
});
