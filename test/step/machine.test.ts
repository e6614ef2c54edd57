import { describe, expect, test } from "bun:test";
import type { Step, StepFields, TypedStep } from "../../src/definition/step.ts";
import { decide, newStep, storedStep } from "../../src/step/machine.ts";
import type { Reported, StepAttempt } from "../../src/step/model.ts";
import { stepNode } from "../../src/step/node.ts";
import type { StepResult } from "../../src/step/result.ts";
import type {
  Answer,
  GateName,
  Guarded,
  Question,
  StepEffect,
  StepEvent,
  StepFacts,
  StepState,
} from "../../src/step/state.ts";
import { STEP_STATUSES, type StepStatus } from "../../src/step/status.ts";
import type { Termination } from "../../src/step/termination.ts";

const DAY = 86_400_000;
const START = 1_000_000;

interface Given {
  readonly body?: Partial<TypedStep>;
  readonly to?: Record<string, string>;
  readonly inPlace?: boolean;
}

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

/** One step, driven by hand. */
class Driven {
  state: StepState;
  now = START;
  guarded: Guarded = {};
  /** Of the last decision. */
  effects: readonly StepEffect[] = [];
  readonly #given: Given;

  constructor(given: Given = {}, stored?: Partial<StepAttempt>) {
    this.#given = given;
    const fresh = newStep({ stepId: "s", uuid: "u1", stepInstanceId: 1, now: START });
    this.state = stored ? storedStep({ ...fresh.attempt, ...stored }) : fresh;
  }

  get status(): StepStatus {
    return this.state.attempt.status;
  }

  get saved(): boolean {
    return this.effects.some(({ type }) => type === "save");
  }

  get ended(): boolean {
    return this.effects.some(({ type }) => type === "ended");
  }

  get asked(): Question | undefined {
    return this.state.asked?.what;
  }

  get messages(): readonly string[] {
    return this.state.attempt.timeline.flatMap((event) =>
      event.type === "LOG" ? [`${event.level} ${event.message}`] : [],
    );
  }

  take(event: StepEvent): this {
    const decision = decide(this.state, event, this.#facts);
    this.state = decision.state;
    this.effects = decision.effects;
    return this;
  }

  /** To the open question, or to one asked earlier. */
  reply(answer: Unnumbered<Answer>, id = this.state.asked?.id ?? -1): this {
    return this.take({ id, ...answer } as Answer);
  }

  answer(state: StepResult["state"], rest: Partial<StepResult> = {}): this {
    return this.reply({ type: "answered", result: { state, ...rest } });
  }

  /** From the beginning to the call that starts the job. */
  launch(): this {
    this.take({ type: "begin", satisfied: true });
    if (this.asked === "settings") this.reply(SETTINGS);
    return this.reply({ type: "params", params: {} }).take({ type: "go" });
  }

  run(): this {
    return this.launch().answer("CONTINUE");
  }

  due(timer: "poll" | "again" | "timeout" | "grace" | "retry"): this {
    const time = this.state.timers[timer];
    if (time === undefined) throw new Error(`no timer ${timer}`);
    this.now = time;
    return this.take({ type: "due", timer, time, uuid: `after ${this.state.attempt.uuid}` });
  }

  end(status: Termination["status"], byMode = false): this {
    return this.take({ type: "terminate", termination: { status, reason: `to be ${status}`, byMode }, uuid: "u2" });
  }

  get #facts(): StepFacts {
    const { body = {}, to = {}, inPlace = false } = this.#given;
    const fields: StepFields & TypedStep = { id: "s", type: "Job", transition: {}, ...body };
    return {
      now: this.now,
      node: stepNode({ step: fields }, [], to),
      inPlace,
      place: { host: "here", directory: "/jobs" },
      guarded: this.guarded,
    };
  }
}

const SETTINGS = {
  type: "settings",
  settings: { timeoutMs: 5_000, plan: undefined, planProblem: undefined },
} as const;
const retried = (limit: number) => ({
  ...SETTINGS,
  settings: {
    ...SETTINGS.settings,
    plan: {
      error_retry_limit: limit,
      platform_retry_limit: limit,
      timeout_retry_limit: limit,
      backoff: {
        type: "FIXED_BACKOFF" as const,
        error_retry_backoff_in_secs: 7,
        platform_retry_backoff_in_secs: 7,
        timeout_retry_backoff_in_secs: 7,
      },
    },
  },
});
const POLICY = { retry_policy: { error_retry_limit: 1 } };
const effectsOf = (step: Driven) => step.effects.map((effect) => (effect.type === "ask" ? effect.what : effect.type));

