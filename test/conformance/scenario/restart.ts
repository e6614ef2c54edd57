/** Restarts of a run: what runs again, what counts as done, which params it has. */
import { expect } from "bun:test";
import { ask } from "../kit/client.ts";
import type { Part } from "../kit/definition.ts";
import { boolean, computed, fragile, having, long, noop, sleep, text, to, when } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import type { RunBody, StartBody } from "../kit/wire.ts";
import { given, type Workflow } from "../kit/workflow.ts";

const MEND = { run_params: { ok: long(1) } };

/** One → two → three beside a lone step; two fails while `ok` is 0. */
const CHAIN: readonly Part[] = [
  noop("one", having({ size: long(7) }), to("two")),
  fragile("two", having({ seen: text("${one__size}") }), to("three")),
  noop("three"),
  noop("lone"),
];

const breakable = (steps: readonly Part[], workflow: Part = {}, properties: Part = {}): Promise<Workflow> =>
  given(steps, { ...workflow, params: { ok: long(1), ...(workflow.params as Part | undefined) } }, properties);

/** A run of it that has FAILED, since `ok` was 0. */
async function failed(workflow: Workflow): Promise<Run> {
  const run = await workflow.start({ ok: long(0) });
  await run.ends("FAILED");
  return run;
}

const value = (body: RunBody, name: string): unknown => body.params[name]?.evaluated_result;

