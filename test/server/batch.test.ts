/** Many starts of one workflow as one decision, as triggers ask for them. */
import { expect, test } from "bun:test";
import type { StartCommand, StartReply, StartRequest } from "../../src/flow/protocol.ts";
import { inOneThread } from "./node.ts";

const { sql, pool, port, send } = await inOneThread();

/** Runs of it stay under way. */
async function push(id: string, run_strategy: string | number): Promise<void> {
  const step = { id: "nap", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 1 } } };
  const params = { n: { type: "LONG", value: 1 }, doubled: { type: "LONG", expression: "n * 2" } };
  const properties = { owner: "ann", run_strategy };
  await send("POST", "", { body: JSON.stringify({ properties, workflow: { id, params, steps: [{ step }] } }) });
}

const uuidOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

function command(workflowId: string, number: number | undefined, more: Partial<StartRequest> = {}): StartCommand {
  const request: StartRequest = {
    initiator: { type: "MANUAL", depth: 0, user: "ann" },
    requestTime: 1,
    requestId: number === undefined ? undefined : uuidOf(number),
    runtimeTags: undefined,
    runParams: undefined,
    artifacts: undefined,
    persistFailedRun: false,
    ...more,
  };
  return { workflowId, version: "latest", request, user: "ann" };
}

const commands = (workflowId: string, count: number, first = 1): readonly StartCommand[] =>
  Array.from({ length: count }, (_, i) => command(workflowId, first + i));
const shown = (replies: readonly StartReply[]) => replies.map((it) => `${it.status} ${it.instanceId}`);
const ids = (from: number, to: number, status: string) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${status} ${from + i}`);
const statuses = async (workflowId: string) =>
  (
    await sql<{ status: string; gone: boolean }[]>`SELECT status, execution_id IS NOT NULL AS gone FROM run
      WHERE workflow_id = ${workflowId} ORDER BY instance_id`
  ).map(({ status, gone }) => (gone ? `${status}+` : status));
const countOf = async (workflowId: string) => (await statuses(workflowId)).length;

const MANY = 10_000;

test(`${MANY} starts at once are decided in their order, exactly once`, async () => {
  await push("many", "SEQUENTIAL");
  const all = commands("many", MANY);
  const [first, again] = await Promise.all([pool.startBatch(all), pool.startBatch(all)]);
  expect(shown(first)).toEqual(ids(1, MANY, "CREATED"));
  expect(first.map(({ uuid }) => uuid)).toEqual(all.map(({ request }) => request.requestId as string));
  expect(shown(again)).toEqual(ids(1, MANY, "DUPLICATED"));
  const rows = await sql`SELECT uuid FROM run WHERE workflow_id = 'many' ORDER BY instance_id`;
  expect(rows.map(({ uuid }) => uuid)).toEqual(all.map(({ request }) => request.requestId));
  const [running, ...waiting] = await statuses("many");
  expect([running?.endsWith("+"), ...new Set(waiting)]).toEqual([true, "CREATED"]);
}, 60_000);

test("batches and single starts that come together follow each other", async () => {
  await push("mixed", "SEQUENTIAL");
  const [batch, one, other] = await Promise.all([
    pool.startBatch(commands("mixed", 600)),
    pool.start(command("mixed", 700)),
    pool.startBatch(commands("mixed", 2, 800)),
  ]);
  expect(shown(batch)).toEqual(ids(1, 600, "CREATED"));
  expect(shown([one, ...other])).toEqual(ids(601, 603, "CREATED"));
});

test.each([
  ["FIRST_ONLY", ["CREATED 1", "STOPPED 2", "STOPPED 3"]],
  ["LAST_ONLY", ["STOPPED 1", "STOPPED 2", "CREATED 3"]],
  ["SERIAL_LATEST_ONLY", ["STOPPED 1", "STOPPED 2", "CREATED 3"]],
  ["STRICT_SEQUENTIAL", ["CREATED 1", "CREATED 2", "CREATED 3"]],
])("under %s the batch is one decision: %j", async (rule, replies) => {
  const id = `rule-${rule}`;
  await push(id, rule);
  const [one, two, three] = commands(id, 3) as [StartCommand, StartCommand, StartCommand];
  expect(shown(await pool.startBatch([one, two, three]))).toEqual(replies);
  const launched = (await statuses(id)).filter((it) => it.endsWith("+"));
  expect(launched).toHaveLength(1);
});

test("a repeated uuid is answered with the run of the first, and only the last that is new survives", async () => {
  await push("dup", "LAST_ONLY");
  await pool.start(command("dup", 1));
  const [a, b] = [command("dup", 2), command("dup", 3)];
  const replies = await pool.startBatch([a, a, b, command("dup", 1), a]);
  expect(shown(replies)).toEqual(["STOPPED 2", "DUPLICATED 2", "CREATED 3", "DUPLICATED 1", "DUPLICATED 2"]);
});

const broken = { runParams: { n: { type: "LONG", expression: "nothing" } } } as unknown as Partial<StartRequest>;

test("none is started when one of them is not good, and it is said which", async () => {
  await push("bad", "PARALLEL");
  const good = command("bad", 1);
  const refused = async (bad: StartCommand) => {
    await expect(pool.startBatch([good, bad, command("bad", 3)])).rejects.toThrow(/^Start \[2\] of a batch of \[3\]: /);
    expect(await countOf("bad")).toBe(0);
  };
  await refused(command("bad", 2, broken));
  await refused({ ...command("bad", 2), version: "9" });
  await refused({ ...command("bad", 2), version: "x" });
  await refused(command("other", 2));
  await expect(pool.startBatch([command("nobody", 1)])).rejects.toThrow("Workflow [nobody] has not been created");
});

test("a run that can't be initialised and is kept is one of the batch", async () => {
  await push("kept", "SEQUENTIAL");
  const kept = command("kept", 1, { ...broken, persistFailedRun: true });
  expect(shown(await pool.startBatch([kept, command("kept", 2)]))).toEqual(["CREATED 1", "CREATED 2"]);
  expect((await statuses("kept"))[0]).toBe("FAILED");
});

test("of a paused workflow all wait, or none is made", async () => {
  await push("paused", "PARALLEL");
  await send("PUT", "/paused/actions/pause");
  await pool.startBatch(commands("paused", 2));
  expect(await statuses("paused")).toEqual(["CREATED", "CREATED"]);
  await push("unqueued", "FIRST_ONLY");
  await send("PUT", "/unqueued/actions/pause");
  const kept = command("unqueued", 1, { ...broken, persistFailedRun: true });
  await expect(pool.startBatch([kept, command("unqueued", 2)])).rejects.toThrow("is paused");
  expect(await countOf("unqueued")).toBe(0);
});

test("a batch that was read before the workflow changed begins anew, as a whole", async () => {
  await push("changed", "SEQUENTIAL");
  await pool.start(command("changed", 1));
  await push("changed", "LAST_ONLY");
  const replies = await pool.startBatch([command("changed", 1), command("changed", 2), command("changed", 3)]);
  expect(shown(replies)).toEqual(["DUPLICATED 1", "STOPPED 2", "CREATED 3"]);
  expect(replies.map(({ versionId }) => versionId)).toEqual([1, 2, 2]);
});

test("nothing to start is no start, and a single one answers as a start does", async () => {
  expect(await pool.startBatch([])).toEqual([]);
  await push("single", "SEQUENTIAL");
  const [reply] = await pool.startBatch([command("single", 1)]);
  expect(reply).toMatchObject({ status: "CREATED", instanceId: 1 });
  expect(port.isRunning({ workflowId: "single", instanceId: 1, runId: 1 })).toBe(true);
});
