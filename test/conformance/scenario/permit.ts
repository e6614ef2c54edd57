/** Tag permits and step concurrency: who waits in WAITING_FOR_PERMITS, and what lets it go. */
import { expect } from "bun:test";
import { ask, eventually, refuses, send } from "../kit/client.ts";
import type { Part } from "../kit/definition.ts";
import { foreach, longs, noop, sleep, subworkflow } from "../kit/definition.ts";
import type { Run, Step } from "../kit/run.ts";
import { mostAtOnce } from "../kit/span.ts";
import { freshId, given } from "../kit/workflow.ts";

const allow = (tag: string, max_allowed: number): Promise<void> =>
  refuses(200, "POST", "/tag-permits", { tag, max_allowed });

const tagged = (...tags: readonly string[]): Part => ({ tags });

/** The steps of the run that are in this status, in the order of their ids. */
async function those(run: Run, status: string): Promise<readonly string[]> {
  const statuses = Object.entries(await run.statuses());
  return statuses
    .filter(([, it]) => it === status)
    .map(([id]) => id)
    .sort();
}

/** Waits until so many steps run; the others wait for their permits. */
async function untilRunning(run: Run, running: number, waiting: number): Promise<void> {
  const look = async () => [(await those(run, "RUNNING")).length, (await those(run, "WAITING_FOR_PERMITS")).length];
  const wanted = [running, waiting];
  await eventually(`${running} RUNNING, ${waiting} waiting`, look, (it) => Bun.deepEquals(it, wanted));
}

