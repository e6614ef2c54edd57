import { describe, expect, test } from "bun:test";
import { badRequest, MaestroError } from "../../src/error.ts";
import { Deferred, type StartInput } from "../../src/flow/evaluation.ts";
import { Evaluator, type EvaluatorOptions } from "../../src/flow/evaluator.ts";
import { DEFAULT_CATALOG } from "../../src/param/index.ts";
import { type EvaluationJob, evaluateJob } from "../../src/run/evaluation.ts";

const SETTING = { environment: "test", limits: {}, catalog: DEFAULT_CATALOG };

function make(elsewhere: EvaluatorOptions["elsewhere"], options: Partial<EvaluatorOptions> = {}): Evaluator {
  const fetch = () => Promise.reject(new Error("nobody is to be asked"));
  return new Evaluator({ ...SETTING, inlineVisits: 500, random: () => 1, elsewhere, fetch, ...options });
}

const input = (id: string, turns: number): StartInput => ({
  id,
  workflow: {
    id: "wf",
    steps: [],
    params: { n: { type: "LONG", expression: `n = 0; while (n < ${turns}) { n += 1; } return n;` } },
  },
  head: {
    workflowId: "wf",
    internalId: 1,
    revision: 0,
    activeVersion: 1,
    latestVersion: 1,
    properties: { workflow_id: "wf", create_time: 1, author: "ann", owner: "ann" },
  },
  initiator: { type: "MANUAL", depth: 0, user: "ann" },
  runParams: undefined,
  now: 1_700_000_000_000,
});

/** What asking comes to: the value of `n`, or the promise to wait for. */
function ask(evaluator: Evaluator, id: string, turns: number): unknown {
  try {
    return evaluator.startParams(input(id, turns)).params.n?.evaluated_result;
  } catch (error) {
    if (error instanceof Deferred) return error.settled;
    throw error;
  }
}

describe("an evaluation", () => {
  test("within the budget is made in place", () => {
    const evaluator = make(() => Promise.reject(new Error("not needed")));
    expect(ask(evaluator, "a", 3)).toBe(3);
  });

  test("has the budget that it is given", () => {
    const evaluator = make(() => Promise.reject(new Error("not needed")), { inlineVisits: 1_000_000 });
    expect(ask(evaluator, "a", 1_000)).toBe(1_000);
  });

  test("beyond it is made elsewhere, and its result is there for whoever asks again, once", async () => {
    const jobs: EvaluationJob[] = [];
    const evaluator = make(async (job) => {
      jobs.push(job);
      return evaluateJob(job, SETTING);
    });
    const settled = ask(evaluator, "a", 1_000);
    expect(settled).toBeInstanceOf(Promise);
    expect(ask(evaluator, "b", 2)).toBe(2);
    await settled;
    expect(ask(evaluator, "a", 1_000)).toBe(1_000);
    expect(jobs.map(({ kind }) => kind)).toEqual(["start"]);
    expect(ask(evaluator, "a", 1_000)).toBeInstanceOf(Promise);
  });

  test("that fails elsewhere throws the same error here", async () => {
    const evaluator = make(() => Promise.reject(badRequest("too much", ["params.n"])));
    await ask(evaluator, "a", 1_000);
    let error: unknown;
    try {
      ask(evaluator, "a", 1_000);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MaestroError);
    expect(error).toMatchObject({ code: "BAD_REQUEST", message: "too much", details: ["params.n"] });
  });

  test("whose result nobody comes for is forgotten after a thousand others", async () => {
    let made = 0;
    const evaluator = make(async () => ({ params: { n: { evaluated_result: ++made } } }));
    for (let id = 0; id <= 1_000; id++) await ask(evaluator, `r${id}`, 1_000);
    expect(ask(evaluator, "r1000", 1_000)).toBe(1_001);
    expect(ask(evaluator, "r1", 1_000)).toBe(2);
    expect(ask(evaluator, "r0", 1_000)).toBeInstanceOf(Promise);
  });
});