describe("a step on its way in", () => {
  test("asks for its params, is ready, and goes when it is told to", () => {
    const step = new Driven().take({ type: "begin", satisfied: true });
    expect([step.status, effectsOf(step)]).toEqual(["EVALUATING_PARAMS", ["params"]]);
    step.reply({ type: "params", params: {} });
    expect([step.status, effectsOf(step)]).toEqual(["STARTING", ["ready"]]);
    step.take({ type: "go" });
    expect([step.status, effectsOf(step)]).toEqual(["STARTING", ["save", "start"]]);
    expect(step.state.attempt.place).toEqual({ host: "here", directory: "/jobs" });
  });

  test("reads its limits first, where the definition has some", () => {
    const step = new Driven({ body: { timeout: 5 } }).take({ type: "begin", satisfied: true });
    expect([step.status, step.asked]).toEqual(["CREATED", "settings"]);
    step.reply(SETTINGS);
    expect([step.status, step.asked, step.state.attempt.timeoutMs]).toEqual(["EVALUATING_PARAMS", "params", 5_000]);
  });

  test("with a retry policy that can't be used has the default one, and a warning", () => {
    const step = new Driven({ body: POLICY }).take({ type: "begin", satisfied: true });
    step.reply({ type: "settings", settings: { timeoutMs: undefined, plan: undefined, planProblem: "no number" } });
    expect(step.state.attempt.retry.plan?.error_retry_limit).toBe(2);
    expect(step.messages).toEqual(["WARN The retry policy cannot be used, so the default one applies: no number"]);
  });

  test("none of whose conditions holds is UNSATISFIED, and so is what follows", () => {
    const step = new Driven({ to: { next: "true" } }).take({ type: "begin", satisfied: false });
    expect([step.status, effectsOf(step)]).toEqual(["UNSATISFIED", ["save", "ended"]]);
    expect(step.state.attempt.conditions).toEqual({ next: false });
  });

  test.each(["settings", "params"] as const)(
    "whose %s can't be evaluated has failed, and is not tried again",
    (what) => {
      const step = new Driven({ body: { timeout: 5 } }).take({ type: "begin", satisfied: true });
      if (what === "params") step.reply(SETTINGS);
      step.reply({
        type: "failed",
        error: { code: "BAD_REQUEST", message: "no such param", details: [], retryable: false },
      });
      expect([step.status, effectsOf(step)]).toEqual(["INTERNALLY_FAILED", ["report", "save", "ended"]]);
      expect(step.state.attempt.timeline.at(-1)).toMatchObject({ status: "INTERNAL_ERROR", message: "no such param" });
    },
  );

  test.each([
    [undefined, "FATALLY_FAILED"],
    ["IGNORE_FAILURE", "COMPLETED_WITH_ERROR"],
  ] as const)("whose outputs can't be taken has failed, and is not tried again: failure mode %s", (mode, status) => {
    const step = new Driven({ body: { failure_mode: mode } }).launch();
    step.answer("DONE", { outputs: { x: { type: "LONG", value: 1 } }, outputSource: "in the file" });
    expect(step.effects.at(-1)).toMatchObject({ type: "ask", what: "outputs", source: "in the file" });
    step.reply({ type: "refused", message: "no such param" });
    expect([step.status, effectsOf(step)]).toEqual([status, ["report", "save", "ended"]]);
    expect(step.state.attempt.timeline).toContainEqual(
      expect.objectContaining({ level: "ERROR", message: "no such param" }),
    );
  });

  test("asks for its params once, though it is told that something has come", () => {
    const step = new Driven().take({ type: "begin", satisfied: true });
    const { asked } = step.state;
    expect([step.take({ type: "told" }).effects, step.state.asked]).toEqual([[], asked]);
  });

  test("is stored while its params take a while", () => {
    const step = new Driven().take({ type: "begin", satisfied: true }).reply({ type: "deferred" });
    expect([step.saved, step.asked]).toEqual([true, "params"]);
  });
});