export const RESTART = {
  "restart from incomplete: only what is not complete runs again, and sees what was done": async () => {
    const run = await failed(await breakable(CHAIN));
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    const body = await again.ends("SUCCEEDED");
    expect([again.instanceId, again.runId]).toEqual([1, 2]);
    expect(await again.statuses()).toEqual({ two: "SUCCEEDED", three: "SUCCEEDED" });
    expect(Object.keys(body.runtime_dag).sort()).toEqual(["three", "two"]);
    expect(await again.step("two").value("seen"), "a param of a step of the earlier run").toBe("7");
    expect(body.run_config).toMatchObject({
      policy: "RESTART_FROM_INCOMPLETE",
      restart_config: {
        restart_policy: "RESTART_FROM_INCOMPLETE",
        restart_path: [{ workflow_id: run.workflowId, instance_id: 1, step_id: null }],
      },
    });
  },

  "restart from incomplete: the instance shows each step by the run that touched it last": async () => {
    const run = await failed(await breakable(CHAIN));
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    const { runtime_overview } = await again.ends("SUCCEEDED");
    expect((await again.aggregate()).step_aggregated_views).toMatchObject({
      one: { status: "SUCCEEDED", workflow_run_id: 1 },
      two: { status: "SUCCEEDED", workflow_run_id: 2 },
      three: { status: "SUCCEEDED", workflow_run_id: 2 },
      lone: { status: "SUCCEEDED", workflow_run_id: 1 },
    });
    expect(runtime_overview?.total_step_count).toBe(2);
    expect(runtime_overview?.rollup_overview, "leaves of the instance").toEqual({
      total_leaf_count: 4,
      overview: { SUCCEEDED: { cnt: 4 } },
    });
    const steps = await ask<readonly { step_id: string; workflow_run_id: number }[]>(
      "GET",
      `/workflows/${run.workflowId}/instances/1/steps`,
    );
    expect(Object.fromEntries(steps.map((it) => [it.step_id, it.workflow_run_id]))).toEqual({
      one: 1,
      lone: 1,
      two: 2,
      three: 2,
    });
    expect((await run.read()).status, "the first run").toBe("FAILED");
  },

  "restart from incomplete: a stopped run goes on where it was stopped": async () => {
    const workflow = await given([noop("a", to("b")), sleep("b", computed("LONG", "nap"), to("c")), noop("c")], {
      params: { nap: long(600) },
    });
    const run = await workflow.start();
    await run.step("b").reaches("RUNNING");
    await run.stop();
    await run.ends("STOPPED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ b: "SUCCEEDED", c: "SUCCEEDED" });
    expect((await again.aggregate()).workflow_instance_status).toBe("SUCCEEDED");
  },

  "restart from incomplete: a timed-out step runs again": async () => {
    const steps = [sleep("late", computed("LONG", "nap"), { timeout: 1 }), noop("side")];
    const run = await (await given(steps, { params: { nap: long(600) } })).start();
    await run.ends("TIMED_OUT");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ late: "SUCCEEDED" });
  },

  "restart from incomplete: skipped, unsatisfied and ignored steps are complete": async () => {
    const steps = [noop("choose", when({ no: "false", bad: "true" })), noop("no"), fragile("bad"), sleep("long", 600)];
    const workflow = await breakable(steps);
    const run = await workflow.start({ ok: long(0) });
    await run.step("long").reaches("RUNNING");
    await run.step("long").does("skip");
    await run.ends("FAILED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ bad: "SUCCEEDED" });
  },

  "restart from incomplete: of a run that is complete is refused": async () => {
    const run = await (await given([noop("a")])).start();
    await run.ends("SUCCEEDED");
    await run.refusesRestart(400, "RESTART_FROM_INCOMPLETE");
    expect((await run.latest()).runId).toBe(1);
  },

  "restart from the beginning: every step runs again": async () => {
    const workflow = await given([noop("a", having({ x: computed("LONG", "n + 1") }), to("b")), noop("b")], {
      params: { n: long(1) },
    });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    const again = await run.restart("RESTART_FROM_BEGINNING", { run_params: { n: long(5) } });
    const body = await again.ends("SUCCEEDED");
    expect([again.runId, body.run_config.policy]).toEqual([2, "RESTART_FROM_BEGINNING"]);
    expect(await again.statuses()).toEqual({ a: "SUCCEEDED", b: "SUCCEEDED" });
    expect(await again.step("a").value("x")).toBe(6);
    expect((await again.step("a").read()).step_attempt_id, "attempts are counted anew").toBe(1);
  },

  "restart: a join decides as if all had been one run": async () => {
    // Only the step that is done lets the join go; the one that runs again does not.
    const steps = [noop("done", when({ join: "true" })), fragile("again", when({ join: "false" })), noop("join")];
    const run = await failed(await breakable(steps));
    const second = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    await second.ends("SUCCEEDED");
    expect(await second.statuses()).toEqual({ again: "SUCCEEDED", join: "SUCCEEDED" });
  },

  "restart: a join that nothing lets go in any run is UNSATISFIED": async () => {
    const steps = [noop("done", when({ join: "false" })), fragile("again", when({ join: "false" })), noop("join")];
    const run = await failed(await breakable(steps));
    const second = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    await second.ends("SUCCEEDED");
    expect(await second.statuses()).toEqual({ again: "SUCCEEDED", join: "UNSATISFIED" });
  },

  "restart: what may be done is checked at the request": async () => {
    const workflow = await given([sleep("a", 600)]);
    const run = await workflow.start();
    await run.refusesRestart(400, "RESTART_FROM_BEGINNING");
    await run.reaches("IN_PROGRESS");
    await run.refusesRestart(400, "RESTART_FROM_BEGINNING");
    await run.stop();
    await run.ends("STOPPED");
    for (const policy of ["restart_from_beginning", "START_FRESH_NEW_RUN", "RESTART_FROM_SPECIFIC", ""]) {
      await run.refusesRestart(400, policy);
    }
    await run.refusesRestart(400, "RESTART_FROM_BEGINNING", { nonsense: 1 });
  },

  "restart: the same request id twice makes one run, and the second answer names it": async () => {
    const run = await (await given([noop("a")])).start();
    await run.ends("SUCCEEDED");
    const request_id = crypto.randomUUID();
    const again = await run.restart("RESTART_FROM_BEGINNING", { request_id });
    await again.ends("SUCCEEDED");
    const path = `/workflows/${run.workflowId}/instances/1/actions/restart`;
    const answer = await ask<StartBody>("POST", path, { restart_policy: "RESTART_FROM_BEGINNING", request_id });
    expect(answer).toMatchObject({ status: "DUPLICATED", workflow_instance_id: 1, workflow_run_id: 2 });
    expect((await run.latest()).runId).toBe(2);
  },

  "restart: keeps the version of the run, whatever was pushed since": async () => {
    const workflow = await breakable([fragile("a")]);
    const run = await failed(workflow);
    await workflow.push([noop("other")]);
    const again = await run.restart("RESTART_FROM_BEGINNING", MEND);
    const body = await again.ends("SUCCEEDED");
    expect(body.workflow_version_id).toBe(1);
    expect(body.correlation_id).toBe(`${workflow.id}:1:1`);
    expect(await again.statuses()).toEqual({ a: "SUCCEEDED" });
  },

  "restart: params keep their values, IMMUTABLE expressions are evaluated again": async () => {
    const unique = computed("LONG", "params.nextUniqueId()");
    const params = { kept: unique, fresh: { ...unique, mode: "IMMUTABLE" } };
    const run = await failed(await breakable([fragile("a")], { params }));
    const [before, after] = [
      await run.read(),
      await (await run.restart("RESTART_FROM_INCOMPLETE", MEND)).ends("SUCCEEDED"),
    ];
    expect([value(after, "kept"), value(after, "RUN_TS")]).toEqual([value(before, "kept"), value(before, "RUN_TS")]);
    expect(value(after, "fresh")).not.toBe(value(before, "fresh"));
  },

  "restart: a param derived from one that is overridden is evaluated again": async () => {
    const params = { m: long(1), derived: computed("STRING", "'v' + m") };
    const run = await failed(await breakable([fragile("a")], { params }));
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { ok: long(1), m: long(2) } });
    expect(value(await again.ends("SUCCEEDED"), "derived")).toBe("v2");
  },

  "restart: overrides count in later restarts, too": async () => {
    const run = await failed(await breakable([fragile("a")], { params: { m: long(1) } }));
    const second = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { m: long(2) } });
    await second.ends("FAILED");
    const third = await second.restart("RESTART_FROM_INCOMPLETE", MEND);
    expect(value(await third.ends("SUCCEEDED"), "m")).toBe(2);
    expect((await third.read()).params.ok?.source).toBe("RESTART");
  },

  "restart: changes only what is mutable then": async () => {
    const modes = ["MUTABLE", "MUTABLE_ON_START_RESTART", "MUTABLE_ON_START", "IMMUTABLE", "CONSTANT"];
    const params = Object.fromEntries(modes.map((mode) => [mode.toLowerCase(), { ...long(1), mode }]));
    const run = await failed(await breakable([fragile("a")], { params }));
    for (const name of ["mutable_on_start", "immutable", "constant"]) {
      await run.refusesRestart(400, "RESTART_FROM_INCOMPLETE", { run_params: { [name]: long(2) } });
    }
    const changes = { ...MEND.run_params, mutable: long(2), mutable_on_start_restart: long(2), added: boolean(true) };
    const body = await (await run.restart("RESTART_FROM_INCOMPLETE", { run_params: changes })).ends("SUCCEEDED");
    expect([value(body, "mutable"), value(body, "mutable_on_start_restart"), value(body, "added")]).toEqual([
      2,
      2,
      true,
    ]);
  },

  "restart: a run whose params could not be evaluated gets them afresh": async () => {
    const workflow = await given([noop("a")], { params: { n: long(1), quotient: computed("LONG", "6 / n") } });
    const run = await workflow.start({ n: long(0) }, { persist_failed_run: true });
    await run.ends("FAILED");
    const again = await run.restart("RESTART_FROM_BEGINNING", { run_params: { n: long(2) } });
    expect(value(await again.ends("SUCCEEDED"), "quotient")).toBe(3);
  },

  "restart: a restarted run can be stopped, and restarted again": async () => {
    const workflow = await given([noop("a", to("b")), sleep("b", computed("LONG", "nap"))], {
      params: { nap: long(600) },
    });
    const first = await workflow.start();
    await first.step("b").reaches("RUNNING");
    await first.kill();
    await first.ends("FAILED");
    const second = await first.restart("RESTART_FROM_INCOMPLETE");
    await second.step("b").reaches("RUNNING");
    await first.refuses(400, "stop");
    await second.stop();
    await second.ends("STOPPED");
    const third = await second.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    await third.ends("SUCCEEDED");
    expect(third.runId).toBe(3);
    expect(await third.statuses()).toEqual({ b: "SUCCEEDED" });
  },

  "restart: runs of an instance are listed, newest first": async () => {
    const run = await failed(await breakable([fragile("a")]));
    await (await run.restart("RESTART_FROM_INCOMPLETE", MEND)).ends("SUCCEEDED");
    const page = await ask<{ elements: readonly RunBody[]; total_count: number }>(
      "GET",
      `/workflows/${run.workflowId}/instances/1/runs?first=5`,
    );
    expect(page.elements.map((it) => [it.workflow_run_id, it.status])).toEqual([
      [2, "SUCCEEDED"],
      [1, "FAILED"],
    ]);
    expect(page.total_count).toBe(2);
  },

  "restart, SEQUENTIAL: a restarted instance goes before newer ones that wait": async () => {
    const workflow = await given([sleep("a", 600)]);
    const first = await workflow.start();
    await first.reaches("IN_PROGRESS");
    await first.stop();
    await first.ends("STOPPED");
    const [second, third] = [await workflow.start(), await workflow.start()];
    await second.reaches("IN_PROGRESS");
    const again = await first.restart("RESTART_FROM_BEGINNING");
    expect((await again.read()).status).toBe("CREATED");
    await second.stop();
    await again.reaches("IN_PROGRESS");
    expect((await third.read()).status).toBe("CREATED");
    await workflow.does("stop");
  },

  "restart, STRICT_SEQUENTIAL: a restart that succeeds lets the queue go on, one that fails does not": async () => {
    const workflow = await breakable([fragile("a")], {}, { run_strategy: "STRICT_SEQUENTIAL" });
    const bad = await failed(workflow);
    const next = await workflow.start();
    const second = await bad.restart("RESTART_FROM_INCOMPLETE");
    await second.ends("FAILED");
    expect([(await next.read()).status, (await workflow.overview()).failed_instances]).toEqual(["CREATED", 1]);
    await (await second.restart("RESTART_FROM_INCOMPLETE", MEND)).ends("SUCCEEDED");
    await next.ends("SUCCEEDED");
    expect((await workflow.overview()).failed_instances).toBe(0);
  },

  "restart, FIRST_ONLY: while another run is under way it is STOPPED from the start": async () => {
    const workflow = await given([sleep("a", 600)], {}, { run_strategy: "FIRST_ONLY" });
    const first = await workflow.start();
    await first.reaches("IN_PROGRESS");
    await first.stop();
    await first.ends("STOPPED");
    const second = await workflow.start();
    const path = `/workflows/${workflow.id}/instances/1/actions/restart`;
    const answer = await ask<StartBody>("POST", path, { restart_policy: "RESTART_FROM_BEGINNING" });
    expect(answer).toMatchObject({ status: "STOPPED", workflow_instance_id: 1, workflow_run_id: 2 });
    await second.stop();
    await second.ends("STOPPED");
  },

  "restart, LAST_ONLY: it stops the run that is under way": async () => {
    const workflow = await given([sleep("a", 600)], {}, { run_strategy: "LAST_ONLY" });
    const first = await workflow.start();
    await first.reaches("IN_PROGRESS");
    await first.stop();
    await first.ends("STOPPED");
    const second = await workflow.start();
    await second.step("a").reaches("RUNNING");
    const again = await first.restart("RESTART_FROM_BEGINNING");
    await second.ends("STOPPED");
    await again.reaches("IN_PROGRESS");
    await workflow.does("stop");
  },
};
