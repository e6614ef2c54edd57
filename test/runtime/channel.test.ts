import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Channel } from "../../src/runtime/channel.ts";
import { SimClock } from "../simulation/clock.ts";

type Fate = "arrives" | "is lost" | "comes twice";

interface End {
  readonly channel: Channel<number, number>;
  readonly received: number[];
  resets: number;
}

function end(clock: SimClock, session: string, initiator: boolean, send: (frame: string) => void): End {
  const received: number[] = [];
  const channel = new Channel<number, number>({
    session,
    initiator,
    send,
    receive: (message) => received.push(message),
    onReset: () => {
      self.resets++;
    },
    clock,
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
        const clock = new SimClock();
        let frames = 0;
        const wire = (to: () => End) => (frame: string) => {
          const what = fate[frames++] ?? "arrives";
          if (what === "is lost") return;
          to().channel.accept(frame);
          if (what === "comes twice") to().channel.accept(frame);
        };
        const a: End = end(
          clock,
          "a",
          true,
          wire(() => b),
        );
        const b: End = end(
          clock,
          "b",
          false,
          wire(() => a),
        );
        for (const number of numbers(forth)) a.channel.post(number);
        clock.step();
        if (forth > 0) for (const number of numbers(back)) b.channel.post(number);
        while (clock.step());
        expect(b.received).toEqual(numbers(forth));
        expect(a.received).toEqual(forth > 0 ? numbers(back) : []);
        expect([a.channel.pendingSize, b.channel.pendingSize, a.resets, b.resets]).toEqual([0, 0, 0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  test.each([true, false])("notices that the other end was replaced, told or not (%p)", (told) => {
    const clock = new SimClock();
    let b: End;
    const a: End = end(clock, "a", true, (frame) => b.channel.accept(frame));
    b = end(clock, "b", false, (frame) => a.channel.accept(frame));
    a.channel.post(1);
    while (clock.step());
    const old = b;
    b = end(clock, "b2", false, (frame) => a.channel.accept(frame));
    if (told) a.channel.reset("b2");
    else a.channel.post(2); // meant for the old end: dropped, for onReset to repeat
    while (clock.step());
    expect([a.resets, old.received, b.received]).toEqual([1, [1], []]);
    old.channel.post(99);
    a.channel.post(3);
    b.channel.post(4);
    while (clock.step() && b.received.length + a.received.length < 2);
    expect([a.received, b.received, a.resets]).toEqual([[4], [3], 1]);
    a.channel.reset("b2");
    expect(a.resets).toBe(1);
    old.channel.close();
  });

  test("forgets what the replaced end had numbered when it is replaced itself", () => {
    const clock = new SimClock();
    let a: End;
    const b: End = end(clock, "b", false, (frame) => a.channel.accept(frame));
    a = end(clock, "a", true, (frame) => b.channel.accept(frame));
    a.channel.post(1);
    a.channel.post(2);
    while (clock.step());
    a = end(clock, "a2", true, (frame) => b.channel.accept(frame));
    a.channel.post(3);
    while (clock.step());
    b.channel.post(7);
    while (clock.step());
    expect([b.received, b.resets, a.received]).toEqual([[1, 2, 3], 1, [7]]);
  });

  test("sends what was posted in one tick as one frame", () => {
    const clock = new SimClock();
    const frames: string[] = [];
    const a = end(clock, "a", true, (frame) => frames.push(frame));
    for (const number of numbers(100)) a.channel.post(number);
    clock.step();
    expect(frames.length).toBe(1);
    a.channel.close();
  });

  test("waits for what is missing before it hands on what came after it", () => {
    const clock = new SimClock();
    let isLost = true;
    let b: End;
    const a: End = end(clock, "a", true, (frame) => {
      if (!isLost) b.channel.accept(frame);
    });
    b = end(clock, "b", false, (frame) => a.channel.accept(frame));
    a.channel.post(1);
    clock.step();
    isLost = false;
    a.channel.post(2);
    clock.step();
    expect(b.received).toEqual([]);
    while (clock.step());
    expect(b.received).toEqual([1, 2]);
  });

  test("takes no late frame of an end that was replaced", () => {
    const clock = new SimClock();
    const b: End = end(clock, "b", false, () => {});
    b.channel.accept(frameOf(clock, "a", 1, "b.0"));
    b.channel.accept(frameOf(clock, "a2", 2, "b.0"));
    b.channel.accept(frameOf(clock, "a", 3, "b.0"));
    expect([b.received, b.resets]).toEqual([[1, 2], 1]);
  });
});

/** The first frame of a session to an end that it knows. */
function frameOf(clock: SimClock, session: string, message: number, to: string): string {
  const frames: string[] = [];
  const sender = end(clock, session, true, (frame) => frames.push(frame));
  sender.channel.post(message);
  while (frames.length === 0) clock.step();
  sender.channel.close();
  return (frames[0] ?? "").replace('"p":null', `"p":"${to}"`);
}
