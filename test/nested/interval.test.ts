import { describe, expect, test } from "bun:test";
import { type IntervalList, Intervals } from "../../src/nested/interval.ts";
import { chanceOf } from "../simulation/clock.ts";

/** Ids beside those that are used, so that both ends are looked at. */
const ALL = Array.from({ length: 26 }, (_, id) => id);

/** The list of a set, in the simplest way. */
function listOf(ids: ReadonlySet<number>): IntervalList {
  const list: (number | [number, number])[] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = list.at(-1);
    const end = last === undefined || typeof last === "number" ? last : last[1];
    if (last !== undefined && end === id - 1) list[list.length - 1] = [typeof last === "number" ? last : last[0], id];
    else list.push(id);
  }
  return list;
}

function same(intervals: Intervals, ids: ReadonlySet<number>): void {
  const sorted = [...ids].sort((a, b) => a - b);
  expect([...intervals]).toEqual(sorted);
  expect(intervals.toList()).toEqual(listOf(ids));
  expect([intervals.size, intervals.least, intervals.greatest]).toEqual([ids.size, sorted[0], sorted.at(-1)]);
  const ends = ALL.map((id) => {
    if (!ids.has(id)) return undefined;
    let end = id;
    while (ids.has(end + 1)) end++;
    return end;
  });
  expect(ALL.map((id) => intervals.has(id))).toEqual(ALL.map((id) => ids.has(id)));
  expect(ALL.map((id) => intervals.endOf(id))).toEqual(ends);
}

describe("a set of ids as intervals", () => {
  test("is a set, whatever is added and taken away", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const chance = chanceOf(seed);
      const [intervals, ids] = [new Intervals(), new Set<number>()];
      for (let step = 0; step < 60; step++) {
        const id = 1 + Math.floor(chance() * 24);
        if (chance() < 0.6) {
          intervals.add(id);
          ids.add(id);
        } else expect(intervals.delete(id)).toBe(ids.delete(id));
        same(intervals, ids);
      }
      same(Intervals.of(intervals.toList()), ids);
    }
  });

  test("is made of any list: side by side, overlapping, out of order", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const chance = chanceOf(seed);
      const ids = new Set<number>();
      const list = Array.from({ length: 4 }, (): number | readonly [number, number] => {
        const first = 1 + Math.floor(chance() * 18);
        const last = first + Math.floor(chance() * 6);
        for (let id = first; id <= last; id++) ids.add(id);
        return first === last ? first : [first, last];
      });
      same(Intervals.of(list), ids);
    }
  });
});
