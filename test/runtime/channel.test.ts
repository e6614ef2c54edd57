import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Channel, type Schedule } from "../../src/runtime/channel.ts";

interface Entry {
  readonly at: number;
  readonly action: () => void;
}

/** Timers that fire when told, nearest first. */
class Timers {
  #time = 0;
  #entries: readonly Entry[] = [];

  readonly schedule: Schedule = (delay, action) => {
    const entry = { at: this.#time + delay, action };
    this.#entries = [...this.#entries, entry];
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  };

  /** @returns false when there is nothing to fire. */
  next(): boolean {
    const [entry] = this.#entries.toSorted((a, b) => a.at - b.at);
    if (entry === undefined) return false;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#time = entry.at;
    entry.action();
    return true;
  }
}

type Fate = "arrives" | "is lost" | "comes twice";

interface End {
  readonly channel: Channel<number, number>;
  readonly received: number[];
  resets: number;
}

function end(timers: Timers, session: string, initiator: boolean, send: (frame: string) => void): End {
  const received: number[] = [];
  const channel = new Channel<number, number>({
    session,
    initiator,
    send,
    receive: (message) => received.push(message),
    onReset: () => {
      self.resets++;
    },
    schedule: timers.schedule,
  });
  const self: End = { channel, received, resets: 0 };
  return self;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("a channel", () => {
  test("hands on every message once and in order, whatever the transport loses or repeats", () => {
    const fates = fc.array(fc.constantFrom<Fate>("arrives", "is lost", "comes twice"), { maxLength: 60 });
    fc.assert(
      fc.property(fates, fc.nat(1500), fc.nat(50), (fate, forth, back) => {
        const timers = new Timers();
        let frames = 0;
        const wire = (to: () => End) => (frame: string) => {
          const what = fate[frames++] ?? "arrives";
          if (what === "is lost") return;
          to().channel.accept(frame);
          if (what === "comes twice") to().channel.accept(frame);
        };
        const a: End = end(
          timers,
          "a",
          true,
          wire(() => b),
        );
        const b: End = end(
          timers,
          "b",
          false,
          wire(() => a),
        );
        for (const number of numbers(forth)) a.channel.post(number);
        timers.next();
        if (forth > 0) for (const number of numbers(back)) b.channel.post(number);
        while (timers.next());
        expect(b.received).toEqual(numbers(forth));
        expect(a.received).toEqual(forth > 0 ? numbers(back) : []);
        expect([a.channel.pendingSize, b.channel.pendingSize, a.resets, b.resets]).toEqual([0, 0, 0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  test.each([true, false])("notices that the other end was replaced, told or not (%p)", (told) => {
    const timers = new Timers();
    let b: End;
    const a: End = end(timers, "a", true, (frame) => b.channel.accept(frame));
    b = end(timers, "b", false, (frame) => a.channel.accept(frame));
    a.channel.post(1);
    while (timers.next());
    const old = b;
    b = end(timers, "b2", false, (frame) => a.channel.accept(frame));
    if (told) a.channel.reset("b2");
    else a.channel.post(2); // meant for the old end: dropped, for onReset to repeat
    while (timers.next());
    expect([a.resets, old.received, b.received]).toEqual([1, [1], []]);
    old.channel.post(99);
    a.channel.post(3);
    b.channel.post(4);
    while (timers.next() && b.received.length + a.received.length < 2);
    expect([a.received, b.received, a.resets]).toEqual([[4], [3], 1]);
    a.channel.reset("b2");
    expect(a.resets).toBe(1);
    old.channel.close();
  });

  test("forgets what the replaced end had numbered when it is replaced itself", () => {
    const timers = new Timers();
    let a: End;
    const b: End = end(timers, "b", false, (frame) => a.channel.accept(frame));
    a = end(timers, "a", true, (frame) => b.channel.accept(frame));
    a.channel.post(1);
    a.channel.post(2);
    while (timers.next());
    a = end(timers, "a2", true, (frame) => b.channel.accept(frame));
    a.channel.post(3);
    while (timers.next());
    b.channel.post(7);
    while (timers.next());
    expect([b.received, b.resets, a.received]).toEqual([[1, 2, 3], 1, [7]]);
  });

  test("sends what was posted in one tick as one frame", () => {
    const timers = new Timers();
    const frames: string[] = [];
    const a = end(timers, "a", true, (frame) => frames.push(frame));
    for (const number of numbers(100)) a.channel.post(number);
    timers.next();
    expect(frames.length).toBe(1);
    a.channel.close();
  });
});
