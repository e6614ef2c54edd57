import { describe, expect, test } from "bun:test";
import type { Step } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { decide, newRunState, type RunEffect, type RunEvent, type RunState } from "../../src/run/machine.ts";
import type { Run, RunConfig } from "../../src/run/model.ts";
import { type Earlier, type PlannedRun, planOf } from "../../src/run/plan.ts";
import { instanceRestart, stepRestart } from "../../src/run/restart.ts";
import type { Word } from "../../src/run/word.ts";
import { newAttempt } from "../../src/step/attempt.ts";
import { FRESH_RETRY } from "../../src/step/retry.ts";
import type { StepStatus } from "../../src/step/status.ts";

const NOW = 5_000;
const RUN = {
  ...{ workflowId: "w", instanceId: 1, runId: 1, key: 1, status: "CREATED", timeoutMs: 60_000, timeline: [] },
} as Partial<Run> as Run;

const NOOP = (id: string): Step => ({ step: { id, type: "NoOp", transition: {} } });
const DEFINITION: Workflow = { id: "w", steps: ["s0", "s1", "s2"].map(NOOP) };
const FRESH: PlannedRun = {
  ...{ workflowId: "w", internalId: 1, versionId: 1, initiator: { type: "MANUAL", depth: 0 } },
  config: { policy: "START_FRESH_NEW_RUN" },
};

class Driven {
  plan = planOf(FRESH, DEFINITION);
  state: RunState;
  effects: readonly RunEffect[] = [];
  waiting = 0;
  now = NOW;

  constructor(run: Partial<Run> = {}) {
    this.state = newRunState({ ...RUN, ...run });
  }

  take(event: RunEvent): this {
    const decision = decide(this.state, event, { now: this.now, waiting: this.waiting });
    this.state = decision.state;
    this.effects = decision.effects;
    return this;
  }

  say(action: "STOP" | "KILL", reason = ""): this {
    return this.take({ type: "word", word: { kind: action, stepId: undefined, user: "ann", reason, createTime: NOW } });
  }

  ended(status: StepStatus, released: readonly string[] = [], mode?: "FAIL_IMMEDIATELY"): this {
    return this.take({ type: "ended", stepId: "s", status, mode, released });
  }

  idle(...statuses: readonly StepStatus[]): this {
    const attempts = statuses.map((status, index) => ({
      ...newAttempt({
        ...{ stepId: `s${index}`, uuid: "u", stepInstanceId: 1 },
        attemptId: 1,
        retry: FRESH_RETRY,
        now: 1,
      }),
      status,
    }));
    return this.take({ type: "idle", attempts, plan: this.plan });
  }

  get types(): readonly string[] {
    return this.effects.map(({ type }) => type);
  }
}

describe("a run", () => {
  test("that is let go begins, and has a deadline", () => {
    const run = new Driven().take({ type: "launch" });
    expect(run.state.run).toMatchObject({ status: "IN_PROGRESS", startTime: NOW, modifyTime: NOW });
    expect([run.state.deadline, run.types]).toEqual([NOW + 60_000, ["save"]]);
  });

  test("has ten days unless its definition says otherwise", () => {
    expect(new Driven({ timeoutMs: undefined }).take({ type: "launch" }).state.deadline).toBe(NOW + 10 * 86_400_000);
  });

  test("that another owner takes over has no more time than before", () => {
    const run = new Driven({ status: "IN_PROGRESS", startTime: 1_000 }).take({ type: "adopt", doom: undefined });
    expect([run.state.deadline, run.types]).toEqual([61_000, []]);
  });

  test("whose owner died before it began, begins", () => {
    const run = new Driven().take({ type: "adopt", doom: undefined });
    expect([run.state.run.status, run.state.run.startTime, run.types]).toEqual(["IN_PROGRESS", NOW, ["save"]]);
  });

  test("lets the steps begin that a step's end has released", () => {
    expect(new Driven().ended("SUCCEEDED", ["a", "b"]).effects).toEqual([{ type: "begin", steps: ["a", "b"] }]);
    expect(new Driven().ended("SUCCEEDED").effects).toEqual([]);
  });

  test.each([
    [["SUCCEEDED", "UNSATISFIED"], "SUCCEEDED"],
    [["SUCCEEDED", "STOPPED"], "STOPPED"],
    [["STOPPED", "TIMED_OUT"], "TIMED_OUT"],
    [["TIMED_OUT", "FATALLY_FAILED"], "FAILED"],
    [[], "FAILED"],
  ] as const)("with steps that ended %p ends %s", (statuses, status) => {
    const run = new Driven().take({ type: "launch" }).idle(...statuses);
    expect(run.state.run).toMatchObject({ status, endTime: NOW, overview: { total: 3 } });
    expect([run.state.over, run.state.deadline, run.types]).toEqual([true, undefined, ["save"]]);
  });

  test("that is over takes nothing any more", () => {
    const run = new Driven().take({ type: "launch" }).idle("SUCCEEDED");
    expect(run.say("KILL").effects).toEqual([]);
    expect(run.ended("SUCCEEDED", ["a"]).effects).toEqual([]);
    expect(run.state.run.status).toBe("SUCCEEDED");
  });
});