describe("a gate that is guarded", () => {
  const HELD = { type: "held", reason: "somebody will tell" } as const;

  /** On its way in, at the gate's first question. */
  function at(gate: GateName): Driven {
    const step = new Driven();
    step.guarded = { [gate]: true };
    step.take({ type: "begin", satisfied: true });
    if (step.asked === "params") step.reply({ type: "params", params: {} });
    expect(step.asked).toBe(gate);
    return step;
  }

  const isEntered = ({ effects }: Driven) => effects.find((effect) => effect.type === "ask")?.isEntered;

  test.each([
    ["signals", "WAITING_FOR_SIGNALS"],
    ["permits", "WAITING_FOR_PERMITS"],
  ] as const)("(%s) is asked in %s, which is stored with what the guard has to write", (gate, status) => {
    const step = at(gate);
    expect([step.status, effectsOf(step), isEntered(step)]).toEqual([status, ["save", gate], true]);
    step.reply(HELD);
    expect([step.status, effectsOf(step), step.asked]).toEqual([status, ["save"], undefined]);
    expect(step.messages).toEqual(["INFO somebody will tell"]);
  });

  test("(breakpoint) is asked before the step is PAUSED, and once more when that is stored", () => {
    const step = at("breakpoint");
    expect([step.status, effectsOf(step), isEntered(step)]).toEqual(["INITIALIZED", ["breakpoint"], false]);
    step.reply(HELD);
    expect([step.status, effectsOf(step), isEntered(step)]).toEqual(["PAUSED", ["save", "breakpoint"], true]);
    step.reply(HELD);
    expect([step.status, effectsOf(step), step.asked]).toEqual(["PAUSED", [], undefined]);
    expect(step.messages).toEqual(["INFO somebody will tell"]);
  });

  test.each(["breakpoint", "signals", "permits"] as const)("(%s) that lets the step pass is passed", (gate) => {
    const step = at(gate).reply({ type: "opened" });
    if (step.asked === "params") step.reply({ type: "params", params: {} });
    expect([step.status, effectsOf(step), step.messages]).toEqual(["STARTING", ["ready"], []]);
    expect(step.state.attempt.times.pause_time).toBeUndefined();
  });

  test.each(["breakpoint", "signals", "permits"] as const)("(%s) is asked anew when the step is told", (gate) => {
    const step = at(gate).reply(HELD);
    if (step.asked) step.reply(HELD);
    const { status } = step;
    step.take({ type: "told" });
    expect([effectsOf(step), isEntered(step)]).toEqual([[gate], false]);
    step.reply(HELD);
    expect([step.status, effectsOf(step), step.messages]).toEqual([status, [], ["INFO somebody will tell"]]);
    step.take({ type: "told" }).reply({ type: "opened" });
    if (step.asked === "params") step.reply({ type: "params", params: {} });
    expect([step.status, effectsOf(step)]).toEqual(["STARTING", ["ready"]]);
  });

  test("who lets a paused step go on is in its timeline", () => {
    const step = at("breakpoint").reply(HELD).reply(HELD).take({ type: "told" });
    step.reply({ type: "opened", event: { timestamp: 7, type: "LOG", level: "INFO", message: "ann lets it go" } });
    expect(step.messages.at(-1)).toBe("INFO ann lets it go");
  });

  test("a paused step asks though its breakpoint is forgotten", () => {
    const step = at("breakpoint").reply(HELD).reply(HELD);
    step.guarded = {};
    step.take({ type: "told" });
    expect([step.status, step.asked]).toEqual(["PAUSED", "breakpoint"]);
  });

  test("is asked once more when the step is told while it is being asked", () => {
    const step = at("permits").take({ type: "told" });
    expect(step.effects).toEqual([]);
    step.reply(HELD);
    expect(effectsOf(step)).toEqual(["save", "permits"]);
    step.reply(HELD);
    expect([effectsOf(step), step.asked]).toEqual([[], undefined]);
  });

  test("says when the reason has changed", () => {
    const step = at("permits").reply(HELD).take({ type: "told" }).reply({ type: "held", reason: "another reason" });
    expect([effectsOf(step), step.messages]).toEqual([["save"], ["INFO somebody will tell", "INFO another reason"]]);
  });

  test("that can't be asked is asked again after a while, or when the step is told, and once only", () => {
    const step = at("signals").reply({ type: "broken", message: "no connection" });
    expect([step.status, step.asked]).toEqual(["WAITING_FOR_SIGNALS", undefined]);
    expect(step.messages).toEqual(["WARN The gate [signals] could not be asked and is asked again: no connection"]);
    expect(step.due("again").asked).toBe("signals");
    step.reply({ type: "broken", message: "no connection" }).take({ type: "told" });
    expect([step.asked, step.state.timers]).toEqual(["signals", {}]);
  });

  test("does not keep the step from being stopped, and its answer comes too late then", () => {
    const step = at("signals");
    const id = step.state.asked?.id;
    step.end("STOPPED");
    expect([step.status, effectsOf(step)]).toEqual(["STOPPED", ["save", "ended"]]);
    expect(step.reply({ type: "opened" }, id).status).toBe("STOPPED");
    expect(at("permits").reply(HELD).end("SKIPPED").status).toBe("SKIPPED");
  });

  test.each([
    ["breakpoint", "PAUSED"],
    ["signals", "WAITING_FOR_SIGNALS"],
    ["permits", "WAITING_FOR_PERMITS"],
  ] as const)("(%s) is asked anew after a change of owner, and has its rows already", (gate, status) => {
    const step = new Driven({}, { status, ...(gate === "permits" && { paramsTime: START }) });
    step.guarded = { [gate]: true };
    step.take({ type: "resume", satisfied: true });
    expect([step.status, effectsOf(step), isEntered(step)]).toEqual([status, [gate], false]);
  });

  test("that lets the step pass at once asks nothing, and leaves no trace of a pause", () => {
    const step = new Driven().take({ type: "begin", satisfied: true });
    expect(effectsOf(step)).toEqual(["params"]);
    step.reply({ type: "params", params: {} });
    expect(effectsOf(step)).toEqual(["ready"]);
    expect(Object.keys(step.state.attempt.times)).not.toContain("pause_time");
    expect(Object.keys(step.state.attempt.times)).toContain("wait_signal_time");
  });
});

