/** While: rounds one after the other, with values that the steps of a round hand to the next. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { computed, having, long, noop, repeat, sleep, text, to, when } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { given } from "../kit/workflow.ts";

/** Hands i + 1 to the next round. */
const counting = (...parts: readonly Part[]): Part => noop("count", having({ i: computed("LONG", "i + 1") }), ...parts);

const loop = (condition: string, body: readonly Part[], ...parts: readonly Part[]): Part =>
  repeat("loop", condition, { i: long(0) }, body, ...parts);

const started = async (...steps: readonly Part[]): Promise<Run> => (await given(steps)).start();

const artifactOf = async (run: Run) => (await run.step("loop").read()).artifacts?.maestro_while;

async function asleep(run: Run): Promise<Run> {
  const round = await run.step("loop").iteration(1);
  await round.step("nap").reaches("RUNNING");
  return round;
}

export const WHILE = {
  "while: rounds go on while the condition holds, each sees its index and its values": async () => {
    const body = [counting(having({ seen: computed("STRING", "loop_index + ':' + i") }))];
    const run = await started(loop("i < 3", body, to("after")), noop("after"));
    await run.ends("SUCCEEDED");
    expect(await run.step("loop").iterations()).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    const params: unknown[] = [];
    for (let number = 1; number <= 3; number++) {
      const round = await run.step("loop").iteration(number);
      const { i, loop_index } = (await round.read()).params;
      params.push([i?.evaluated_result, loop_index?.evaluated_result]);
    }
    expect(params).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(await artifactOf(run)).toMatchObject({
      first_iteration: 1,
      last_iteration: 3,
      loop_run_id: 1,
      loop_param_values: { i: [0, 1, 2, 3] },
    });
  },

  "while: rounds are runs of an inline workflow, and name the step that started them": async () => {
    const run = await started(loop("i < 1", [counting()]));
    await run.ends("SUCCEEDED");
    const round = await run.step("loop").iteration(1);
    expect(round.workflowId).toStartWith("maestro_while_");
    expect(await round.read()).toMatchObject({
      correlation_id: `${run.workflowId}:1:1`,
      run_config: { policy: "START_FRESH_NEW_RUN", runtime_tags: [{ name: "maestro_while" }] },
      initiator: { type: "WHILE", depth: 1, ancestors: [{ workflow_id: run.workflowId, step_id: "loop" }] },
    });
  },

  "while: a condition that is false from the start is no round, and success": async () => {
    const run = await started(loop("i > 5", [counting()], to("after")), noop("after"));
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ loop: "SUCCEEDED", after: "SUCCEEDED" });
    expect(await artifactOf(run)).toMatchObject({
      first_iteration: 1,
      last_iteration: 0,
      loop_param_values: { i: [0] },
    });
    expect(runtime_overview?.rollup_overview?.total_leaf_count).toBe(2);
  },

  "while: no round begins before the one before has ended": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 1, to("count")), counting()]));
    await run.ends("SUCCEEDED");
    let before = 0;
    for (let number = 1; number <= 3; number++) {
      const { create_time, end_time } = await (await run.step("loop").iteration(number)).read();
      expect(create_time, `round ${number}`).toBeGreaterThanOrEqual(before);
      before = Number(end_time);
    }
  },

  "while: of two steps that set a value the later one counts": async () => {
    const body = [
      noop("first", having({ i: long(50) }), to("second")),
      noop("second", having({ i: computed("LONG", "loop_index + 1") })),
    ];
    const run = await started(loop("i < 2", body));
    await run.ends("SUCCEEDED");
    expect((await artifactOf(run))?.loop_param_values).toEqual({ i: [0, 1, 2] });
  },

  "while: a value that no step sets stays": async () => {
    const values = { i: long(0), name: text("Ann") };
    const run = await started(repeat("loop", "i < 2", values, [counting()]));
    await run.ends("SUCCEEDED");
    expect((await artifactOf(run))?.loop_param_values).toEqual({ i: [0, 1, 2], name: ["Ann", "Ann", "Ann"] });
  },

  "while: the condition sees the workflow's params and the step's": async () => {
    const workflow = await given([loop("i < n * factor", [counting()], having({ factor: long(2) }))], {
      params: { n: long(1) },
    });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    expect(await run.step("loop").iterations()).toHaveLength(2);
  },

  "while: a failed round fails the step, and no other begins": async () => {
    const body = [counting(having({ quotient: computed("LONG", "1 / (1 - loop_index)") }))];
    const run = await started(loop("i < 5", body, to("after")), noop("after"));
    const { runtime_overview } = await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ loop: "FATALLY_FAILED" });
    expect(await run.step("loop").iterations()).toEqual(["SUCCEEDED", "FAILED"]);
    expect(runtime_overview?.rollup_overview).toEqual({
      total_leaf_count: 2,
      overview: {
        SUCCEEDED: { cnt: 1 },
        INTERNALLY_FAILED: { cnt: 1, ref: { [`${await run.step("loop").body()}:1`]: ["2:count:1"] } },
      },
    });
  },

  "while: with IGNORE_FAILURE a failed round completes it with an error": async () => {
    const body = [counting(having({ quotient: computed("LONG", "1 / loop_index") }))];
    const run = await started(loop("i < 5", body, { failure_mode: "IGNORE_FAILURE" }, to("after")), noop("after"));
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ loop: "COMPLETED_WITH_ERROR", after: "SUCCEEDED" });
  },

  "while: a condition that cannot be evaluated, or is no boolean, fails the step": async () => {
    const run = await started(loop("1 / i > 0", [counting()]), repeat("other", "k + 1", { k: long(0) }, [noop("in")]));
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ loop: "FATALLY_FAILED", other: "FATALLY_FAILED" });
  },

  "while: a stopped round stops the step": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, to("count")), counting()], to("after")), noop("after"));
    await (await asleep(run)).stop();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ loop: "STOPPED" });
    expect(await run.step("loop").iterations()).toEqual(["STOPPED"]);
  },

  "while: a round with a timed-out step makes it TIMED_OUT": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, { timeout: 1 }), counting()]));
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ loop: "TIMED_OUT" });
  },

  "while stop: its round is STOPPED, and so is the step": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, to("count")), counting()]));
    const round = await asleep(run);
    await run.step("loop").does("stop");
    await run.ends("STOPPED");
    expect(await round.statuses()).toEqual({ nap: "STOPPED" });
    expect((await round.read()).status).toBe("STOPPED");
  },

  "while kill: its round is STOPPED, and the step fails": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, to("count")), counting()]));
    const round = await asleep(run);
    await run.step("loop").does("kill");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ loop: "FATALLY_FAILED" });
    expect((await round.read()).status).toBe("STOPPED");
  },

  "while skip: its round is STOPPED, the step is SKIPPED, and what follows runs": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, to("count")), counting()], to("after")), noop("after"));
    const round = await asleep(run);
    await run.step("loop").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ loop: "SKIPPED", after: "SUCCEEDED" });
    expect((await round.read()).status).toBe("STOPPED");
  },

  "while: past its timeout the step is TIMED_OUT, and its round STOPPED": async () => {
    const run = await started(loop("i < 3", [sleep("nap", 600, to("count")), counting()], { timeout: 3 }));
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ loop: "TIMED_OUT" });
    expect(await run.step("loop").iterations()).toEqual(["STOPPED"]);
  },

  "while: a round has edges and conditions of its own": async () => {
    const body = [
      noop("odd_or_even", when({ odd: "i % 2 == 1", even: "i % 2 == 0" })),
      noop("odd", to("count")),
      noop("even", to("count")),
      counting(),
    ];
    const run = await started(loop("i < 2", body));
    await run.ends("SUCCEEDED");
    const second = await run.step("loop").iteration(2);
    expect(await second.statuses()).toMatchObject({ odd: "SUCCEEDED", even: "UNSATISFIED", count: "SUCCEEDED" });
  },

  "while: a loop without steps or with a blank condition is refused at the push": async () => {
    const workflow = await given([noop("a")]);
    await workflow.refusesPush(400, [loop("i < 3", [])]);
    await workflow.refusesPush(400, [loop(" ", [counting()])]);
  },
};
