import { expect, test } from "bun:test";
import fc from "fast-check";
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

test("a fan-out indents its branches, and their line leads to the step that joins them", () => {
  expect(
    draw("extract", "clean<extract", "count<extract", "enrich<clean", "report<enrich,count", "mail<report"),
  ).toEqual(["extract", "├─ clean", "│  enrich", "├─ count", "report", "mail"]);
});

test("branches that nothing joins end with the last of them", () => {
  expect(draw("a", "b<a", "c<a", "d<c")).toEqual(["a", "├─ b", "└─ c", "   d"]);
});

test("several roots are branches of the run, whatever joins them", () => {
  expect(draw("a", "b", "c<a,b")).toEqual(["├─ a", "├─ b", "c"]);
});

test("a fan-out in a branch is indented twice", () => {
  expect(draw("a", "b<a", "c<a", "d<b", "e<b", "f<d,e", "g<f,c")).toEqual([
    "a",
    "├─ b",
    "│  ├─ d",
    "│  ├─ e",
    "│  f",
    "├─ c",
    "g",
  ]);
});

test("a join of some branches is one of them, and says which", () => {
  const lines = layOut(nodes("a", "b<a", "c<a", "d<a", "e<a,b,c", "f<e,d"));
  expect(lines.map((it) => `${it.lead}${it.id}`)).toEqual(["a", "├─ b", "├─ c", "├─ d", "├▶ e", "f"]);
  expect(lines.map((it) => it.after)).toEqual([[], [], [], [], ["b", "c"], []]);
});

test("what is said about a node stands below it, beside the line to its branches", () => {
  expect(layOut(nodes("a", "b<a", "c<a")).map((it) => it.below)).toEqual(["│ ", "│    ", "     "]);
});

test("steps listed before their predecessors, or behind unknown ones, are shown", () => {
  expect(draw("c<b", "b<a", "a", "x<gone")).toEqual(["├─ a", "│  b", "│  c", "└─ x"]);
});

/** Any acyclic graph: a step comes after some of those that were made before it, and is listed anywhere. */
const graphs = fc.array(fc.tuple(fc.array(fc.nat(), { maxLength: 3 }), fc.nat()), { maxLength: 25 }).map((steps) =>
  steps
    .map(([before, place], index) => ({
      id: `n${index}`,
      predecessors: index === 0 ? [] : [...new Set(before.map((it) => `n${it % index}`))],
      place,
    }))
    .sort((a, b) => a.place - b.place),
);

/** Where nothing is drawn on any line's end: what hangs from a line hangs below it, and what goes on meets something. */
function looseEnds(graph: readonly Node[]): readonly string[] {
  // The run's own line is above, a mark stands where a step's symbol does, and each step has a line said about it.
  const rows = ["o", ...layOut(graph).flatMap(({ lead, below }) => [`${lead}o`, `${below}x`]), ""];
  return rows.flatMap((row, at) =>
    [...row].flatMap((sign, column) => {
      const above = rows[at - 1]?.[column] ?? " ";
      const below = rows[at + 1]?.[column] ?? " ";
      const hangs = !/[├│└]/.test(sign) || /[├│o]/.test(above) || at === 1;
      const leads = !/[├│]/.test(sign) || /[├│└o]/.test(below);
      return hangs && leads ? [] : [`${sign} in line ${at} column ${column} of\n${rows.join("\n")}`];
    }),
  );
}

test("every node is shown once, after its predecessors, and no line leads nowhere, in any graph", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const ids = layOut(graph).map((it) => it.id);
      expect([...ids].sort()).toEqual(graph.map((it) => it.id).sort());
      for (const { id, predecessors } of graph)
        for (const before of predecessors) expect(ids.indexOf(before)).toBeLessThan(ids.indexOf(id));
      expect(looseEnds(graph)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a thousand branches are laid out, and joined", () => {
  const branches = Array.from({ length: 999 }, (_, i) => `b${i}`);
  const lines = layOut(nodes("a", ...branches.map((id) => `${id}<a`), `z<${branches.join(",")}`));
  expect(lines.at(-1)).toMatchObject({ id: "z", lead: "" });
});

test("a chain of a thousand steps is laid out", () => {
  const chain = Array.from({ length: 1000 }, (_, i) => ({ id: `n${i}`, predecessors: i === 0 ? [] : [`n${i - 1}`] }));
  expect(layOut(chain).every((it) => it.lead === "")).toBe(true);
});