describe("a job", () => {
  test("that goes on is asked again when it wakes the step, or when its time has come", () => {
    const step = new Driven().run();
    expect([step.status, step.saved, step.asked]).toEqual(["RUNNING", true, undefined]);
    expect(step.take({ type: "woken" }).asked).toBe("execute");
    step.answer("CONTINUE", { nextPollDelay: 300 });
    expect(step.state.timers.poll).toBe(START + 300);
    expect(step.due("poll").asked).toBe("execute");
  });

  test("is asked when the newest answer says, not when an older one did", () => {
    const step = new Driven().launch().answer("CONTINUE", { nextPollDelay: 300 }).take({ type: "woken" });
    step.now += 100;
    step.answer("CONTINUE", { nextPollDelay: 300 });
    step.take({ type: "due", timer: "poll", time: START + 300, uuid: "u9" });
    expect([step.asked, step.effects]).toEqual([undefined, []]);
    expect(step.due("poll").asked).toBe("execute");
  });

  test("that wakes the step while it is being asked is asked once more", () => {
    const step = new Driven().launch().take({ type: "woken" });
    expect(step.asked).toBe("start");
    expect(step.answer("CONTINUE").asked).toBe("execute");
    expect(step.answer("CONTINUE").asked).toBeUndefined();
  });

  test("that is done leaves its outputs and decides the edges before anything is stored", () => {
    const step = new Driven({ to: { a: "x > 1", b: "true" } }).launch();
    step.answer("DONE", { outputs: {} });
    expect([step.status, step.asked, step.saved]).toEqual(["RUNNING", "outputs", false]);
    step.reply({ type: "params", params: {} });
    expect([step.status, step.asked, step.saved]).toEqual(["SUCCEEDED", "conditions", false]);
    step.reply({ type: "deferred" });
    expect(step.saved).toBe(false);
    step.reply({ type: "conditions", conditions: { a: false, b: true } });
    expect(effectsOf(step)).toEqual(["save", "ended"]);
    expect(step.state.attempt.conditions).toEqual({ a: false, b: true });
  });

  test("needs no evaluation for edges without a condition", () => {
    const step = new Driven({ to: { a: "true" } }).launch().answer("DONE");
    expect([step.ended, step.state.attempt.conditions]).toEqual([true, { a: true }]);
  });

  test("whose condition can't be evaluated has failed after all", () => {
    const step = new Driven({ to: { a: "1" } }).launch().answer("DONE");
    step.reply({
      type: "failed",
      error: { code: "BAD_REQUEST", message: "no boolean", details: [], retryable: false },
    });
    expect([step.status, step.ended]).toEqual(["INTERNALLY_FAILED", true]);
  });

  test.each([
    ["STOPPED", "STOPPED"],
    ["TIMED_OUT", "TIMED_OUT"],
    ["FATAL_ERROR", "FATALLY_FAILED"],
  ] as const)("that answers %s ends as %s", (state, status) => {
    const step = new Driven().run().take({ type: "woken" }).answer(state);
    expect([step.status, step.ended]).toEqual([status, true]);
  });

  test("whose call could not be carried out is asked again, and its step has not failed", () => {
    const step = new Driven().run().take({ type: "woken" }).reply({ type: "broken", message: "thread gone" });
    expect([step.status, step.asked]).toEqual(["RUNNING", undefined]);
    expect(step.due("again").asked).toBe("execute");
    expect(step.messages).toEqual(["WARN execute could not be carried out and is tried again: thread gone"]);
  });

  test("whose start could not be carried out is started again, where it was to begin", () => {
    const step = new Driven().launch().reply({ type: "broken", message: "thread gone" });
    expect(step.due("again").asked).toBe("start");
    expect(step.state.attempt.uuid).toBe("u1");
  });

  test("of a type that no runtime has fails for good", () => {
    const step = new Driven().launch().reply({ type: "unavailable", reason: "no such type" });
    expect([step.status, step.ended, step.messages]).toEqual(["FATALLY_FAILED", true, ["ERROR no such type"]]);
  });

  test("in place has no row before its answer", () => {
    const step = new Driven({ inPlace: true }).launch();
    expect([effectsOf(step), step.state.attempt.place]).toEqual([["start"], undefined]);
    expect(effectsOf(step.answer("DONE"))).toEqual(["save", "ended"]);
  });
});

