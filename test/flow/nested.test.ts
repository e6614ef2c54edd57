/** A step whose work are other runs, once it is about to end: nothing below it runs again. */
import { expect, test } from "bun:test";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { RestartConfig } from "../../src/definition/restart.ts";
import { MaestroError } from "../../src/error.ts";
import { NestedStep } from "../../src/flow/nested/step.ts";
import type { TaskParent, TaskView } from "../../src/flow/parent.ts";

const RESTART = {
  restart_path: [
    { workflow_id: "body", instance_id: 1, step_id: null },
    { workflow_id: "w", instance_id: 1, step_id: "loop" },
  ],
  restart_policy: "RESTART_FROM_INCOMPLETE",
  downstream_policy: "RESTART_FROM_INCOMPLETE",
} as RestartConfig;

/** Waits for nothing. */
const clock: Clock = { ...systemClock, after: (_, callback) => systemClock.soon(callback) };

/** @param read what becomes of the look at the iterations that an iteration that is to run again begins with */
function loop(read: () => Promise<never>) {
  const it = { reads: 0 };
  const iterations = () => {
    it.reads++;
    return read();
  };
  const engine = { clock, store: { iterations } };
  const artifacts = { maestro_foreach: { foreach_workflow_id: "body" } };
  const node = { id: "loop", kind: "foreach", body: { id: "loop" } };
  const run = { key: 1, workflowId: "w", instanceId: 1, runId: 1, config: {}, properties: {} };
  const parent = { run, stamp: { groupId: 0, generation: 1 } };
  const attempt: { uuid: string; attemptId: number; artifacts: object } = { uuid: "u", attemptId: 1, artifacts: {} };
  const step = new NestedStep(
    { engine, children: {}, wake: () => {} } as never,
    parent as unknown as TaskParent,
    { node, attempt } as unknown as TaskView,
  );
  const begin = (): void => {
    attempt.artifacts = artifacts;
  };
  return { it, step, begin };
}

const broken = async (): Promise<never> => {
  throw new Error("this is not to be asked");
};

test("no iteration runs again once the step is being ended", async () => {
  const { it, step, begin } = loop(broken);
  await step.terminate(false);
  begin();
  await step.again(RESTART);
  expect(it.reads).toBe(0);
});

test("no iteration runs again below a step that has ended", async () => {
  const { it, step, begin } = loop(broken);
  begin();
  step.close();
  await step.again(RESTART);
  expect(it.reads).toBe(0);
});

test("what can't be done now is not tried again once the step has ended", async () => {
  const { it, step, begin } = loop(async () => {
    step.close();
    throw new MaestroError("UNAVAILABLE", "the database does not answer");
  });
  begin();
  await step.again(RESTART);
  expect(it.reads).toBe(1);
});