export const PERMIT = {
  "permit: no more steps with the tag run than are allowed, one that ends makes room": async () => {
    const tag = freshId("tag");
    await allow(tag, 1);
    const run = await (await given([sleep("a", 600, tagged(tag)), sleep("b", 600, tagged(tag)), noop("free")])).start();
    await untilRunning(run, 1, 1);
    expect(await run.step("free").reaches("SUCCEEDED")).toBeDefined();
    const [first = ""] = await those(run, "RUNNING");
    await run.step(first).does("skip");
    const second = first === "a" ? "b" : "a";
    await run.step(second).reaches("RUNNING");
    await run.step(second).does("skip");
    await run.ends("SUCCEEDED");
  },

  "permit: 0 lets none run, raising it does": async () => {
    const tag = freshId("tag");
    await allow(tag, 0);
    const run = await (await given([noop("a", tagged(tag))])).start();
    const { runtime_state } = await run.step("a").reaches("WAITING_FOR_PERMITS");
    expect(runtime_state.wait_permit_time).toBeNumber();
    expect(runtime_state.start_time).toBeUndefined();
    await allow(tag, 1);
    await run.ends("SUCCEEDED");
  },

  "permit: removing it lets all run": async () => {
    const tag = freshId("tag");
    await allow(tag, 0);
    const run = await (await given([noop("a", tagged(tag)), noop("b", tagged(tag))])).start();
    await untilRunning(run, 0, 2);
    await refuses(200, "DELETE", `/tag-permits/${tag}`);
    await run.ends("SUCCEEDED");
    const gone = async () => (await send("GET", `/tag-permits/${tag}`)).status;
    await eventually("the permit to be gone", gone, (it) => it === 404);
  },

  "permit: lowering it takes none away": async () => {
    const tag = freshId("tag");
    await allow(tag, 2);
    const run = await (await given([sleep("a", 600, tagged(tag)), sleep("b", 600, tagged(tag))])).start();
    await untilRunning(run, 2, 0);
    await allow(tag, 0);
    expect((await those(run, "RUNNING")).length).toBe(2);
    await run.stop();
    await run.ends("STOPPED");
  },

  "permit: a step needs one for each of its tags; who waits does not hold up others": async () => {
    const [open, shut] = [freshId("open"), freshId("shut")];
    await allow(open, 1);
    await allow(shut, 0);
    const run = await (await given([noop("both", tagged(open, shut))])).start();
    await run.step("both").reaches("WAITING_FOR_PERMITS");
    const other = await (await given([noop("one", tagged(open))])).start();
    await other.ends("SUCCEEDED");
    expect(await run.step("both").status()).toBe("WAITING_FOR_PERMITS");
    await allow(shut, 1);
    await run.ends("SUCCEEDED");
  },

  "permit: counts over all workflows": async () => {
    const tag = freshId("tag");
    await allow(tag, 1);
    const first = await (await given([sleep("a", 600, tagged(tag))])).start();
    await first.step("a").reaches("RUNNING");
    const second = await (await given([noop("a", tagged(tag))])).start();
    await second.step("a").reaches("WAITING_FOR_PERMITS");
    await first.stop();
    await second.ends("SUCCEEDED");
  },

  "permit: a failed attempt gives its permit back while it waits for the next": async () => {
    const tag = freshId("tag");
    await allow(tag, 1);
    const retry_policy = {
      timeout_retry_limit: 1,
      backoff: { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: 600 },
    };
    const first = await (await given([sleep("a", 600, tagged(tag), { timeout: 1, retry_policy })])).start();
    await first.step("a").reaches("TIMEOUT_FAILED");
    const second = await (await given([noop("a", tagged(tag))])).start();
    await second.ends("SUCCEEDED");
    await first.stop();
    await first.ends("STOPPED");
  },

  "permit: a step that waits for one can be stopped, killed and skipped": async () => {
    const tag = freshId("tag");
    await allow(tag, 0);
    const run = await (await given(["a", "b", "c"].map((id) => noop(id, tagged(tag))))).start();
    await untilRunning(run, 0, 3);
    await run.step("a").does("stop");
    await run.step("b").does("kill");
    await run.step("c").does("skip");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "STOPPED", b: "FATALLY_FAILED", c: "SKIPPED" });
  },

  "permit: is read with what was given, and its changes; wrong requests are refused": async () => {
    const tag = freshId("tag");
    await refuses(200, "POST", "/tag-permits", { tag, max_allowed: 3, why: "a test" });
    expect(await ask<Part>("GET", `/tag-permits/${tag}`)).toMatchObject({ tag, max_allowed: 3, why: "a test" });
    await allow(tag, 4);
    const { max_allowed, timeline } = await ask<{ max_allowed: number; timeline: unknown[] }>(
      "GET",
      `/tag-permits/${tag}`,
    );
    expect([max_allowed, timeline.length]).toEqual([4, 2]);
    await refuses(400, "POST", "/tag-permits", { tag, max_allowed: -1 });
    await refuses(400, "POST", "/tag-permits", { max_allowed: 1 });
    await refuses(404, "GET", `/tag-permits/${freshId("none")}`);
    await refuses(200, "DELETE", `/tag-permits/${freshId("none")}`);
  },

  "step concurrency: no more steps of the workflow run, all its instances together": async () => {
    const workflow = await given([sleep("a", 600), sleep("b", 600)], {}, { step_concurrency: 3, run_strategy: 5 });
    const [first, second] = [await workflow.start(), await workflow.start()];
    const running = async () => (await those(first, "RUNNING")).length + (await those(second, "RUNNING")).length;
    const waiting = async () =>
      (await those(first, "WAITING_FOR_PERMITS")).length + (await those(second, "WAITING_FOR_PERMITS")).length;
    const look = async () => [await running(), await waiting()];
    await eventually("3 RUNNING, 1 waiting", look, (it) => it[0] === 3 && it[1] === 1);
    await first.stop();
    await first.ends("STOPPED");
    await eventually(
      "both steps of the other",
      async () => (await those(second, "RUNNING")).length,
      (it) => it === 2,
    );
    await second.stop();
    await second.ends("STOPPED");
  },

  "step concurrency: only leaves count, not the steps whose runs they are in": async () => {
    const kid = await given([sleep("leaf", 600)]);
    const steps = [subworkflow("sub", kid.id), foreach("each", { i: longs(1) }, [noop("in")]), noop("side")];
    const run = await (await given(steps, {}, { step_concurrency: 1 })).start();
    const child = await run.step("sub").child();
    await child.step("leaf").reaches("RUNNING");
    await run.step("side").reaches("SUCCEEDED");
    await run.step("each").reaches("SUCCEEDED");
    await run.step("sub").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step concurrency: without it there is no cap": async () => {
    const steps = Array.from({ length: 25 }, (_, index) => sleep(`s${index}`, 600));
    const run = await (await given(steps)).start();
    await untilRunning(run, 25, 0);
    await run.stop();
    await run.ends("STOPPED");
  },

  "instance step concurrency: bounds the leaves of the whole tree that run": async () => {
    const loop = foreach("each", { i: longs(1, 2, 3, 4) }, [sleep("leaf", 1)]);
    const run = await (await given([loop, sleep("side", 1)], { instance_step_concurrency: 2 })).start();
    await run.ends("SUCCEEDED");
    const leaves = [run.step("side")];
    for (const number of [1, 2, 3, 4]) leaves.push((await run.step("each").iteration(number)).step("leaf"));
    const states = await Promise.all(leaves.map(async (leaf) => (await leaf.read()).runtime_state));
    expect(mostAtOnce(states.map(({ start_time, end_time }) => ({ start: start_time, end: end_time })))).toBe(2);
  },

  "instance step concurrency: bounds the runs of the tree that are under way on each level": async () => {
    const kid = await given([foreach("deep", { i: longs(1, 2, 3) }, [sleep("nap", 1)])]);
    const subs = ["a", "b", "c"].map((id) => subworkflow(id, kid.id));
    const loop = foreach("each", { i: longs(1, 2, 3) }, [noop("in")]);
    const run = await (await given([...subs, loop], { instance_step_concurrency: 2 })).start();
    await run.ends("SUCCEEDED");
    const children = await Promise.all(subs.map((_, index) => run.step("abc"[index] as string).child()));
    const iterations = (step: Step) => Promise.all([1, 2, 3].map((number) => step.iteration(number)));
    const upper = [...children, ...(await iterations(run.step("each")))];
    const deeper = await Promise.all(children.map((child) => iterations(child.step("deep"))));
    const most = async (runs: readonly Run[]) => {
      const read = await Promise.all(runs.map((it) => it.read()));
      return mostAtOnce(read.map(({ start_time, end_time }) => ({ start: start_time, end: end_time })));
    };
    expect(await most(upper), "on the first level").toBeLessThanOrEqual(2);
    expect(await most(deeper.flat()), "on the second level").toBe(2);
  },

  "instance step concurrency: a step whose run is held back can be stopped, and leaves its place to others":
    async () => {
      const kid = await given([sleep("nap", 600)]);
      const run = await (
        await given(
          ["a", "b"].map((id) => subworkflow(id, kid.id)),
          { instance_step_concurrency: 1 },
        )
      ).start();
      for (const id of ["a", "b"]) await run.step(id).reaches("RUNNING");
      const begun = () => Promise.all(["a", "b"].map(async (id) => (await run.step(id).read()).artifacts ?? {}));
      const isOne = (all: readonly object[]) => all.filter((it) => "maestro_subworkflow" in it).length === 1;
      const [a] = await eventually("one child", begun, isOne);
      const [first, second] = a && "maestro_subworkflow" in a ? ["a", "b"] : ["b", "a"];
      await run.step(second as string).does("skip");
      await run.step(second as string).reaches("SKIPPED");
      await (await run.step(first as string).child()).step("nap").does("skip");
      await run.ends("SUCCEEDED");
    },
};
