import { expect, test } from "bun:test";
import { TimerHeap } from "../../src/flow/timer.ts";
import { Timing } from "../../src/flow/timing.ts";
import { FakeClock } from "../simulation/clock.ts";

function timed() {
  const clock = new FakeClock();
  const heap = new TimerHeap(clock);
  const fired: string[] = [];
  const start = clock.now();
  const timing = new Timing<"a" | "b">(heap, (name, time) => fired.push(`${name}@${time - start}`));
  return { clock, heap, fired, timing, start };
}

test("what is wanted is due when it is wanted, and is forgotten then", () => {
  const { clock, heap, fired, timing, start } = timed();
  timing.set({ a: start + 10, b: start + 5 });
  clock.moveTo(start + 20);
  expect([fired, heap.size]).toEqual([["b@5", "a@10"], 0]);
});

test("what is wanted no more, or at another time, is not due", () => {
  const { clock, heap, fired, timing, start } = timed();
  timing.set({ a: start + 10, b: start + 10 });
  timing.set({ a: start + 30 });
  clock.moveTo(start + 20);
  expect([fired, heap.size]).toEqual([[], 1]);
  clock.moveTo(start + 30);
  expect(fired).toEqual(["a@30"]);
});

test("what stays as it was is armed once", () => {
  const { clock, heap, fired, timing, start } = timed();
  timing.set({ a: start + 10 });
  timing.set({ a: start + 10, b: start + 40 });
  expect(heap.size).toBe(2);
  clock.moveTo(start + 10);
  expect(fired).toEqual(["a@10"]);
});
