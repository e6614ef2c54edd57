/** The mutations fit the sources, and a part of them, another one each hour, is noticed. `bun run mutate` tries them all. */
import { afterAll, describe, expect, test } from "bun:test";
import { Copy, mutated } from "./copy.ts";
import { MUTATIONS } from "./list.ts";

/** Mutations that are tried: each takes up to ten seconds. */
const TRIED = 5;
const HOUR = 3_600_000;

test("each changes its file, under a name of its own", () => {
  for (const mutation of MUTATIONS) expect(mutated(mutation)).not.toBe("");
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});

describe("the tests notice that", () => {
  const copy = new Copy();
  afterAll(() => copy[Symbol.dispose]());
  const first = (Math.floor(Date.now() / HOUR) * TRIED) % MUTATIONS.length;
  const tried = [...MUTATIONS, ...MUTATIONS].slice(first, first + TRIED);

  test("nothing is wrong without a mutation", async () => {
    expect(await copy.passes([...new Set(tried.flatMap((mutation) => mutation.tests))])).toBe(true);
  }, 120_000);

  for (const mutation of tried) {
    test(mutation.name, async () => expect(await copy.passes(mutation.tests, mutation)).toBe(false), 120_000);
  }
});