describe("a run that is being ended", () => {
  test("ends its steps, and says who asked for it", () => {
    const run = new Driven().say("KILL", "too late");
    const reason = "User [ann] takes action [KILL] on the run due to reason: [too late]";
    expect(run.effects).toEqual([
      { type: "terminate", termination: { status: "FATALLY_FAILED", reason, byMode: false } },
    ]);
  });

  test("lets nothing begin, and remembers that something could have", () => {
    const run = new Driven().say("STOP").ended("SUCCEEDED", ["next"]);
    expect(run.effects).toEqual([]);
    expect(run.idle("SUCCEEDED").state.run.status).toBe("STOPPED");
  });

  test("ends as its steps did when nothing was kept from beginning", () => {
    expect(new Driven().say("STOP").idle("SUCCEEDED").state.run.status).toBe("SUCCEEDED");
  });

  test.each([
    ["STOP", "STOPPED"],
    ["KILL", "FAILED"],
  ] as const)("by a %s before a step could begin ends %s", (action, status) => {
    const run = new Driven();
    run.waiting = 1;
    expect(run.say(action).idle().state.run.status).toBe(status);
  });

  test("is killed after a stop, and not stopped after a kill", () => {
    const run = new Driven().say("STOP");
    expect(run.say("KILL").types).toEqual(["terminate"]);
    expect(run.say("STOP").types).toEqual([]);
    run.waiting = 1;
    expect(run.idle().state.run.status).toBe("SUCCEEDED");
  });

  test("by its deadline is TIMED_OUT", () => {
    const run = new Driven();
    run.waiting = 1;
    run.take({ type: "due" });
    expect(run.effects).toMatchObject([
      { termination: { status: "TIMED_OUT", reason: "The run took longer than its timeout of 1m" } },
    ]);
    expect(run.idle().state.run.status).toBe("TIMED_OUT");
  });

  test("by a step under FAIL_IMMEDIATELY stops the others", () => {
    const run = new Driven().ended("FATALLY_FAILED", [], "FAIL_IMMEDIATELY");
    expect(run.effects).toMatchObject([{ type: "terminate", termination: { status: "STOPPED" } }]);
    expect(new Driven().ended("FATALLY_FAILED").effects).toEqual([]);
  });

  test("because its rows were refused fails, whatever its steps say", () => {
    const run = new Driven({ status: "IN_PROGRESS", startTime: 1 }).take({ type: "adopt", doom: "refused" });
    expect(run.types).toEqual(["save", "terminate"]);
    expect(run.state.run.timeline).toMatchObject([{ level: "ERROR", message: "refused" }]);
    expect(run.idle("SUCCEEDED").state.run.status).toBe("FAILED");
  });
});

