/** The life of a run, from its start request on. */
import { expect } from "bun:test";
import { refuses } from "../kit/client.ts";
import { computed, having, long, noop, sleep, text, to } from "../kit/definition.ts";
import { freshId, given } from "../kit/workflow.ts";

export const INSTANCE = {
  "start: instances are counted from 1 on, each with its run 1": async () => {
    const workflow = await given([noop("a")]);
    const runs = [await workflow.start(), await workflow.start()];
    expect(runs.map((it) => [it.instanceId, it.runId])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const body = await runs[1]?.ends("SUCCEEDED");
    expect(body?.correlation_id).toBe(`${workflow.id}:2:1`);
    expect(body?.run_config.policy).toBe("START_FRESH_NEW_RUN");
    expect(body?.initiator).toMatchObject({ type: "MANUAL", user: "tester", depth: 0 });
  },

  "start: the same request id twice makes one run, and the second answer names it": async () => {
    const workflow = await given([noop("a")]);
    const request_id = crypto.randomUUID();
    const first = await workflow.ask({ request_id });
    const second = await workflow.ask({ request_id });
    expect([first.status, first.workflow_uuid]).toEqual(["CREATED", request_id]);
    expect(second).toMatchObject({ status: "DUPLICATED", workflow_instance_id: 1, workflow_run_id: 1 });
    expect((await workflow.overview()).latest_instance_id).toBe(1);
  },

  "start: a request id belongs to its workflow": async () => {
    const request_id = crypto.randomUUID();
    const [one, other] = [await given([noop("a")]), await given([noop("a")])];
    expect((await one.ask({ request_id })).status).toBe("CREATED");
    expect((await other.ask({ request_id })).status).toBe("CREATED");
  },

  "start: a version is named by number, or as active, latest or default": async () => {
    const workflow = await given([noop("a")]);
    await workflow.push([noop("b")], {}, { is_active: false });
    const versions = { "1": 1, "2": 2, active: 1, LATEST: 2, default: 1 };
    for (const [selector, version] of Object.entries(versions)) {
      expect((await workflow.ask({}, selector)).workflow_version_id, selector).toBe(version);
    }
    for (const [selector, status] of [
      ["3", 404],
      ["0", 400],
      ["newest", 400],
    ] as const) {
      await workflow.refusesStart(status, {}, selector);
    }
  },

  "start: without an active version active is not found, and default is the latest": async () => {
    const workflow = await given([noop("a")]);
    await workflow.push([noop("b")], {}, { is_active: false });
    const waiting = await workflow.start();
    await workflow.does("deactivate");
    await workflow.refusesStart(404, {}, "active");
    expect((await workflow.ask({}, "default")).workflow_version_id).toBe(2);
    await waiting.ends("SUCCEEDED");
  },

  "start: a workflow that does not exist is not found": async () => {
    const path = `/workflows/${freshId("none")}/versions/latest/actions/start`;
    await refuses(404, "POST", path, { initiator: { type: "manual" } });
  },

  "start: a run keeps the definition of its version": async () => {
    const workflow = await given([sleep("a", 1, to("b")), noop("b")]);
    const run = await workflow.start();
    await workflow.push([noop("other")]);
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "SUCCEEDED", b: "SUCCEEDED" });
    expect((await run.read()).workflow_version_id).toBe(1);
  },

  "start: params that cannot be evaluated are refused, and nothing is stored": async () => {
    const workflow = await given([noop("a")], { params: { n: long(1), quotient: computed("LONG", "6 / n") } });
    await workflow.refusesStart(400, { run_params: { n: long(0) } });
    expect((await workflow.overview()).latest_instance_id ?? 0).toBe(0);
  },

  "start: persist_failed_run stores a run whose params cannot be evaluated, as FAILED": async () => {
    const workflow = await given([noop("a")], { params: { n: long(1), quotient: computed("LONG", "6 / n") } });
    const run = await workflow.start({ n: long(0) }, { persist_failed_run: true });
    const body = await run.ends("FAILED");
    expect(body.start_time).toBeUndefined();
    expect(body.end_time).toBeNumber();
    expect(
      body.timeline?.some((it) => it.type === "DETAILS"),
      "the reason, in its timeline",
    ).toBe(true);
    expect(await run.statuses()).toEqual({});
  },

  "life: a queued run has no execution id and no overview; a launched one has them": async () => {
    const workflow = await given([sleep("a", 600)]);
    const [first, second] = [await workflow.start(), await workflow.start()];
    const launched = await first.reaches("IN_PROGRESS");
    const queued = await second.read();
    expect(launched.execution_id).toBe(launched.workflow_uuid);
    expect(launched.start_time).toBeGreaterThanOrEqual(launched.create_time);
    expect(launched.end_time).toBeUndefined();
    expect([queued.status, queued.execution_id, queued.start_time]).toEqual(["CREATED", undefined, undefined]);
    expect(queued.runtime_overview).toBeUndefined();
    await workflow.does("stop");
  },

  "life: an ended run has its times and its status for good": async () => {
    const run = await (await given([noop("a")])).start();
    const ended = await run.ends("SUCCEEDED");
    const times = [ended.create_time, ended.start_time, ended.end_time].map(Number);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    await run.refuses(400, "stop");
    const { status, end_time } = await run.read();
    expect([status, end_time]).toEqual([ended.status, ended.end_time]);
  },

  "life: a step goes through its statuses in order, each with its time": async () => {
    const run = await (await given([sleep("a", 1)])).start();
    await run.ends("SUCCEEDED");
    const { runtime_state } = await run.step("a").read();
    const order = [
      "create",
      "initialize",
      "wait_signal",
      "evaluate_param",
      "wait_permit",
      "start",
      "execute",
      "finish",
      "end",
    ];
    const times = order.map((it) => runtime_state[`${it}_time`]);
    expect(
      times.every((it) => typeof it === "number"),
      JSON.stringify(runtime_state),
    ).toBe(true);
    expect(times.map(Number).sort((a, b) => a - b)).toEqual(times.map(Number));
    expect(runtime_state.pause_time).toBeUndefined();
  },

  "life: attempts are counted from 1 on, and a step that runs is RUNNING": async () => {
    const run = await (await given([sleep("a", 600)])).start();
    const { step_attempt_id, runtime_state } = await run.step("a").reaches("RUNNING");
    expect(step_attempt_id).toBe(1);
    expect(runtime_state.execute_time).toBeNumber();
    expect(runtime_state.end_time).toBeUndefined();
    await run.stop();
    await run.ends("STOPPED");
  },

  "life: a run that starts is CREATED and goes on by itself": async () => {
    const workflow = await given([noop("a", having({ hello: text("hi ${name}") }))], { params: { name: text("Ann") } });
    const answer = await workflow.ask();
    expect(answer).toMatchObject({ status: "CREATED", workflow_id: workflow.id, workflow_version_id: 1 });
    expect(answer.timeline_event).toMatchObject({ type: "LOG", level: "INFO" });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    expect(await run.step("a").value("hello")).toBe("hi Ann");
  },

  "delete: refused while a run is under way, done when all have ended": async () => {
    const workflow = await given([sleep("a", 600)]);
    const run = await workflow.start();
    await refuses(400, "DELETE", workflow.path);
    await run.stop();
    await run.ends("STOPPED");
    await refuses(200, "DELETE", workflow.path);
    await workflow.refusesStart(404);
  },
};
