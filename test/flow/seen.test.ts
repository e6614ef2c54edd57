import { expect, test } from "bun:test";
import { Seen } from "../../src/flow/seen.ts";

test("nothing is new before it is known what there was", () => {
  expect(new Seen().isNew(5)).toBe(false);
});

test("what came after the take-over is new until it was had", () => {
  const seen = new Seen();
  seen.begin(10);
  expect([10, 11, 12].map((key) => seen.isNew(key))).toEqual([false, true, true]);
  seen.add(11);
  expect([10, 11, 12].map((key) => seen.isNew(key))).toEqual([false, false, true]);
});

test("what was had before it was known what there was is not new either", () => {
  const seen = new Seen();
  seen.add(11);
  seen.add(9);
  seen.begin(10);
  expect([9, 10, 11, 12].map((key) => seen.isNew(key))).toEqual([false, false, false, true]);
});

test("what is forgotten is never new again, in whatever order it was had", () => {
  const seen = new Seen();
  seen.begin(0);
  const keys = Array.from({ length: 20_000 }, (_, index) => ((index * 7_919) % 20_000) + 1);
  for (const key of keys) {
    seen.add(key);
    expect(seen.isNew(key)).toBe(false);
  }
  expect(keys.some((key) => seen.isNew(key))).toBe(false);
  expect(seen.isNew(20_001)).toBe(true);
});