describe("a restarted run", () => {
  const RESTART = { policy: "RESTART_FROM_INCOMPLETE" } as const;
  const left = (statuses: Readonly<Record<string, StepStatus>>): Earlier => ({
    aggregate: {
      status: "FAILED",
      steps: new Map(
        Object.entries(statuses).map(([id, status]) => [id, { status, runId: 1, start: undefined, end: undefined }]),
      ),
    },
    attempts: new Map(),
  });
  const restarted = (step: string | undefined, statuses: Readonly<Record<string, StepStatus>>) => {
    const config: RunConfig = step
      ? stepRestartConfig(step)
      : { ...RESTART, restart_config: instanceRestart(PLACE, "RESTART_FROM_INCOMPLETE", undefined).config };
    const run = new Driven({ runId: 2, config });
    run.plan = planOf({ ...FRESH, config }, DEFINITION, left(statuses));
    return run.take({ type: "launch" });
  };
  const PLACE = { workflowId: "w", instanceId: 1 };
  const stepRestartConfig = (step: string): RunConfig => {
    const { policy, config } = stepRestart(PLACE, step, "RESTART_FROM_INCOMPLETE", undefined);
    return { policy, restart_config: config };
  };

  test("counts the leaves of the steps that it does not run", () => {
    const run = restarted(undefined, { s0: "FATALLY_FAILED", s1: "SUCCEEDED", s2: "UNSATISFIED" }).idle("SUCCEEDED");
    expect(run.state.run.status).toBe("SUCCEEDED");
    expect(run.state.run.overview).toMatchObject({
      total: 1,
      rollup: { total_leaf_count: 3, overview: { SUCCEEDED: { cnt: 2 }, UNSATISFIED: { cnt: 1 } } },
    });
    expect(run.state.run.overview?.runStatus).toBeUndefined();
  });

  test("that succeeds beside a step that it has left out is as that one, and says how it went itself", () => {
    const run = restarted("s0", { s0: "FATALLY_FAILED", s1: "TIMED_OUT", s2: "SUCCEEDED" }).idle("SUCCEEDED");
    expect(run.state.run).toMatchObject({ status: "TIMED_OUT", overview: { total: 2, runStatus: "SUCCEEDED" } });
  });

  test("that fails has failed, whatever was before it", () => {
    const run = restarted("s0", { s0: "FATALLY_FAILED", s1: "TIMED_OUT", s2: "SUCCEEDED" }).idle("FATALLY_FAILED");
    expect([run.state.run.status, run.state.run.overview?.runStatus]).toEqual(["FAILED", undefined]);
  });

  test("that finds everything done has succeeded", () => {
    const run = restarted(undefined, { s0: "SUCCEEDED", s1: "SKIPPED", s2: "SUCCEEDED" }).idle();
    expect([run.state.run.status, run.state.run.overview?.total]).toEqual(["SUCCEEDED", 0]);
  });

  test("that has something to do and does nothing has failed", () => {
    expect(restarted(undefined, { s0: "STOPPED", s1: "SKIPPED", s2: "SUCCEEDED" }).idle().state.run.status).toBe(
      "FAILED",
    );
  });
});

describe("a word to a step", () => {
  const said = (word: Partial<Word>): RunEvent => ({
    type: "word",
    word: { kind: "RESTART", stepId: "s1", user: "ann", reason: "", createTime: NOW, ...word },
  });

  test("RESTART tries it again, if the run is not being ended", () => {
    const run = new Driven().take({ type: "launch" }).take(said({ after: 2 }));
    expect(run.effects).toEqual([
      {
        type: "again",
        stepId: "s1",
        again: { after: 2, restart: undefined, note: "User [ann] takes action [RESTART] on the step" },
      },
    ]);
    expect(run.say("STOP").take(said({ after: 2 })).effects).toEqual([]);
  });

  test.each([
    ["SKIP", "SKIPPED"],
    ["SUCCEED", "SUCCEEDED"],
  ] as const)("%s ends it, or is another try that ends so", (kind, status) => {
    const run = new Driven().take({ type: "launch" }).take(said({ kind, after: 1 }));
    expect(run.effects).toMatchObject([
      { type: "terminate step", termination: { status }, again: { after: 1, termination: { status } } },
    ]);
    expect(run.say("STOP").take(said({ kind, after: 1 })).effects).toMatchObject([{ again: undefined }]);
  });

  test("SUCCEED brings the outputs along, if there are any", () => {
    const outputs = { rows: { type: "LONG", value: 1 } } as const;
    const run = new Driven().take({ type: "launch" });
    expect(run.take(said({ kind: "SUCCEED", outputs })).effects).toMatchObject([{ termination: { outputs } }]);
    expect(run.take(said({ kind: "SUCCEED", outputs: {} })).effects).toMatchObject([
      { termination: { outputs: undefined } },
    ]);
  });

  test("STOP and KILL are no reason to try it again", () => {
    const run = new Driven().take({ type: "launch" });
    expect(run.take(said({ kind: "STOP" })).effects).toMatchObject([{ again: undefined }]);
    expect(run.take(said({ kind: "KILL" })).effects).toMatchObject([{ again: undefined }]);
  });
});
