import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { type Scheduled, Scheduler } from "../../src/flow/scheduler.ts";

const turns = (rounds: number): Promise<void> =>
  rounds === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(() => resolve(turns(rounds - 1))));

const free = {
  clock: systemClock,
  congested: () => false,
  relief: () => Promise.resolve(),
};

/** A flow that wants a number of turns and notes each. */
function flow(name: string, wanted: number, notes: string[]): Scheduled {
  let left = wanted;
  return {
    turn() {
      notes.push(name);
      return --left > 0;
    },
    failed(error) {
      notes.push(`${name} failed: ${error}`);
    },
  };
}

test("flows take turns, and one that is ready twice stands in the queue once", async () => {
  const notes: string[] = [];
  const scheduler = new Scheduler(free);
  const [a, b] = [flow("a", 2, notes), flow("b", 2, notes)];
  for (const each of [a, b, a]) scheduler.ready(each);
  await turns(3);
  expect(notes).toEqual(["a", "b", "a", "b"]);
});

test("a slice ends with a return to the event loop, however much there is to do", async () => {
  const notes: string[] = [];
  const scheduler = new Scheduler({ ...free, slice: 0 });
  setImmediate(() => notes.push("event loop"));
  for (const name of ["a", "b", "c"]) scheduler.ready(flow(name, 1, notes));
  await turns(4);
  expect(notes.indexOf("event loop")).toBeLessThan(notes.indexOf("c"));
  expect(notes).toHaveLength(4);
});

test("while the writer is congested nobody gets a turn; relief lets them go on", async () => {
  const notes: string[] = [];
  const relief = Promise.withResolvers<void>();
  let congested = true;
  const scheduler = new Scheduler({ ...free, congested: () => congested, relief: () => relief.promise });
  scheduler.ready(flow("a", 1, notes));
  await turns(3);
  expect(notes).toEqual([]);
  congested = false;
  relief.resolve();
  await turns(2);
  expect(notes).toEqual(["a"]);
});

test("a stopped scheduler gives no turn", async () => {
  const notes: string[] = [];
  const scheduler = new Scheduler(free);
  scheduler.ready(flow("a", 1, notes));
  scheduler.stop();
  await turns(2);
  expect(notes).toEqual([]);
});

test("a turn that throws is its flow's own fault: the others get theirs, and it gets no further one", async () => {
  const notes: string[] = [];
  const scheduler = new Scheduler(free);
  const bad: Scheduled = {
    ...flow("bad", 1, notes),
    turn() {
      throw "a bug";
    },
  };
  for (const each of [flow("a", 2, notes), bad, flow("b", 1, notes)]) scheduler.ready(each);
  await turns(3);
  expect(notes).toEqual(["a", "bad failed: a bug", "b", "a"]);
});
