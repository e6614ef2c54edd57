/** Subworkflows: which child, with which params, waited for or not. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { fatal, having, long, noop, sleep, subworkflow, text, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { freshId, given, Workflow } from "../kit/workflow.ts";

const SLEEPS = [sleep("leaf", 600)];

/** A parent that has launched a child of these steps. */
async function launched(child: readonly Part[], ...parts: readonly Part[]): Promise<{ run: Run; child: Run }> {
  const { id } = await given(child);
  const run = await (await given([subworkflow("sub", id, to("after"), ...parts), noop("after")])).start();
  return { run, child: await run.step("sub").child() };
}

/** A parent whose child's leaf sleeps. */
async function asleep(...parts: readonly Part[]): Promise<{ run: Run; child: Run }> {
  const both = await launched(SLEEPS, ...parts);
  await both.child.step("leaf").reaches("RUNNING");
  return both;
}

export const SUBWORKFLOW = {
  "subworkflow: what follows waits for the child, whose overview the step shows": async () => {
    const { run, child } = await launched([sleep("k1", 1, to("k2")), noop("k2")]);
    const { runtime_overview } = await run.ends("SUCCEEDED");
    const { status, end_time } = await child.read();
    expect(status).toBe("SUCCEEDED");
    expect(Number((await run.step("after").read()).runtime_state.create_time)).toBeGreaterThanOrEqual(Number(end_time));
    expect((await run.step("sub").read()).artifacts?.maestro_subworkflow).toMatchObject({
      subworkflow_id: child.workflowId,
      subworkflow_version_id: 1,
      subworkflow_instance_id: 1,
      subworkflow_run_id: 1,
      subworkflow_overview: { total_step_count: 2, step_overview: { SUCCEEDED: { cnt: 2 } } },
    });
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 3, overview: { SUCCEEDED: { cnt: 3 } } });
  },

  "subworkflow: a child is an instance of its own workflow, and names the step that started it": async () => {
    const { run, child } = await launched([noop("leaf")]);
    await run.ends("SUCCEEDED");
    expect(await child.read()).toMatchObject({
      workflow_instance_id: 1,
      correlation_id: `${run.workflowId}:1:1`,
      run_config: { policy: "START_FRESH_NEW_RUN", runtime_tags: [{ name: "maestro_subworkflow" }] },
      initiator: {
        type: "SUBWORKFLOW",
        depth: 1,
        ancestors: [{ workflow_id: run.workflowId, instance_id: 1, run_id: 1, step_id: "sub", step_attempt_id: 1 }],
      },
    });
  },

  "subworkflow: the child gets the workflow's params and the step's, which win over its own": async () => {
    const child = await given([noop("leaf", having({ seen: text("${who} ${up} ${own}") }))], {
      params: { who: text("nobody"), own: text("own") },
    });
    const steps = [subworkflow("sub", child.id, having({ who: text("ann") }))];
    const run = await (await given(steps, { params: { up: text("above") } })).start();
    await run.ends("SUCCEEDED");
    const made = await run.step("sub").child();
    expect(await made.step("leaf").value("seen")).toBe("ann above own");
    expect((await made.read()).params.who?.source).toBe("SUBWORKFLOW");
  },

  "subworkflow: with explicit params the child gets those of the step alone": async () => {
    const child = await given([noop("leaf")], { params: { up: text("own") } });
    const steps = [subworkflow("sub", child.id, having({ extra: long(1) }), { explicit_params: true })];
    const run = await (await given(steps, { params: { up: text("above"), other: long(2) } })).start();
    await run.ends("SUCCEEDED");
    const { params } = await (await run.step("sub").child()).read();
    expect([params.up?.evaluated_result, params.extra?.evaluated_result, params.other]).toEqual(["own", 1, undefined]);
  },

  "subworkflow: the workflow id and the owner that a child sees are its own": async () => {
    const { run, child } = await launched([noop("leaf", having({ seen: text("${workflow_id}") }))]);
    await run.ends("SUCCEEDED");
    expect(await child.step("leaf").value("seen")).toBe(child.workflowId);
  },

  "subworkflow: a param that the child holds constant cannot be passed another value": async () => {
    const child = await given([noop("leaf")], { params: { fixed: { ...long(1), mode: "CONSTANT" } } });
    const equal = subworkflow("equal", child.id, having({ fixed: long(1) }));
    const other = subworkflow("other", child.id, having({ fixed: long(2) }));
    const run = await (await given([equal, other])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ equal: "SUCCEEDED", other: "FATALLY_FAILED" });
  },

  "subworkflow: the child is the active version, unless another is named": async () => {
    const child = await given([noop("one")]);
    await child.push([noop("two")], {}, { is_active: false });
    const version = (name: string): Part => having({ subworkflow_version: text(name) });
    const steps = [
      subworkflow("plain", child.id),
      subworkflow("latest", child.id, version("latest")),
      subworkflow("numbered", child.id, version("2")),
    ];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    const ran = async (step: string) => (await (await run.step(step).child()).read()).workflow_version_id;
    expect([await ran("plain"), await ran("latest"), await ran("numbered")]).toEqual([1, 2, 2]);
  },

  "subworkflow: the child's id may come from a param": async () => {
    const child = await given([noop("leaf")]);
    const workflow = await given([subworkflow("sub", "${which}")], { params: { which: text("none") } });
    const run = await workflow.start({ which: text(child.id) });
    await run.ends("SUCCEEDED");
    expect((await run.step("sub").child()).workflowId).toBe(child.id);
  },

  "subworkflow: a child or a version that does not exist fails the step, and nothing is tried again": async () => {
    const child = await given([noop("leaf")]);
    const steps = [
      subworkflow("nobody", freshId("none")),
      subworkflow("noversion", child.id, having({ subworkflow_version: text("77") }), {
        failure_mode: "IGNORE_FAILURE",
      }),
    ];
    const run = await (await given(steps)).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ nobody: "FATALLY_FAILED", noversion: "COMPLETED_WITH_ERROR" });
    expect((await run.step("nobody").read()).step_attempt_id).toBe(1);
  },

  "subworkflow: a failed child fails the step": async () => {
    const { run, child } = await launched([fatal("bad")]);
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ sub: "FATALLY_FAILED" });
    expect((await child.read()).status).toBe("FAILED");
    expect((await run.step("sub").read()).step_attempt_id).toBe(1);
  },

  "subworkflow: a failed child is ignored when the step's failure mode says so": async () => {
    const { run } = await launched([fatal("bad")], { failure_mode: "IGNORE_FAILURE" });
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ sub: "COMPLETED_WITH_ERROR", after: "SUCCEEDED" });
  },

  "subworkflow: a stopped child stops the step": async () => {
    const { run, child } = await asleep();
    await child.stop();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ sub: "STOPPED" });
  },

  "subworkflow: a child past its timeout makes the step TIMED_OUT": async () => {
    const { run } = await launched([sleep("leaf", 600, { timeout: 1 })]);
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ sub: "TIMED_OUT" });
  },

  "subworkflow stop: the child and its steps are STOPPED": async () => {
    const { run, child } = await asleep();
    await run.step("sub").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ sub: "STOPPED" });
    expect((await child.read()).status).toBe("STOPPED");
    expect(await child.statuses()).toEqual({ leaf: "STOPPED" });
  },

  "subworkflow kill: the child is STOPPED, the step fails": async () => {
    const { run, child } = await asleep();
    await run.step("sub").does("kill");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ sub: "FATALLY_FAILED" });
    expect(await child.statuses()).toEqual({ leaf: "STOPPED" });
  },

  "subworkflow skip: the child is STOPPED, the step SKIPPED, and what follows runs": async () => {
    const { run, child } = await asleep();
    await run.step("sub").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ sub: "SKIPPED", after: "SUCCEEDED" });
    expect((await child.read()).status).toBe("STOPPED");
  },

  "subworkflow: past its timeout the step is TIMED_OUT, and its child STOPPED": async () => {
    const { run, child } = await launched(SLEEPS, { timeout: 3 });
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ sub: "TIMED_OUT" });
    expect((await child.read()).status).toBe("STOPPED");
  },

  "subworkflow async: the step succeeds as soon as the child is launched": async () => {
    const { run, child } = await asleep({ sync: false });
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ sub: "SUCCEEDED", after: "SUCCEEDED" });
    const { status, initiator } = await child.read();
    expect([status, initiator.ancestors?.[0]?.sync]).toEqual(["IN_PROGRESS", false]);
    await child.stop();
    await child.ends("STOPPED");
  },

  "subworkflow async: stopping the parent does not reach the child": async () => {
    const { id } = await given(SLEEPS);
    const run = await (await given([subworkflow("sub", id, { sync: false }), sleep("side", 600)])).start();
    const child = await run.step("sub").child();
    await child.step("leaf").reaches("RUNNING");
    await run.step("side").reaches("RUNNING");
    await run.stop();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ sub: "SUCCEEDED", side: "STOPPED" });
    expect((await child.read()).status).toBe("IN_PROGRESS");
    await child.stop();
    await child.ends("STOPPED");
  },

  "subworkflow: a child waits by its own run strategy; stopping the step ends it in the queue": async () => {
    const child = await given(SLEEPS);
    const first = await child.start();
    await first.reaches("IN_PROGRESS");
    const run = await (await given([subworkflow("sub", child.id)])).start();
    const queued = await run.step("sub").child();
    expect((await queued.read()).status).toBe("CREATED");
    await run.step("sub").does("stop");
    await run.ends("STOPPED");
    expect((await queued.read()).status).toBe("STOPPED");
    expect((await first.read()).status, "the child's other run").toBe("IN_PROGRESS");
    await first.stop();
    await first.ends("STOPPED");
  },

  "subworkflow: a child that its run strategy does not let run stops the step": async () => {
    const child = await given(SLEEPS, {}, { run_strategy: "FIRST_ONLY" });
    const first = await child.start();
    const run = await (await given([subworkflow("sub", child.id)])).start();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ sub: "STOPPED" });
    await first.stop();
    await first.ends("STOPPED");
  },

  "subworkflow: one that starts itself ends at a depth of ten": async () => {
    const id = freshId("deep");
    const workflow = new Workflow(id);
    await workflow.push([subworkflow("sub", id)], {}, { properties: { owner: "tester", run_strategy: 50 } });
    const run = await workflow.start();
    await run.ends("FAILED");
    expect((await workflow.overview()).latest_instance_id).toBe(10);
    expect(await run.statuses()).toEqual({ sub: "FATALLY_FAILED" });
  },
};
