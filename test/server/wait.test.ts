/** Long polls for runs that are under way on the node that is asked. */
import { expect, test } from "bun:test";
import { RE_READ } from "../../src/api/wait.ts";
import { isJsonObject, parseJson } from "../../src/json.ts";
import type { RunRef } from "../../src/run/model.ts";
import { ALL_GROUPS, inOneThread } from "./node.ts";

const { sql, pool, port, send, reads, begun, asked, pass, wait } = await inOneThread();

const NAP = 1_000;
const STEP = { id: "nap", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 1 } } };

const read = (text: string) => {
  const answer = parseJson(text);
  if (!isJsonObject(answer)) throw new Error(text);
  return answer;
};

/** A run that is under way, whose definition the API has read. */
async function underWay(id: string): Promise<string> {
  const properties = { owner: "ann", run_strategy: "PARALLEL" };
  await send("POST", "", { body: JSON.stringify({ properties, workflow: { id, steps: [{ step: STEP }] } }) });
  const step = begun();
  const body = JSON.stringify({ initiator: { type: "manual" } });
  const run = read(await send("POST", `/${id}/versions/latest/actions/start`, { body }));
  await step;
  const path = `/${id}/instances/${run.workflow_instance_id}/runs/${run.workflow_run_id}`;
  await send("GET", path);
  return path;
}

/** A long poll that waits. */
async function waiting(path: string, query = "?wait=60", signal?: AbortSignal): Promise<{ answer: Promise<string> }> {
  const begins = asked();
  const answer = send("GET", path + query, { ...(signal && { signal }) });
  await begins;
  return { answer };
}

const refOf = (workflowId: string): RunRef => ({ workflowId, instanceId: 1, runId: 1 });
const endOf = (id: string): Promise<void> => new Promise((resolve) => port.onRunEnded(refOf(id), () => resolve()));
const status = async (answer: Promise<string>) => read(await answer).status;

test("a run that is under way here is answered with the row of its last commit, as it would be read", async () => {
  const path = await underWay("once");
  const before = reads();
  const { answer } = await waiting(path);
  pass(NAP);
  const waited = await answer;
  expect(reads()).toBe(before);
  expect(read(waited).status).toBe("SUCCEEDED");
  expect(waited).toBe(await send("GET", path));
});

test("a run whose last commit was shared is read when its end was told", async () => {
  const paths = [await underWay("one"), await underWay("other")];
  const before = reads();
  const polls = [];
  for (const path of paths) polls.push(await waiting(path));
  expect(reads()).toBe(before);
  pass(NAP);
  for (const { answer } of polls) expect(await status(answer)).toBe("SUCCEEDED");
  expect(reads()).toBe(before + 2);
});

test("a run that had ended before somebody waits for it is read at once", async () => {
  const path = await underWay("ended");
  expect(pool.isRunning(refOf("ended"))).toBe(true);
  const told = endOf("ended");
  pass(NAP);
  await told;
  expect(pool.isRunning(refOf("ended"))).toBe(false);
  expect(await status(send("GET", `${path}?wait=60`))).toBe("SUCCEEDED");
});

test("a run that has not ended is read when the wait is over", async () => {
  const { answer } = await waiting(await underWay("unended"), "?wait=1");
  wait(1_000);
  expect(await status(answer)).toBe("IN_PROGRESS");
});

test("a run whose end was not told is read after a while", async () => {
  const { answer } = await waiting(await underWay("silent"));
  await sql`UPDATE run SET status = 'FAILED' WHERE workflow_id = 'silent'`;
  wait(RE_READ);
  expect(await status(answer)).toBe("FAILED");
});

test("nobody is waited for who has gone", async () => {
  const client = new AbortController();
  const { answer } = await waiting(await underWay("gone"), "?wait=60", client.signal);
  client.abort();
  expect(await status(answer)).toBe("IN_PROGRESS");
});

test("a run whose group was given up is read at once", async () => {
  const path = await underWay("moved");
  await pool.disown(ALL_GROUPS);
  await sql`UPDATE run SET status = 'STOPPED' WHERE workflow_id = 'moved'`;
  expect(await status(send("GET", `${path}?wait=60`))).toBe("STOPPED");
});
