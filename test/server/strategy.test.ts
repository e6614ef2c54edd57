/** What makes a run strategy let runs go at once, on a node whose clock stands: no sweep helps out. */
import { expect, test } from "bun:test";
import type { RunRef } from "../../src/run/model.ts";
import { inOneThread } from "./node.ts";

const { sql, send } = await inOneThread();

/** Runs of it stay under way until they are ended by hand. */
async function push(id: string, run_strategy: unknown): Promise<void> {
  const step = { id: "nap", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 1 } } };
  const properties = { owner: "ann", run_strategy };
  await send("POST", "", { body: JSON.stringify({ properties, workflow: { id, steps: [{ step }] } }) });
}

const change = (id: string, properties: object) =>
  send("POST", `/${id}/properties`, { body: JSON.stringify(properties) });
const start = (id: string) =>
  send("POST", `/${id}/versions/latest/actions/start`, { body: JSON.stringify({ initiator: { type: "manual" } }) });
const act = (path: string) => send("PUT", path);

/** Runs by instance and run: how each stands, and with a + if it was let go. */
async function runs(id: string): Promise<string> {
  const rows = await sql<(RunRef & { text: string })[]>`SELECT instance_id || '/' || run_id || ' ' ||
      CASE WHEN status = 'IN_PROGRESS' THEN 'CREATED' ELSE status END ||
      CASE WHEN execution_id IS NOT NULL THEN '+' ELSE '' END AS text
    FROM run WHERE workflow_id = ${id} ORDER BY instance_id, run_id`;
  return rows.map(({ text }) => text).join(", ");
}

/** As soon as it is so. */
async function soon(id: string, expected: string, read = runs): Promise<void> {
  const end = performance.now() + 10_000;
  let seen = await read(id);
  while (seen !== expected && performance.now() < end) seen = await read(id);
  expect(seen).toBe(expected);
}

test("a raised concurrency lets runs go that wait, the oldest first; a push does, too", async () => {
  await push("raised", "SEQUENTIAL");
  for (let i = 0; i < 5; i++) await start("raised");
  await soon("raised", "1/1 CREATED+, 2/1 CREATED, 3/1 CREATED, 4/1 CREATED, 5/1 CREATED");
  await change("raised", { run_strategy: 3 });
  await soon("raised", "1/1 CREATED+, 2/1 CREATED+, 3/1 CREATED+, 4/1 CREATED, 5/1 CREATED");
  await push("raised", { rule: "PARALLEL", workflow_concurrency: 4 });
  await soon("raised", "1/1 CREATED+, 2/1 CREATED+, 3/1 CREATED+, 4/1 CREATED+, 5/1 CREATED");
  await change("raised", { reset_workflow_concurrency: true });
  await soon("raised", "1/1 CREATED+, 2/1 CREATED+, 3/1 CREATED+, 4/1 CREATED+, 5/1 CREATED+");
});

test("a lowered one lets those under way be, and nobody go before there is room", async () => {
  await push("lowered", 3);
  for (let i = 0; i < 4; i++) await start("lowered");
  await change("lowered", { reset_run_strategy_rule: true });
  await act("/lowered/instances/1/actions/stop");
  await soon("lowered", "1/1 STOPPED+, 2/1 CREATED+, 3/1 CREATED+, 4/1 CREATED");
  await act("/lowered/instances/2/actions/stop");
  await soon("lowered", "1/1 STOPPED+, 2/1 STOPPED+, 3/1 CREATED+, 4/1 CREATED");
  await act("/lowered/instances/3/actions/stop");
  await soon("lowered", "1/1 STOPPED+, 2/1 STOPPED+, 3/1 STOPPED+, 4/1 CREATED+");
});

test("what waits when a rule comes that does not queue goes in its turn", async () => {
  await push("unqueued", "SEQUENTIAL");
  await start("unqueued");
  await start("unqueued");
  await expect(change("unqueued", { run_strategy: "FIRST_ONLY" })).rejects.toThrow(/: 412 /);
  await act("/unqueued/instances/1/actions/stop");
  await soon("unqueued", "1/1 STOPPED+, 2/1 CREATED+");
  await change("unqueued", { run_strategy: "FIRST_ONLY" });
  await start("unqueued");
  await soon("unqueued", "1/1 STOPPED+, 2/1 CREATED+, 3/1 STOPPED");
});

test("a failed run of a strictly sequential workflow is unblocked alone or with all of the workflow", async () => {
  await push("strict", "STRICT_SEQUENTIAL");
  for (let i = 0; i < 3; i++) await start("strict");
  await act("/strict/instances/1/actions/kill");
  await soon("strict", "1/1 FAILED+, 2/1 CREATED, 3/1 CREATED");
  await act("/strict/instances/1/actions/unblock");
  await soon("strict", "1/1 FAILED_1+, 2/1 CREATED+, 3/1 CREATED");
  await act("/strict/instances/2/actions/kill");
  await soon("strict", "1/1 FAILED_1+, 2/1 FAILED+, 3/1 CREATED");
  await act("/strict/actions/unblock");
  await soon("strict", "1/1 FAILED_1+, 2/1 FAILED_1+, 3/1 CREATED+");
  await act("/strict/instances/3/actions/stop");
  await start("strict");
  await soon("strict", "1/1 FAILED_1+, 2/1 FAILED_1+, 3/1 STOPPED+, 4/1 CREATED+");
});

