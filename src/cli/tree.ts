/**
 * A run's graph as an indented tree. A chain goes straight down, a fan-out indents its branches, and a join continues
 * where its fan-out began: below the step that every way to it leads through.
 *
 * ```
 * extract
 * ├─ clean
 * │  enrich
 * └─ count
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
  /** What stands before further lines about the node. */
  readonly below: string;
}

/** @param nodes of an acyclic graph, in the order in which siblings are listed. */
export function layOut(nodes: readonly Node[]): readonly TreeLine[] {
  const parents = dominators(sorted(nodes));
  const children = new Map<string, string[]>();
  for (const { id } of sorted(nodes)) {
    const parent = parents.get(id) ?? "";
    children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const joins = new Set(nodes.filter((it) => it.predecessors.length > 1).map((it) => it.id));
  const lines: TreeLine[] = [];
  // A stack instead of recursion: a chain may have a thousand steps.
  const stack: { id: string; lead: string; below: string }[] = [];
  const push = (parent: string, prefix: string): void => {
    const own = children.get(parent) ?? [];
    const branches = own.filter((it) => !joins.has(it));
    const level = (id: string) => ({ id, lead: prefix, below: prefix });
    const last = branches.at(-1);
    const shown =
      branches.length < 2
        ? branches.map(level)
        : branches.map((id) => ({
            id,
            lead: `${prefix}${id === last ? "└─ " : "├─ "}`,
            below: `${prefix}${id === last ? "   " : "│  "}`,
          }));
    stack.push(...[...shown, ...own.filter((it) => joins.has(it)).map(level)].reverse());
  };
  push("", "");
  for (let next = stack.pop(); next; next = stack.pop()) {
    lines.push(next);
    push(next.id, next.below);
  }
  return lines;
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
