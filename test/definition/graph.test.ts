import { expect, test } from "bun:test";
import fc from "fast-check";
import { computeDag, findCycle, reachable, roots, topologicalOrder } from "../../src/definition/graph.ts";
import type { Step } from "../../src/definition/step.ts";

/** `{a: "bc"}`: a leads to b and c. */
const steps = (edges: Readonly<Record<string, string | readonly string[]>>): Step[] =>
  Object.entries(edges).map(([id, to]) => ({
    step: { id, type: "NoOp", transition: { successors: Object.fromEntries([...to].map((next) => [next, "true"])) } },
  }));

test("predecessors follow from successors, in definition order", () => {
  const dag = computeDag(steps({ a: "bc", b: "d", c: "d", d: "" }));
  expect([...dag.keys()]).toEqual(["a", "b", "c", "d"]);
  expect(dag.get("d")?.predecessors).toEqual(["b", "c"]);
  expect(dag.get("a")).toEqual({ predecessors: [], successors: { b: "true", c: "true" } });
  expect(roots(dag)).toEqual(["a"]);
});

test("successors that are not in the list are left out", () => {
  expect(computeDag(steps({ a: "bz", b: "" })).get("a")?.successors).toEqual({ b: "true" });
});

test("a cycle is named from its first step on, along its edges", () => {
  expect(findCycle(computeDag(steps({ a: "b", b: "c", c: "de", d: "b", e: "" })))).toEqual(["b", "c", "d", "b"]);
  expect(findCycle(computeDag(steps({ a: "a" })))).toEqual(["a", "a"]);
  expect(findCycle(computeDag(steps({ x: "y", y: "z", z: "y" })))).toEqual(["y", "z", "y"]);
  expect(findCycle(computeDag(steps({ a: "bc", b: "c", c: "" })))).toBeUndefined();
});

test("what is behind a step is found once, whatever the way", () => {
  const dag = computeDag(steps({ a: "bc", b: "d", c: "d", d: "", e: "d" }));
  expect([...reachable(dag, ["b"])].sort()).toEqual(["b", "d"]);
  expect([...reachable(dag, ["a", "e", "nobody"])].sort()).toEqual(["a", "b", "c", "d", "e"]);
});

test("a chain of ten thousand steps is no problem", () => {
  const chain: Record<string, string[]> = {};
  for (let index = 0; index < 10_000; index++) chain[`s${index}`] = index < 9_999 ? [`s${index + 1}`] : [];
  const dag = computeDag(steps(chain));
  expect(topologicalOrder(dag).length).toBe(10_000);
  expect(reachable(dag, ["s0"]).size).toBe(10_000);
});

test("forward edges never make a cycle and every order respects them; a back edge makes one that exists", () => {
  const size = 12;
  const edge = fc.tuple(fc.nat(size - 1), fc.nat(size - 1));
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 40 }), edge, (edges, [x, y]) => {
      const to = Array.from({ length: size }, () => new Set<string>());
      for (const [a, b] of edges) if (a !== b) to[Math.min(a, b)]?.add(`n${Math.max(a, b)}`);
      const build = () => computeDag(steps(Object.fromEntries(to.map((set, index) => [`n${index}`, [...set]]))));
      const dag = build();
      expect(findCycle(dag)).toBeUndefined();
      const order = topologicalOrder(dag);
      expect(order.length).toBe(size);
      for (const [id, node] of dag) {
        for (const next of Object.keys(node.successors)) expect(order.indexOf(id)).toBeLessThan(order.indexOf(next));
      }
      to[Math.max(x, y)]?.add(`n${Math.min(x, y)}`);
      const cyclic = build();
      const back = reachable(cyclic, [`n${Math.min(x, y)}`]).has(`n${Math.max(x, y)}`);
      const cycle = findCycle(cyclic);
      expect(cycle !== undefined).toBe(back);
      cycle?.slice(1).forEach((id, index) => {
        expect(Object.keys(cyclic.get(cycle[index] ?? "")?.successors ?? {})).toContain(id);
      });
    }),
  );
});
