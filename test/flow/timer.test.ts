import { expect, test } from "bun:test";
import fc from "fast-check";
import { TimerHeap } from "../../src/flow/timer.ts";
import { FakeClock } from "../simulation/clock.ts";

test("timers fire in the order of their times, cancelled ones never, with one clock timer armed", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ delay: fc.nat(1000), cancelled: fc.boolean() }), { maxLength: 60 }), (wanted) => {
      const clock = new FakeClock();
      const heap = new TimerHeap(clock);
      const start = clock.now();
      const fired: number[] = [];
      const timers = wanted.map(({ delay }) => heap.at(start + delay, () => fired.push(delay)));
      for (const [index, { cancelled }] of wanted.entries()) if (cancelled) timers[index]?.cancel();
      while (clock.next !== undefined) {
        expect(clock.armed).toBe(1);
        clock.moveTo(clock.next);
      }
      const due = wanted.filter(({ cancelled }) => !cancelled).map(({ delay }) => delay);
      expect(fired).toEqual(due.sort((a, b) => a - b));
    }),
  );
});

test("what is cancelled is not kept until it would have been due, wherever in the heap it stands", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (delays, keeps) => {
      const clock = new FakeClock();
      const heap = new TimerHeap(clock);
      const fired: number[] = [];
      const timers = delays.map((delay) => heap.at(clock.now() + delay, () => fired.push(delay)));
      const kept = delays.filter((_, index) => {
        const keep = keeps.next().value === true;
        // Twice does no more than once.
        for (let time = 0; time < 2 && !keep; time++) timers[index]?.cancel();
        return keep;
      });
      expect(heap.size).toBe(kept.length);
      clock.moveTo(clock.now() + 1000);
      expect(fired).toEqual(kept.sort((a, b) => a - b));
      expect(heap.size).toBe(0);
    }),
  );
});

test("a timer that takes a cancelled one's place comes before those above it that are later", () => {
  const clock = new FakeClock();
  const heap = new TimerHeap(clock);
  const fired: number[] = [];
  const timers = [4, 7, 5, 6, 2, 1, 3].map((delay) => heap.at(clock.now() + delay, () => fired.push(delay)));
  timers[1]?.cancel();
  clock.moveTo(clock.now() + 30);
  expect(fired).toEqual([1, 2, 3, 4, 5, 6]);
});

test("a timer may cancel one that is due with it", () => {
  const clock = new FakeClock();
  const heap = new TimerHeap(clock);
  const fired: string[] = [];
  const timers = ["a", "b"].map((name, index) =>
    heap.at(clock.now() + 1, () => {
      fired.push(name);
      timers[1 - index]?.cancel();
    }),
  );
  clock.moveTo(clock.now() + 1);
  expect(fired).toHaveLength(1);
});

test("a time in the past fires soon, not at once", () => {
  const clock = new FakeClock();
  const heap = new TimerHeap(clock);
  let fired = false;
  heap.at(0, () => {
    fired = true;
  });
  expect(fired).toBe(false);
  clock.moveTo(clock.now());
  expect(fired).toBe(true);
});

test("a stopped heap fires nothing", () => {
  const clock = new FakeClock();
  const heap = new TimerHeap(clock);
  heap.at(clock.now() + 1, () => {
    throw new Error("fired");
  });
  heap.stop();
  clock.moveTo(clock.now() + 10);
});
