import { expect, test } from "bun:test";
import { Outcomes } from "../../src/flow/outcome.ts";

test("a result is there once", () => {
  const outcomes = new Outcomes();
  outcomes.keep("a", { value: 1 });
  expect([outcomes.take("a"), outcomes.take("a"), outcomes.take("b")]).toEqual([{ value: 1 }, undefined, undefined]);
});

test("of results that are not fetched the oldest go, by their size", () => {
  const outcomes = new Outcomes(1_000);
  for (const key of ["a", "b", "c"]) outcomes.keep(key, { value: { list: ["x".repeat(200), ["y".repeat(200)]] } });
  expect(["a", "b", "c"].map((key) => outcomes.take(key) !== undefined)).toEqual([false, true, true]);
  for (const key of ["d", "e"]) outcomes.keep(key, { value: Array(100).fill(7) });
  expect(["d", "e"].map((key) => outcomes.take(key) !== undefined)).toEqual([false, true]);
});

test("of many small ones the oldest go, too; an error is as good as a value", () => {
  const outcomes = new Outcomes();
  for (let index = 0; index <= 1_000; index++) outcomes.keep(`${index}`, { error: index });
  expect([outcomes.take("0"), outcomes.take("1")]).toEqual([undefined, { error: 1 }]);
});

test("one that is larger than all may be together is kept, or it would be evaluated for ever", () => {
  const outcomes = new Outcomes(1_000);
  const value = "x".repeat(5_000);
  outcomes.keep("a", { value });
  expect(outcomes.take("a")).toEqual({ value });
});
