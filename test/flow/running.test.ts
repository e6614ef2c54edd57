import { expect, test } from "bun:test";
import { Running } from "../../src/flow/running.ts";

const run = (instanceId: number) => ({ workflowId: "wf", instanceId, runId: 1 });
const known = (running: Running): number[] => [1, 2, 3].filter((id) => running.has(run(id)));

test("a run is known until it has ended", () => {
  const running = new Running();
  running.add(run(1), 0);
  running.add(run(2), 0);
  running.ended(run(1));
  expect(known(running)).toEqual([2]);
});

test("the oldest run is forgotten when there are too many", () => {
  const running = new Running(2);
  for (const id of [1, 2, 3]) running.add(run(id), 0);
  expect(known(running)).toEqual([2, 3]);
});

test("the runs of a group that is given up are forgotten, and no others", () => {
  const running = new Running();
  for (const id of [1, 2, 3]) running.add(run(id), id);
  running.disown([1, 3]);
  expect(known(running)).toEqual([2]);
});
