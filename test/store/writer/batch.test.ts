import { expect, test } from "bun:test";
import type { Write } from "../../../src/flow/port.ts";
import { DEQUEUE } from "../../../src/store/outbox.ts";
import { batchOf, type Request, runsOf } from "../../../src/store/writer/batch.ts";

const request = (number: number, rows: readonly Write[]): Request => ({
  number,
  stamp: { groupId: 1, generation: 1 },
  rows,
  settled: undefined,
});
const told = (key: string): Write => ({ kind: "outbox", topic: DEQUEUE, key });

test("keys that several nodes write stand in one order, so that two batches can't wait for each other", () => {
  const batch = batchOf([
    request(1, [told("c"), { kind: "outbox", topic: "own", key: "z" }]),
    request(2, [told("a"), told("b"), told("a")]),
  ]);
  expect(batch.outbox.map(({ key }) => key)).toEqual(["a", "b", "c", "z"]);
});

test("a request belongs to every run of which it holds something", () => {
  const rows: readonly Write[] = [
    { kind: "words-taken", runKey: 7, stepId: "s" },
    { kind: "run", key: 8, change: {} as never },
    { kind: "paused", runKey: 9, stepId: "s", attemptId: 1, since: 1 },
    told("w"),
  ];
  expect(runsOf(request(1, rows))).toEqual(new Set([7, 8, 9]));
});
