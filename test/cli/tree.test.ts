import { expect, test } from "bun:test";
import { layOut, type Node } from "../../src/cli/tree.ts";

/** `b<a` is a step b behind a; `d<b,c` a join. */
const nodes = (...texts: readonly string[]): readonly Node[] =>
  texts.map((text) => {
    const [id = "", before] = text.split("<");
    return { id, predecessors: before === undefined ? [] : before.split(",") };
  });

const draw = (...texts: readonly string[]): readonly string[] =>
  layOut(nodes(...texts)).map((it) => `${it.lead}${it.id}`);

test("a chain goes straight down", () => {
  expect(draw("a", "b<a", "c<b")).toEqual(["a", "b", "c"]);
});

test("a fan-out indents its branches, and its join continues below it", () => {
  expect(
    draw("extract", "clean<extract", "count<extract", "enrich<clean", "report<enrich,count", "mail<report"),
  ).toEqual(["extract", "├─ clean", "│  enrich", "└─ count", "report", "mail"]);
});

test("several roots are branches of the run, whatever joins them", () => {
  expect(draw("a", "b", "c<a,b")).toEqual(["├─ a", "└─ b", "c"]);
});

test("a fan-out in a branch is indented twice", () => {
  expect(draw("a", "b<a", "c<a", "d<b", "e<b", "f<d,e", "g<f,c")).toEqual([
    "a",
    "├─ b",
    "│  ├─ d",
    "│  └─ e",
    "│  f",
    "└─ c",
    "g",
  ]);
});

test("what is said about a node stands below it", () => {
  expect(layOut(nodes("a", "b<a", "c<a")).map((it) => it.below)).toEqual(["", "│  ", "   "]);
});

test("steps listed before their predecessors, or behind unknown ones, are shown", () => {
  expect(draw("c<b", "b<a", "a", "x<gone")).toEqual(["├─ a", "│  b", "│  c", "└─ x"]);
});

test("every node is shown once, in any graph", () => {
  for (let seed = 1; seed < 50; seed++) {
    const size = 30;
    const graph = Array.from({ length: size }, (_, i) => ({
      id: `n${i}`,
      predecessors: Array.from({ length: i }, (_, j) => j)
        .filter((j) => (i * 7919 + j * 104_729 * seed) % 11 === 0)
        .map((j) => `n${j}`),
    }));
    const ids = layOut(graph).map((it) => it.id);
    expect([...ids].sort()).toEqual(graph.map((it) => it.id).sort());
  }
});

test("a chain of a thousand steps is laid out", () => {
  const chain = Array.from({ length: 1000 }, (_, i) => ({ id: `n${i}`, predecessors: i === 0 ? [] : [`n${i - 1}`] }));
  expect(layOut(chain).every((it) => it.lead === "")).toBe(true);
});