describe("a failure", () => {
  const failed = (limit: number): Driven => {
    const step = new Driven({ body: POLICY }).take({ type: "begin", satisfied: true }).reply(retried(limit));
    return step.reply({ type: "params", params: {} }).take({ type: "go" }).answer("USER_ERROR");
  };

  test("that is tried again waits from its end, then makes an attempt that reads no policy", () => {
    const step = failed(1);
    expect([step.status, effectsOf(step)]).toEqual(["USER_FAILED", ["report", "save", "over"]]);
    expect(step.state.timers).toEqual({ retry: START + 7_000 });
    step.due("retry");
    expect(step.state.attempt).toMatchObject({
      attemptId: 2,
      uuid: "after u1",
      retry: { error: 1 },
      stepInstanceId: 1,
    });
    expect([step.status, step.asked]).toEqual(["EVALUATING_PARAMS", "params"]);
  });

  test("beyond the limit is final", () => {
    const step = failed(1).due("retry").reply({ type: "params", params: {} }).take({ type: "go" });
    expect(step.answer("USER_ERROR").status).toBe("FATALLY_FAILED");
    expect([step.ended, step.state.attempt.retry.retryable]).toEqual([true, false]);
  });

  test("under IGNORE_FAILURE lets the run go on", () => {
    const step = new Driven({ body: { failure_mode: "IGNORE_FAILURE" }, to: { next: "true" } }).launch();
    step.answer("FATAL_ERROR");
    expect([step.status, step.state.attempt.conditions]).toEqual(["COMPLETED_WITH_ERROR", { next: true }]);
  });

  test("that waits for its retry, and is stopped, makes an attempt that ends at once", () => {
    const step = failed(1).end("STOPPED");
    expect([step.status, step.state.attempt.attemptId, step.state.attempt.uuid]).toEqual(["STOPPED", 2, "u2"]);
    expect([step.ended, step.state.timers]).toEqual([true, {}]);
  });
});

describe("a time limit", () => {
  test("is counted from the attempt's start", () => {
    expect(new Driven().run().state.timers.timeout).toBe(START + 10 * DAY);
    const adopted = new Driven({}, { status: "RUNNING", times: { start_time: START - 4_000 }, timeoutMs: 5_000 });
    expect(adopted.take({ type: "resume", satisfied: true }).state.timers.timeout).toBe(START + 1_000);
  });

  test("ends the job, then the step", () => {
    const step = new Driven({ body: { timeout: 5 } }).run().due("timeout");
    expect([step.status, step.asked]).toEqual(["RUNNING", "terminate"]);
    expect(step.answer("STOPPED").status).toBe("TIMED_OUT");
    expect(step.messages[0]).toBe("ERROR The step ran longer than its timeout of 5s");
  });

  test("that has been overtaken by an answer does nothing", () => {
    const step = new Driven().run();
    const time = step.state.timers.timeout ?? 0;
    step.take({ type: "woken" }).answer("DONE").take({ type: "due", timer: "timeout", time, uuid: "u9" });
    expect([step.status, step.effects]).toEqual(["SUCCEEDED", []]);
  });

  test("is not kept for an attempt that has ended", () => {
    const step = new Driven().run();
    expect(step.state.timers.timeout).toBeDefined();
    step.take({ type: "woken" }).answer("DONE");
    expect([step.ended, step.state.timers]).toEqual([true, {}]);
  });
});

describe("a termination", () => {
  test("asks the runtime to end the job; answers to older questions come too late", () => {
    const step = new Driven().launch();
    const start = step.state.asked?.id;
    step.end("STOPPED");
    expect([step.status, step.asked]).toEqual(["STARTING", "terminate"]);
    step.reply({ type: "answered", result: { state: "DONE" } }, start);
    expect([step.status, step.asked, step.effects]).toEqual(["STARTING", "terminate", []]);
    expect(step.answer("STOPPED").status).toBe("STOPPED");
  });

  test("before the job was started asks no runtime", () => {
    const step = new Driven()
      .take({ type: "begin", satisfied: true })
      .reply({ type: "params", params: {} })
      .end("STOPPED");
    expect([step.status, step.ended]).toEqual(["STOPPED", true]);
    expect(step.take({ type: "go" }).effects).toEqual([]);
  });

  test("in place is over at once", () => {
    expect(new Driven({ inPlace: true }).run().end("STOPPED").status).toBe("STOPPED");
  });

  test("gives way to one that says more, and not to one that says less", () => {
    const step = new Driven().run().end("STOPPED").end("FATALLY_FAILED").end("STOPPED");
    expect(step.answer("STOPPED").status).toBe("FATALLY_FAILED");
    expect(step.messages).toEqual(["INFO to be STOPPED", "ERROR to be FATALLY_FAILED"]);
  });

  test.each([
    ["STOPPED", DAY + 60_000],
    ["FATALLY_FAILED", 60_000],
  ] as const)("(%s) that the runtime never answers takes %d ms at most", (status, grace) => {
    const step = new Driven().run().end(status);
    expect(step.state.timers.grace).toBe(START + grace);
    step.due("grace");
    expect([step.status, step.ended]).toEqual([status, true]);
    expect(step.messages.at(-1)).toContain("the job may still run");
  });

  test("that the runtime could not carry out is asked for again, for a minute", () => {
    const step = new Driven().run().end("STOPPED").answer("CONTINUE");
    expect(step.state.timers).toEqual({ again: START + 5_000, grace: START + 60_000 });
    step.due("again");
    expect(step.asked).toBe("terminate");
    step.answer("CONTINUE");
    expect(step.state.timers.grace).toBe(START + 60_000);
    expect(step.due("grace").status).toBe("STOPPED");
  });

  test("by a KILL after a STOP shortens the wait to a minute", () => {
    const step = new Driven().run().end("STOPPED").end("FATALLY_FAILED");
    expect(step.state.timers.grace).toBe(START + 60_000);
    step.due("grace");
    expect(step.messages.at(-1)).toContain("within 1m");
  });

  test("for which there is no runtime any more is over", () => {
    expect(new Driven().run().end("STOPPED").reply({ type: "unavailable", reason: "gone" }).status).toBe("STOPPED");
  });

  test("under the step's failure mode lets the run go on", () => {
    const step = new Driven({ body: { failure_mode: "IGNORE_FAILURE" } }).run().end("FATALLY_FAILED", true);
    expect(step.answer("STOPPED").status).toBe("COMPLETED_WITH_ERROR");
    const whole = new Driven({ body: { failure_mode: "IGNORE_FAILURE" } }).run().end("FATALLY_FAILED");
    expect(whole.answer("STOPPED").status).toBe("FATALLY_FAILED");
  });
});

