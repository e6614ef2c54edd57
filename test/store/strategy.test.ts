/** Run strategies under random starts, ends and dequeues: what holds for each rule, whatever the order. */
import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RUN_STRATEGY_RULES, type RunStrategyRule } from "../../src/definition/strategy.ts";
import { dequeue } from "../../src/store/run.ts";
import { startRuns } from "../../src/store/start.ts";
import { checkStrategyChange } from "../../src/store/version.ts";
import { freshDatabase } from "../support/database.ts";
import { newRun, workflow } from "./fixture.ts";

const db = await freshDatabase();
afterAll(() => db.close());

let count = 0;
const CONCURRENCY = 3;
const step = fc.oneof(
  fc.record({ do: fc.constant("start" as const), runs: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("end" as const), status: fc.constantFrom("SUCCEEDED", "FAILED", "STOPPED") }),
  fc.record({ do: fc.constant("dequeue" as const) }),
);

interface State {
  readonly id: number;
  readonly status: string;
  readonly launched: boolean;
}

const read = async (id: string): Promise<readonly State[]> =>
  await db.sql<State[]>`SELECT instance_id AS id, status, execution_id IS NOT NULL AS launched FROM run
    WHERE workflow_id = ${id} ORDER BY instance_id`;

function check(rule: RunStrategyRule, states: readonly State[], launches: readonly number[]): void {
  const running = states.filter((run) => run.status === "CREATED" && run.launched);
  const waiting = states.filter((run) => run.status === "CREATED" && !run.launched);
  expect(running.length).toBeLessThanOrEqual(rule === "PARALLEL" ? CONCURRENCY : 1);
  expect(launches).toEqual([...launches].sort((a, b) => a - b));
  if (rule === "LAST_ONLY" || rule === "SERIAL_LATEST_ONLY") expect(waiting.length).toBeLessThanOrEqual(1);
  if (rule === "FIRST_ONLY") expect(waiting).toEqual([]);
}

/** After a dequeue, what waits has a reason to. */
function checkIdle(rule: RunStrategyRule, states: readonly State[]): void {
  const running = states.filter((run) => run.status === "CREATED" && run.launched);
  const waiting = states.filter((run) => run.status === "CREATED" && !run.launched);
  const isBlocked = rule === "STRICT_SEQUENTIAL" && states.some((run) => run.status === "FAILED");
  if (waiting.length === 0 || isBlocked) return;
  expect(running).toHaveLength(rule === "PARALLEL" ? CONCURRENCY : 1);
}

describe("a run strategy never lets more run than it may, keeps the order, and forgets nobody", () => {
  for (const rule of Object.keys(RUN_STRATEGY_RULES) as RunStrategyRule[]) {
    test(rule, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const id = `s${++count}`;
          const internalId = await workflow(db.sql, id, rule, rule === "PARALLEL" ? CONCURRENCY : 1);
          const launches: number[] = [];
          let uuid = 0;
          for (const item of [...steps, { do: "dequeue" } as const]) {
            if (item.do === "start") {
              const requests = Array.from({ length: item.runs }, () => newRun(id, internalId, `${id}-${++uuid}`));
              for (const outcome of (await startRuns(db.sql, requests)).outcomes) {
                if (outcome.result === "CREATED" && outcome.run.executionId) launches.push(outcome.run.instanceId);
              }
            } else if (item.do === "end") {
              await db.sql`UPDATE run SET status = ${item.status} WHERE key = (SELECT min(key) FROM run
                  WHERE workflow_id = ${id} AND status = 'CREATED' AND execution_id IS NOT NULL)`;
            } else launches.push(...(await dequeue(db.sql, [id])).map((run) => run.instanceId));
            const states = await read(id);
            check(rule, states, launches);
            if (item.do === "dequeue") checkIdle(rule, states);
          }
        }),
        { numRuns: 15 },
      );
    }, 30_000);
  }
});

test("a batch whose commit was not heard of is not made twice", async () => {
  const internalId = await workflow(db.sql, "unheard", "SEQUENTIAL");
  const before = newRun("unheard", internalId, "before");
  await startRuns(db.sql, [before]);
  const requests = [...["a", "b", "a"].map((uuid) => newRun("unheard", internalId, uuid)), before];
  const { sql, lost } = losingAnswer();
  const { outcomes } = await startRuns(sql, requests);
  expect(lost()).toBe(true);
  expect(outcomes.map((outcome) => outcome.result)).toEqual(["CREATED", "CREATED", "DUPLICATED", "DUPLICATED"]);
  const rows = await db.sql<{ key: number }[]>`SELECT key FROM run WHERE workflow_id = 'unheard' ORDER BY key OFFSET 1`;
  const keys = outcomes.flatMap((outcome) => ("run" in outcome ? [outcome.run.key] : []));
  expect(rows.map((row) => row.key)).toEqual(keys);
});

test("runs that are paused stand in the way of a rule that lets one run be unfinished", async () => {
  const internalId = await workflow(db.sql, "paused", "PARALLEL", CONCURRENCY);
  await startRuns(
    db.sql,
    ["a", "b"].map((uuid) => newRun("paused", internalId, uuid)),
  );
  await db.sql`UPDATE run SET status = 'PAUSED' WHERE workflow_id = 'paused'`;
  const properties = (rule: RunStrategyRule) => ({ run_strategy: { rule, workflow_concurrency: CONCURRENCY } });
  const change = (to: RunStrategyRule) =>
    db.sql.begin((transaction) => checkStrategyChange(transaction, "paused", properties("PARALLEL"), properties(to)));
  for (const rule of ["FIRST_ONLY", "LAST_ONLY"] as const) {
    await expect(change(rule)).rejects.toThrow("two or more of its instances are unfinished");
  }
  await change("SEQUENTIAL");
});

/** The pool, but that the first answer is lost with its connection. */
function losingAnswer() {
  let isLost = false;
  const unsafe = (text: string, parameters: string[], options: object) => {
    const query = db.sql.unsafe(text, parameters, options);
    if (isLost) return query;
    isLost = true;
    return query.then(() => {
      throw Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });
    });
  };
  return { sql: { unsafe } as unknown as typeof db.sql, lost: () => isLost };
}
