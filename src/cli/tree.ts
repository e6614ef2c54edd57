/**
 * A run's graph as an indented tree. A chain goes straight down, a fan-out indents its branches, and the line that they
 * hang from goes on to the step that joins them all. A step that joins some of them is a branch with an arrow, and
 * names what it comes after.
 *
 * ```
 * extract
 * ├─ clean
 * │  enrich
 * ├─ count
 * report
 * ```
 */

export interface Node {
  readonly id: string;
  readonly predecessors: readonly string[];
}

export interface TreeLine {
  readonly id: string;
  /** What stands before the node: branches and indentation. */
  readonly lead: string;
  /** What stands before further lines about the node; as wide as the lead and two more. */
  readonly below: string;
  /** The steps that it joins, where no line shows them. */
  readonly after: readonly string[];
}

/** A step that is to be drawn, and where. */
interface Placed {
  readonly id: string;
  readonly lead: string;
  /** What stands before the steps that follow it. */
  readonly prefix: string;
  /** Steps of its level that come after it: they follow with those that only it leads to. */
  readonly rest: readonly Node[];
  readonly after: readonly string[];
}

/** @param nodes of an acyclic graph, in the order in which siblings are listed. */
export function layOut(nodes: readonly Node[]): readonly TreeLine[] {
  const order = sorted(nodes);
  const parents = dominators(order);
  const children = Map.groupBy(order, ({ id }) => parents.get(id) ?? "");
  const sets = setsOf(order);
  const placed: Placed[] = [];
  // A stack instead of recursion: a chain may have a thousand steps.
  const stack = [...place(children.get("") ?? [], "", sets)].reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    placed.push(next);
    const below = inOrder([...(children.get(next.id) ?? []), ...next.rest], sets);
    stack.push(...[...place(below, next.prefix, sets)].reverse());
  }
  return placed.map(({ id, lead, prefix, after }, index) => {
    const hanging = /[├└]/.test(placed[index + 1]?.lead[prefix.length] ?? "");
    return { id, lead, below: `${prefix}${hanging ? "│" : " "} `, after };
  });
}

/** Branches, and below them the first step that all others of the level come before or after. */
function place(level: readonly Node[], prefix: string, sets: Sets): readonly Placed[] {
  const found = level.findIndex((_, index) => isBetween(level, index, sets));
  const branches = found < 0 ? level : level.slice(0, found);
  const ofBranches = union(branches.map(({ id }) => sets.own(id)));
  const placed = branches.map((node, index) => {
    const isLast = found < 0 && index === branches.length - 1;
    const joins = (sets.before(node.id) & ofBranches) !== 0n;
    return {
      id: node.id,
      lead: `${prefix}${isLast ? "└" : "├"}${joins ? "▶" : "─"} `,
      prefix: `${prefix}${isLast ? " " : "│"}  `,
      rest: [],
      after: joins ? nearest(node, sets) : [],
    };
  });
  const node = level[found];
  if (node === undefined) return placed;
  return [...placed, { id: node.id, lead: prefix, prefix, rest: level.slice(found + 1), after: [] }];
}

function isBetween(level: readonly Node[], index: number, sets: Sets): boolean {
  const { id } = level[index] as Node;
  return level.every(
    (other, at) =>
      at === index || (at < index ? sets.before(id) & sets.own(other.id) : sets.before(other.id) & sets.own(id)) !== 0n,
  );
}

/** Predecessors first; a step's bit says where in the order it is. */
const inOrder = (nodes: readonly Node[], sets: Sets): readonly Node[] =>
  [...nodes].sort((a, b) => (sets.own(a.id) < sets.own(b.id) ? -1 : 1));

/** Its predecessors without those that come before another of them. */
function nearest({ predecessors }: Node, sets: Sets): readonly string[] {
  const before = union(predecessors.map((id) => sets.before(id)));
  return predecessors.filter((id) => (sets.own(id) & before) === 0n);
}

/** Sets of steps, a bit a step; the bits ascend from predecessors to successors. */
interface Sets {
  own(id: string): bigint;
  /** All that come before it. */
  before(id: string): bigint;
}

const union = (sets: readonly bigint[]): bigint => sets.reduce((all, set) => all | set, 0n);

/** @param order predecessors first */
function setsOf(order: readonly Node[]): Sets {
  const own = new Map(order.map(({ id }, index) => [id, 1n << BigInt(index)]));
  const before = new Map<string, bigint>();
  const all = (id: string): bigint => (before.get(id) ?? 0n) | (own.get(id) ?? 0n);
  for (const { id, predecessors } of order) before.set(id, union(predecessors.map(all)));
  return { own: (id) => own.get(id) ?? 0n, before: (id) => before.get(id) ?? 0n };
}

/** Predecessors first, otherwise in the order given; references to unknown nodes are dropped. */
function sorted(nodes: readonly Node[]): readonly Node[] {
  const known = new Set(nodes.map((it) => it.id));
  const rest = nodes.map((it) => ({ ...it, predecessors: it.predecessors.filter((id) => known.has(id)) }));
  const done = new Set<string>();
  const result: Node[] = [];
  while (rest.length > 0) {
    const ready = rest.findIndex((it) => it.predecessors.every((id) => done.has(id)));
    const [node] = rest.splice(Math.max(0, ready), 1);
    if (!node) break;
    done.add(node.id);
    result.push(node);
  }
  return result;
}

/** For each node the nearest one that every way to it leads through; "" is the beginning. */
function dominators(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const parent = new Map<string, string>();
  const depth = new Map<string, number>([["", 0]]);
  for (const { id, predecessors } of nodes) {
    let common = predecessors[0] ?? "";
    for (let other of predecessors.slice(1)) {
      while (common !== other) {
        const deeper = (depth.get(common) ?? 0) >= (depth.get(other) ?? 0);
        if (deeper) common = parent.get(common) ?? "";
        else other = parent.get(other) ?? "";
      }
    }
    parent.set(id, common);
    depth.set(id, (depth.get(common) ?? 0) + 1);
  }
  return parent;
}
