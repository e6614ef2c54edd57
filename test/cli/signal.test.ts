import { expect, test } from "bun:test";
import type { Signal } from "../../src/cli/command.ts";
import { firstSignal } from "../../src/cli/signal.ts";

function program(): { send(signal: Signal, at: number): void; readonly exits: number[]; readonly first: AbortSignal } {
  const exits: number[] = [];
  let now = 0;
  let callback: (signal: Signal) => void = () => {};
  const onSignal = (listener: typeof callback): (() => void) => {
    callback = listener;
    return () => {};
  };
  const exit = (code: number): never => {
    exits.push(code);
    return undefined as never;
  };
  const first = firstSignal({ onSignal, exit }, () => now);
  return {
    ...{ exits, first },
    send(signal, at) {
      now = at;
      callback(signal);
    },
  };
}

test("signals within half a second are one, which asks for an orderly end", () => {
  const { send, exits, first } = program();
  expect(first.aborted).toBe(false);
  send("SIGTERM", 10_000);
  expect(first.aborted).toBe(true);
  for (const at of [10_000, 10_002, 10_499]) send("SIGTERM", at);
  send("SIGINT", 10_500);
  expect(exits).toEqual([]);
});

test.each([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("a later %s ends the program with %i", (signal, code) => {
  const { send, exits } = program();
  send("SIGTERM", 0);
  send(signal, 501);
  expect(exits).toEqual([code]);
});
