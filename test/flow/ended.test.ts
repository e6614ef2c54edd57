import { expect, test } from "bun:test";
import { RecentlyEnded } from "../../src/flow/ended.ts";

test("an end is remembered while a read that began before it is under way, and no longer", async () => {
  const ended = new RecentlyEnded();
  ended.add(1);
  expect(ended.has(1)).toBe(false);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const one = ended.during(() => first.promise);
  ended.add(2);
  const two = ended.during(() => second.promise);
  ended.add(3);
  expect([2, 3].map((key) => ended.has(key))).toEqual([true, true]);
  first.resolve();
  await one;
  expect([2, 3].map((key) => ended.has(key))).toEqual([false, true]);
  second.resolve();
  await two;
  expect(ended.size).toBe(0);
});

test("a read that fails is over, too", async () => {
  const ended = new RecentlyEnded();
  const failure = ended.during(() => Promise.reject(new Error("no database")));
  ended.add(1);
  expect(await failure.catch((error: Error) => error.message)).toBe("no database");
  expect(ended.size).toBe(0);
});
