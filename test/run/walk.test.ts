import { expect, test } from "bun:test";
import fc from "fast-check";
import { Walk } from "../../src/run/walk.ts";
import { type StepNode, stepNode } from "../../src/step/node.ts";

const held: ReadonlySet<string> = new Set();

type Edges = readonly (readonly [from: number, to: number])[];

function plan(size: number, edges: Edges): { readonly nodes: ReadonlyMap<string, StepNode> } {
  const nodes = Array.from({ length: size }, (_, index) => {
    const id = `${index}`;
    const successors = edges.flatMap(([from, to]) => (from === index ? [[`${to}`, "true"] as const] : []));
    const predecessors = edges.flatMap(([from, to]) => (to === index ? [`${from}`] : []));
    return [
      id,
      stepNode({ step: { id, type: "NoOp", transition: {} } }, predecessors, Object.fromEntries(successors)),
    ] as const;
  });
  return { nodes: new Map(nodes) };
}

/** Edges go from a lower to a higher number, each once. */
const graphs = fc
  .integer({ min: 1, max: 9 })
  .chain((size) =>
    fc
      .uniqueArray(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { selector: ([a, b]) => `${a}:${b}`, maxLength: 20 })
      .map((pairs) => ({ size, edges: pairs.filter(([from, to]) => from < to) })),
  );

test("a step is released when the last of those it waits for completes, and once", () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat()), ({ size, edges }, choice) => {
      const { nodes } = plan(size, edges);
      const walk = new Walk({ nodes, held });
      const open = [...walk.open()];
      const released: string[] = [...open];
      const done = new Set<string>();
      while (open.length > 0) {
        const [id = ""] = open.splice((choice.next().value ?? 0) % open.length, 1);
        const node = nodes.get(id) as StepNode;
        expect(node.predecessors.every((before) => done.has(before))).toBe(true);
        done.add(id);
        const next = walk.complete(node);
        open.push(...next);
        released.push(...next);
      }
      expect(released.toSorted()).toEqual([...nodes.keys()].toSorted());
    }),
  );
});

test("a walk that begins in the middle goes on as one that came there", () => {
  const { nodes } = plan(4, [
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 3],
  ]);
  const walk = new Walk({ nodes, held }, (id) => id === "0" || id === "1");
  expect([...walk.open()]).toEqual(["0", "1", "2"]);
  expect(walk.complete(nodes.get("2") as StepNode)).toEqual(["3"]);
});

test("what another run did holds no step back", () => {
  const whole = plan(3, [
    [0, 2],
    [1, 2],
  ]);
  const nodes = new Map([...whole.nodes].filter(([id]) => id !== "0"));
  const walk = new Walk({ nodes, held });
  expect([...walk.open()]).toEqual(["1"]);
  expect(walk.complete(nodes.get("1") as StepNode)).toEqual(["2"]);
});

test("a step that is held does not open, and what follows it waits", () => {
  const { nodes } = plan(3, [
    [0, 2],
    [1, 2],
  ]);
  const walk = new Walk({ nodes, held: new Set(["1"]) });
  expect([...walk.open()]).toEqual(["0"]);
  expect(walk.complete(nodes.get("0") as StepNode)).toEqual([]);
  expect(walk.complete(nodes.get("1") as StepNode)).toEqual(["2"]);
});