describe("a change of owner", () => {
  test.each([
    ["CREATED", "params"],
    ["EVALUATING_PARAMS", "params"],
    ["STARTING", "start"],
    ["RUNNING", "execute"],
  ] as const)("in %s goes on with %s", (status, what) => {
    const step = new Driven({}, { status, times: { start_time: START } }).take({ type: "resume", satisfied: true });
    expect(step.asked).toBe(what);
    expect(step.state.attempt.uuid).toBe("u1");
  });

  test("during a backoff extends it by nothing, and says nothing twice", () => {
    const failed = new Driven().launch().answer("USER_ERROR");
    const step = new Driven({}, failed.state.attempt);
    step.now += 50_000;
    step.take({ type: "resume", satisfied: true });
    expect(step.state.timers).toEqual({ retry: START + 60_000 });
    expect(effectsOf(step)).toEqual(["save", "over"]);
    expect(step.messages).toHaveLength(1);
  });

  test("ends the job of a run that has to fail, though nobody resumed it", () => {
    const step = new Driven({}, { status: "RUNNING" }).end("STOPPED");
    expect(step.asked).toBe("terminate");
  });

  test.each(
    STEP_STATUSES.filter((status) => ["SUCCEEDED", "STOPPED", "FATALLY_FAILED", "UNSATISFIED"].includes(status)),
  )("of a step that is %s changes nothing more", (status) => {
    const step = new Driven({}, { status });
    for (const event of [{ type: "resume", satisfied: true }, { type: "go" }, { type: "woken" }] as const) {
      expect(step.take(event).effects).toEqual([]);
    }
    expect(step.end("FATALLY_FAILED").status).toBe(status);
  });
});

test("a decision leaves the state that it was made from as it was", () => {
  const freeze = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  };
  const step = new Driven({ to: { a: "true" } });
  freeze(step.state);
  for (const event of [{ type: "begin", satisfied: true }, { type: "woken" }] as const) {
    step.take(event);
    freeze(step.state);
  }
  step.reply({ type: "params", params: {} });
  freeze(step.state);
  step.take({ type: "go" });
  freeze(step.state);
  step.end("STOPPED");
  freeze(step.state);
  expect(step.answer("STOPPED").status).toBe("STOPPED");
});

