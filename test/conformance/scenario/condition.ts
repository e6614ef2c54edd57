/** Edges with conditions, and steps that nothing lets go. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { boolean, computed, fatal, having, long, noop, text, to, when } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

/** A → (B, C) → D, where B and C let D go as the params say. */
const DIAMOND: readonly Part[] = [
  noop("a", to("b", "c")),
  noop("b", when({ d: "b_lets" })),
  noop("c", when({ d: "c_lets" })),
  noop("d", to("e")),
  noop("e"),
];

const lets = (b: boolean, c: boolean) => ({ params: { b_lets: boolean(b), c_lets: boolean(c) } });

export const CONDITION = {
  "condition: a join runs when one of its conditions is true": async () => {
    const run = await (await given(DIAMOND, lets(false, true))).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toMatchObject({ d: "SUCCEEDED", e: "SUCCEEDED" });
    const { params } = await run.step("d").read();
    expect(params.maestro_step_satisfied?.evaluated_result).toBe(true);
  },

  "condition: a join of which no condition is true is UNSATISFIED, and so is what follows": async () => {
    const run = await (await given(DIAMOND, lets(false, false))).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toMatchObject({ b: "SUCCEEDED", c: "SUCCEEDED", d: "UNSATISFIED", e: "UNSATISFIED" });
    const { params, transition, runtime_state } = await run.step("d").read();
    expect(params.maestro_step_satisfied?.evaluated_result).toBe(false);
    expect(transition.successors?.e?.evaluated_result, "the condition after it").toBe(false);
    expect(runtime_state.start_time, "an UNSATISFIED step's start").toBeUndefined();
    expect(runtime_state.end_time).toBeNumber();
  },

  "condition: an unsatisfied branch does not hold up a join that another branch lets go": async () => {
    const steps = [
      noop("choose", when({ left: "n > 0", right: "n <= 0" })),
      noop("left", to("join")),
      noop("right", to("join")),
      noop("join"),
    ];
    const run = await (await given(steps, { params: { n: long(1) } })).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({
      choose: "SUCCEEDED",
      left: "SUCCEEDED",
      right: "UNSATISFIED",
      join: "SUCCEEDED",
    });
  },

  "condition: it sees the step's own params, the workflow's, and those of steps that have ended": async () => {
    const steps = [
      noop("first", having({ size: long(2) }), to("second")),
      noop(
        "second",
        having({ factor: long(3) }),
        when({ third: "factor * first__size * n == 24", never: "factor > n" }),
      ),
      noop("third"),
      noop("never"),
    ];
    const run = await (await given(steps, { params: { n: long(4) } })).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toMatchObject({ third: "SUCCEEDED", never: "UNSATISFIED" });
  },

  "condition: a text that says true or false, in any case, is one": async () => {
    const steps = [
      noop("a", having({ yes: text("TRUE"), no: text("False") }), when({ b: "yes", c: "no" })),
      noop("b"),
      noop("c"),
    ];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toMatchObject({ b: "SUCCEEDED", c: "UNSATISFIED" });
  },

  "condition: one that cannot be evaluated fails its step internally, and nothing follows": async () => {
    const run = await (await given([noop("a", when({ b: "1 / 0 > 1" })), noop("b")])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED" });
  },

  "condition: one that is no boolean fails its step internally": async () => {
    const run = await (await given([noop("a", when({ b: "1 + 1" })), noop("b")])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED" });
  },

  "condition: after an ignored failure and after a skip they are evaluated as after success": async () => {
    const ignored = fatal("bad", having({ go: boolean(true) }), when({ b: "go", c: "!go" }), {
      failure_mode: "IGNORE_FAILURE",
    });
    const run = await (await given([ignored, noop("b"), noop("c")])).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ bad: "COMPLETED_WITH_ERROR", b: "SUCCEEDED", c: "UNSATISFIED" });
  },

  "condition: its step's params count as they were evaluated": async () => {
    const steps = [noop("a", having({ x: computed("LONG", "n * 2") }), when({ b: "x == 6" })), noop("b")];
    const run = await (await given(steps, { params: { n: long(3) } })).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toMatchObject({ b: "SUCCEEDED" });
  },
};
