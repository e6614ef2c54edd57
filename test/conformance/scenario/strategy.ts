/** Run strategies: which runs wait, which go, which are never let go. */
import { expect } from "bun:test";
import { refuses } from "../kit/client.ts";
import { fragile, long, noop, sleep } from "../kit/definition.ts";
import { Run } from "../kit/run.ts";
import { given, type Workflow } from "../kit/workflow.ts";

const strategic = (rule: unknown): Promise<Workflow> => given([sleep("a", 600)], {}, { run_strategy: rule });

/** Fails while the param `ok` is 0. */
const strict = (): Promise<Workflow> =>
  given([fragile("a")], { params: { ok: long(1) } }, { run_strategy: "STRICT_SEQUENTIAL" });

const status = async (run: Run): Promise<string> => (await run.read()).status;

/** Stops the run, which was holding up others. */
async function ends(run: Run): Promise<void> {
  await run.stop();
  await run.ends("STOPPED");
}

export const STRATEGY = {
  "SEQUENTIAL: one run at a time, in the order of their instances; it is the default": async () => {
    const workflow = await given([sleep("a", 600)]);
    const [first, second, third] = [await workflow.start(), await workflow.start(), await workflow.start()];
    await first.reaches("IN_PROGRESS");
    expect([await status(second), await status(third)]).toEqual(["CREATED", "CREATED"]);
    await ends(first);
    await second.reaches("IN_PROGRESS");
    expect(await status(third)).toBe("CREATED");
    await ends(second);
    await third.reaches("IN_PROGRESS");
    await ends(third);
  },

  "SEQUENTIAL: a failed run does not hold up the next": async () => {
    const workflow = await given([fragile("a")], { params: { ok: long(1) } });
    const bad = await workflow.start({ ok: long(0) });
    const good = await workflow.start();
    await bad.ends("FAILED");
    await good.ends("SUCCEEDED");
  },

  "PARALLEL: as many at a time as its concurrency, the rest wait in order": async () => {
    const workflow = await strategic({ rule: "PARALLEL", workflow_concurrency: 2 });
    const [first, second, third] = [await workflow.start(), await workflow.start(), await workflow.start()];
    await Promise.all([first.reaches("IN_PROGRESS"), second.reaches("IN_PROGRESS")]);
    expect(await status(third)).toBe("CREATED");
    await ends(second);
    await third.reaches("IN_PROGRESS");
    await workflow.does("stop");
  },

  "PARALLEL: a number is its short form": async () => {
    const workflow = await strategic(7);
    expect(await workflow.overview()).toMatchObject({
      properties_snapshot: { run_strategy: { rule: "PARALLEL", workflow_concurrency: 7 } },
    });
  },

  "STRICT_SEQUENTIAL: a failed run holds up the queue until it is unblocked": async () => {
    const workflow = await strict();
    const bad = await workflow.start({ ok: long(0) });
    await bad.ends("FAILED");
    const next = await workflow.start();
    expect((await workflow.overview()).failed_instances).toBe(1);
    expect(await status(next)).toBe("CREATED");
    expect(await bad.unblock()).toMatchObject({ completed: true, workflow_instance_status: "FAILED" });
    await next.ends("SUCCEEDED");
    expect(await status(bad)).toBe("FAILED");
    expect((await workflow.overview()).failed_instances).toBe(0);
  },

  "STRICT_SEQUENTIAL: the workflow is unblocked as a whole, too": async () => {
    const workflow = await strict();
    const bad = await workflow.start({ ok: long(0) });
    const next = await workflow.start();
    await bad.ends("FAILED");
    expect(await status(next)).toBe("CREATED");
    await workflow.does("unblock");
    await next.ends("SUCCEEDED");
  },

  "STRICT_SEQUENTIAL: stopped and timed-out runs hold nothing up": async () => {
    const steps = [sleep("a", { type: "LONG", expression: "nap" })];
    const workflow = await given(
      steps,
      { params: { nap: long(600) }, timeout: "4s" },
      { run_strategy: "STRICT_SEQUENTIAL" },
    );
    const [stopped, late, last] = [
      await workflow.start(),
      await workflow.start(),
      await workflow.start({ nap: long(0) }),
    ];
    await ends(stopped);
    await late.ends("TIMED_OUT");
    await last.ends("SUCCEEDED");
  },

  "FIRST_ONLY: while a run is under way a new one is STOPPED from the start": async () => {
    const workflow = await strategic("FIRST_ONLY");
    const first = await workflow.start();
    const answer = await workflow.ask();
    expect(answer).toMatchObject({ status: "STOPPED", workflow_instance_id: 2 });
    await refuses(200, "GET", `${workflow.path}/instances/2/runs/1`);
    expect(await status(first)).not.toBe("STOPPED");
    await ends(first);
    const third = await workflow.start();
    await third.reaches("IN_PROGRESS");
    await ends(third);
  },

  "FIRST_ONLY: a run that was never let go is stored with its end and the reason": async () => {
    const workflow = await strategic("FIRST_ONLY");
    const first = await workflow.start();
    await workflow.ask();
    const refused = await new Run(workflow.id, 2, 1).read();
    expect(refused.status).toBe("STOPPED");
    expect(refused.end_time).toBe(refused.create_time);
    expect(refused.timeline?.length).toBeGreaterThanOrEqual(1);
    await ends(first);
  },

  "LAST_ONLY: a new run stops the one under way, then runs": async () => {
    const workflow = await strategic("LAST_ONLY");
    const first = await workflow.start();
    await first.step("a").reaches("RUNNING");
    const second = await workflow.start();
    await first.ends("STOPPED");
    await second.reaches("IN_PROGRESS");
    expect(await first.statuses()).toEqual({ a: "STOPPED" });
    await ends(second);
  },

  "SERIAL_LATEST_ONLY: the running one is left alone, and only the newest waits": async () => {
    const workflow = await strategic("SERIAL_LATEST_ONLY");
    const first = await workflow.start();
    await first.reaches("IN_PROGRESS");
    const [second, third] = [await workflow.start(), await workflow.start()];
    expect(await status(second)).toBe("STOPPED");
    expect([await status(first), await status(third)]).toEqual(["IN_PROGRESS", "CREATED"]);
    await ends(first);
    await third.reaches("IN_PROGRESS");
    await ends(third);
  },

  "strategy: a change takes effect on those that wait": async () => {
    const workflow = await strategic("SEQUENTIAL");
    const [first, second] = [await workflow.start(), await workflow.start()];
    await first.reaches("IN_PROGRESS");
    expect(await status(second)).toBe("CREATED");
    await workflow.properties({ run_strategy: { rule: "PARALLEL", workflow_concurrency: 2 } });
    await second.reaches("IN_PROGRESS");
    await workflow.does("stop");
  },

  "strategy: none for one run only is taken while two are under way": async () => {
    const workflow = await strategic("SEQUENTIAL");
    const [first] = [await workflow.start(), await workflow.start()];
    for (const rule of ["FIRST_ONLY", "LAST_ONLY"]) {
      await refuses(412, "POST", `${workflow.path}/properties`, { run_strategy: rule });
    }
    await ends(first);
    await workflow.properties({ run_strategy: "LAST_ONLY" });
    await workflow.does("stop");
  },

  "strategy: STRICT_SEQUENTIAL is not taken while a run is FAILED": async () => {
    const workflow = await given([fragile("a")], { params: { ok: long(1) } });
    const bad = await workflow.start({ ok: long(0) });
    await bad.ends("FAILED");
    await refuses(412, "POST", `${workflow.path}/properties`, { run_strategy: "STRICT_SEQUENTIAL" });
    await workflow.does("unblock");
    await workflow.properties({ run_strategy: "STRICT_SEQUENTIAL" });
  },

  "strategy: a concurrency above 1 belongs to PARALLEL, and 0 is none": async () => {
    const workflow = await given([noop("a")]);
    const path = `${workflow.path}/properties`;
    for (const run_strategy of [{ rule: "SEQUENTIAL", workflow_concurrency: 2 }, 0, 1001]) {
      await refuses(400, "POST", path, { run_strategy });
    }
    await workflow.properties({ run_strategy: { rule: "PARALLEL", workflow_concurrency: 1000 } });
  },
};