describe("a step that its user tries again", () => {
  const RESTART = {
    restart_path: [{ workflow_id: "w", instance_id: 1, step_id: "s" }],
    restart_policy: "RESTART_FROM_SPECIFIC",
    downstream_policy: "RESTART_FROM_INCOMPLETE",
  } as const;
  const OUTPUT = { rows: { type: "LONG", value: 3 } } as const;
  const again = (termination?: Termination): StepEvent => ({
    type: "again",
    again: { after: 1, restart: RESTART, note: "ann tries again", termination },
    uuid: "u9",
  });
  const failed = (more: Partial<StepAttempt> = {}, given: Given = {}) =>
    new Driven(given, {
      status: "FATALLY_FAILED",
      retry: { error: 2, platform: 1, timeout: 0, manual: 0, retryable: false, plan: undefined },
      ...more,
    });

  test("has another attempt, with all its retries, which is stored at once", () => {
    const step = failed().take(again());
    expect(step.state.attempt).toMatchObject({ attemptId: 2, uuid: "u9", stepInstanceId: 1, restart: RESTART });
    expect(step.state.attempt.retry).toMatchObject({ error: 0, platform: 0, manual: 1, retryable: true });
    expect([step.saved, step.asked, step.messages]).toEqual([true, "params", ["INFO ann tries again"]]);
  });

  test("keeps what it was restarted with when it is retried", () => {
    const step = failed().take(again());
    step.reply({ type: "params", params: {} }).take({ type: "go" }).answer("USER_ERROR");
    expect([step.status, step.due("retry").state.attempt.attemptId]).toEqual(["USER_FAILED", 3]);
    expect(step.state.attempt).toMatchObject({ restart: RESTART, retry: { error: 1, manual: 1 } });
  });

  test.each(
    STEP_STATUSES.filter((it) => !["FATALLY_FAILED", "INTERNALLY_FAILED", "STOPPED", "TIMED_OUT"].includes(it)),
  )("is not one that is %s", (status) => {
    const step = failed({ status });
    expect([step.take(again()).effects, step.state.attempt.attemptId]).toEqual([[], 1]);
  });

  test("is skipped at once when that is what it is tried again for", () => {
    const step = failed({}, { to: { a: "true" } }).take(again({ status: "SKIPPED", reason: "", byMode: false }));
    expect([step.status, step.ended, step.state.attempt.conditions]).toEqual(["SKIPPED", true, { a: true }]);
  });

  test("shows what the failed attempt knew, and what it is declared to put out", () => {
    const known = { rows: { type: "LONG", value: 1, evaluated_result: 1, evaluated_time: 5 } } as const;
    const step = failed({ params: known, paramsTime: 5 });
    step.take(again({ status: "SUCCEEDED", reason: "", byMode: false, outputs: OUTPUT }));
    expect([step.asked, step.state.attempt.params, step.ended]).toEqual(["outputs", known, false]);
    const params = { rows: { ...known.rows, value: 3, evaluated_result: 3 } };
    step.reply({ type: "params", params });
    expect([step.status, step.state.attempt.params, step.ended]).toEqual(["SUCCEEDED", params, true]);
  });
});

describe("a step that is declared done", () => {
  const done = (outputs?: Termination["outputs"]): StepEvent => ({
    type: "terminate",
    termination: { status: "SUCCEEDED", reason: "ann says so", byMode: false, outputs },
    uuid: "u2",
  });

  test("ends its job first, then puts out what is declared", () => {
    const step = new Driven({ to: { a: "true" } }).run().take(done({ rows: { type: "LONG", value: 3 } }));
    expect([step.asked, step.status, step.messages]).toEqual(["terminate", "RUNNING", ["INFO ann says so"]]);
    step.answer("STOPPED");
    expect([step.asked, step.status]).toEqual(["outputs", "RUNNING"]);
    step.reply({ type: "params", params: {} });
    expect([step.status, step.ended, step.state.attempt.conditions]).toEqual(["SUCCEEDED", true, { a: true }]);
  });

  test("needs no outputs, and no job", () => {
    const step = new Driven({}).take({ type: "begin", satisfied: true }).take(done());
    expect([step.status, step.ended]).toEqual(["SUCCEEDED", true]);
  });

  test("while it waits for its retry shows what the failed attempt knew", () => {
    const known = { rows: { type: "LONG", value: 1, evaluated_result: 1, evaluated_time: 5 } } as const;
    const step = new Driven({}, { status: "USER_FAILED", params: known, paramsTime: 5 }).take(done());
    expect(step.state.attempt).toMatchObject({ attemptId: 2, status: "SUCCEEDED", params: known, paramsTime: 5 });
  });

  test("gives way to a KILL, and has no timer left", () => {
    const step = new Driven().run().take(done());
    expect(step.end("FATALLY_FAILED").answer("STOPPED").status).toBe("FATALLY_FAILED");
    expect(step.state.timers).toEqual({});
  });

  test("is left alone once its job has done its part", () => {
    const step = new Driven({ to: { a: "rows > 0" } }).run().take({ type: "woken" }).answer("DONE");
    expect([step.asked, step.take(done()).effects]).toEqual(["conditions", []]);
  });
});

describe("a step that the restart of its run skips", () => {
  test("ends SKIPPED before anything of it is read, and what follows it decides", () => {
    const step = new Driven({ to: { a: "true" } }).take({ type: "begin", satisfied: true, skipped: true });
    expect([step.status, step.ended, step.asked]).toEqual(["SKIPPED", true, undefined]);
    expect(step.state.attempt.conditions).toEqual({ a: true });
  });

  test("is skipped after a change of owner, too", () => {
    expect(new Driven({}, { status: "CREATED" }).take({ type: "resume", satisfied: true, skipped: true }).status).toBe(
      "SKIPPED",
    );
  });

  test("is UNSATISFIED all the same when no condition leads to it", () => {
    expect(new Driven().take({ type: "begin", satisfied: false, skipped: true }).status).toBe("UNSATISFIED");
  });
});