const restart = (id: string, instance: number) =>
  send("POST", `/${id}/instances/${instance}/actions/restart`, {
    body: JSON.stringify({ restart_policy: "RESTART_FROM_BEGINNING" }),
  });

test("a restart takes the failed run out of the way: of itself, and of those that go before it", async () => {
  await push("again", "STRICT_SEQUENTIAL");
  for (let i = 0; i < 3; i++) await start("again");
  await act("/again/instances/1/actions/stop");
  await soon("again", "1/1 STOPPED+, 2/1 CREATED+, 3/1 CREATED");
  await act("/again/instances/2/actions/kill");
  await soon("again", "1/1 STOPPED+, 2/1 FAILED+, 3/1 CREATED");
  await restart("again", 1);
  await soon("again", "1/1 STOPPED+, 1/2 CREATED, 2/1 FAILED+, 3/1 CREATED");
  await restart("again", 2);
  await soon("again", "1/1 STOPPED+, 1/2 CREATED+, 2/1 FAILED_2+, 2/2 CREATED, 3/1 CREATED");
  await act("/again/instances/1/actions/stop");
  await soon("again", "1/1 STOPPED+, 1/2 STOPPED+, 2/1 FAILED_2+, 2/2 CREATED+, 3/1 CREATED");
});

test("of a paused workflow what runs goes on, and what waits goes in its order when it is resumed", async () => {
  await push("paused", 2);
  await start("paused");
  await act("/paused/actions/pause");
  for (let i = 0; i < 3; i++) await start("paused");
  await change("paused", { run_strategy: 3 });
  await act("/paused/instances/1/actions/stop");
  await soon("paused", "1/1 STOPPED+, 2/1 CREATED, 3/1 CREATED, 4/1 CREATED");
  await restart("paused", 1);
  await soon("paused", "1/1 STOPPED+, 1/2 CREATED, 2/1 CREATED, 3/1 CREATED, 4/1 CREATED");
  await act("/paused/actions/resume");
  await soon("paused", "1/1 STOPPED+, 1/2 CREATED+, 2/1 CREATED+, 3/1 CREATED+, 4/1 CREATED");
});

/** A workflow whose only step starts another one. */
async function pushParent(id: string, child: string): Promise<void> {
  const params = {
    subworkflow_id: { type: "STRING", value: child },
    subworkflow_version: { type: "STRING", value: "latest" },
  };
  const steps = [{ subworkflow: { id: "sub", params } }];
  const properties = { owner: "ann", run_strategy: "PARALLEL" };
  await send("POST", "", { body: JSON.stringify({ properties, workflow: { id, steps } }) });
}

test("what a step starts of a paused workflow waits, and goes when that is resumed", async () => {
  await push("child", "SEQUENTIAL");
  await pushParent("parent", "child");
  await act("/child/actions/pause");
  await start("parent");
  await soon("child", "1/1 CREATED");
  await soon("parent", "1/1 CREATED+");
  await act("/child/actions/resume");
  await soon("child", "1/1 CREATED+");
  await act("/child/instances/1/actions/stop");
  await soon("child", "1/1 STOPPED+");
  await soon("parent", "1/1 STOPPED+");
});

/** The instances for which the steps of a workflow wait: it is stored after the step has read them for the last time. */
async function awaited(id: string): Promise<string> {
  const rows = await sql<
    { instance: string }[]
  >`SELECT a.artifacts->'maestro_subworkflow'->>'subworkflow_instance_id' AS instance
    FROM step_attempt a JOIN run r ON r.key = a.run_key WHERE r.workflow_id = ${id} AND a.artifacts IS NOT NULL`;
  return rows.map(({ instance }) => instance).join(", ");
}

test.each([
  ["a newer run", "newer", (id: string) => start(id)],
  ["a user", "one", (id: string) => act(`/${id}/instances/2/actions/stop`)],
  ["a user, with all of its workflow,", "all", (id: string) => act(`/${id}/actions/stop`)],
])("when %s stops what a step has started and still waits, the step's run is told", async (_who, id, stop) => {
  await push(id, "SERIAL_LATEST_ONLY");
  await pushParent(`parent-of-${id}`, id);
  await start(id);
  await start(`parent-of-${id}`);
  await soon(id, "1/1 CREATED+, 2/1 CREATED");
  await soon(`parent-of-${id}`, "2", awaited);
  await stop(id);
  await soon(`parent-of-${id}`, "1/1 STOPPED+");
});