test("a step whose work are other runs is asked when it is told that one may go; a job is not", () => {
  const fresh = newStep({ stepId: "s", uuid: "u1", stepInstanceId: 1, now: START }).attempt;
  const told = (step: object) => {
    const node = stepNode(step as Step, [], {});
    const facts = { now: START, node, inPlace: false, place: { host: "h", directory: "d" }, guarded: {} };
    const running = decide(
      storedStep({ ...fresh, status: "RUNNING" }),
      { type: "resume", satisfied: true },
      facts,
    ).state;
    const id = running.asked?.id ?? 0;
    const waiting = decide(running, { type: "answered", id, result: { state: "CONTINUE" } }, facts).state;
    return decide(waiting, { type: "told" }, facts).state.asked?.what;
  };
  expect(told({ subworkflow: { id: "s", params: {} } })).toBe("execute");
  expect(told({ step: { id: "s", type: "shell" } })).toBeUndefined();
});

describe("what a job reports", () => {
  const rows = { type: "LONG", value: 1, evaluated_result: 1 } as const;
  const seen = { type: "LONG", value: 2, evaluated_result: 2 } as const;
  const report = (reported: Reported, uuid = "u1"): StepEvent => ({ type: "reported", uuid, reported });
  const outputsOf = ({ effects }: Driven) => effects.flatMap((it) => (it.type === "ask" ? [it.outputs] : []));

  test("is stored at once, and counts at the end below what the runtime says", () => {
    const step = new Driven().run().take(report({ params: { rows, seen }, artifacts: { a: { x: 1 }, b: { x: 1 } } }));
    expect([step.saved, step.asked, step.status]).toEqual([true, undefined, "RUNNING"]);
    step.take({ type: "woken" }).answer("DONE", { outputs: { seen: rows }, artifacts: { b: { y: 2 } } });
    expect(outputsOf(step)).toEqual([{ rows, seen: rows }]);
    step.reply({ type: "params", params: { rows } });
    expect(step.state.attempt).toMatchObject({ status: "SUCCEEDED", artifacts: { a: { x: 1 }, b: { x: 1, y: 2 } } });
    expect([step.saved, step.state.attempt.reported]).toEqual([true, undefined]);
  });

  test("does not change what the runtime remembers", () => {
    const step = new Driven().launch().answer("CONTINUE", { artifacts: { job: { pid: 1 } } });
    step
      .take(report({ artifacts: { job: { pid: 2 } } }))
      .take({ type: "woken" })
      .answer("DONE");
    expect(step.state.attempt.artifacts).toEqual({ job: { pid: 1 } });
  });

  test("replaces what it has reported before", () => {
    const step = new Driven()
      .run()
      .take(report({ params: { rows } }))
      .take(report({ params: { seen } }));
    step.take({ type: "woken" }).answer("DONE");
    expect(outputsOf(step)).toEqual([{ seen }]);
  });

  test("counts after a change of owner", () => {
    const step = new Driven({}, { status: "RUNNING", reported: { params: { rows } } });
    step.take({ type: "resume", satisfied: true }).answer("DONE");
    expect(outputsOf(step)).toEqual([{ rows }]);
  });

  test("says that no retry helps", () => {
    const step = new Driven({ body: POLICY }).take({ type: "begin", satisfied: true }).reply(retried(3));
    step.reply({ type: "params", params: {} }).take({ type: "go" }).answer("CONTINUE");
    step.take(report({ artifacts: { maestro_retry: { type: "RETRY", retryable: false } } }));
    step.take({ type: "woken" }).answer("USER_ERROR");
    expect([step.status, step.state.attempt.reported]).toEqual(["FATALLY_FAILED", undefined]);
  });

  test("is not heard once the job has ended, is to end, or another attempt has followed", () => {
    const late = (step: Driven) => {
      step.take(report({ params: { rows } }));
      return [step.saved, step.state.attempt.reported];
    };
    const dropped = [false, undefined];
    expect(late(new Driven({ to: { t: "x" } }).run().take({ type: "woken" }).answer("DONE"))).toEqual(dropped);
    expect(late(new Driven().run().end("STOPPED"))).toEqual(dropped);
    expect(late(new Driven().take({ type: "begin", satisfied: true }))).toEqual(dropped);
    const other = new Driven().run().take(report({ params: { rows } }, "u0"));
    expect([other.saved, other.state.attempt.reported]).toEqual([false, undefined]);
  });

  test("is dropped when the step is stopped", () => {
    const step = new Driven().run().take(report({ params: { rows }, artifacts: { a: { x: 1 } } }));
    step.end("STOPPED").answer("STOPPED");
    expect(step.state.attempt).toMatchObject({ status: "STOPPED", artifacts: {}, reported: undefined });
  });
});

test("a step whose dynamic signals can't be read fails, and says where", () => {
  const signal_outputs = [{ type: "MAP", value: { name: { type: "LONG", value: 1 } } }];
  const step = new Driven().run().take({ type: "woken" });
  step.answer("DONE", { artifacts: { maestro_dynamic_output: { signal_outputs } } });
  expect(step.status).toBe("INTERNALLY_FAILED");
  expect(JSON.stringify(step.state.attempt.timeline)).toContain("maestro_dynamic_output.signal_outputs[0].name");
});
