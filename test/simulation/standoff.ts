/**
 * Runs that hold each other up for ever, as users can have it: one has its turn among its workflow's runs and waits for a place
 * on a level of its tree, which a run of that workflow has that waits for its turn. So the workflow is on two levels of a tree
 * with an `instance_step_concurrency`, and its strategy lets few go. No order of taking turns and places is without it.
 */
import type { Run } from "../../src/run/model.ts";
import { isOver } from "../../src/run/status.ts";
import { isOpen, type SimStore } from "./store.ts";

/** The unfinished runs that wait for such a circle, or are in it. */
export function heldUp(store: SimStore): ReadonlySet<Run> {
  const runs = [...store.runs.values()].filter((run) => !isOver(run));
  const edges = new Map(runs.map((run) => [run, awaited(store, run, runs)]));
  const circles = new Set(runs.filter((run) => reach(edges, run).has(run)));
  return new Set(runs.filter((run) => circles.has(run) || [...reach(edges, run)].some((it) => circles.has(it))));
}

/** Runs that must end, or be let go, before this one ends. */
function awaited(store: SimStore, run: Run, runs: readonly Run[]): readonly Run[] {
  if (!isOpen(run)) return runs.filter((other) => other.workflowId === run.workflowId && isOpen(other));
  const rows = [...store.permits.rows.values()];
  const wanted = rows.filter(({ runKey, granted }) => runKey === run.key && !granted).flatMap(({ wants }) => wants);
  const tags = new Set(wanted.map(({ tag }) => tag));
  const holders = new Set(
    rows.filter(({ granted, wants }) => granted && wants.some(({ tag }) => tags.has(tag))).map(({ uuid }) => uuid),
  );
  return runs.filter((other) => holders.has(other.uuid) || other.parentKey === run.key);
}

function reach(edges: ReadonlyMap<Run, readonly Run[]>, from: Run): ReadonlySet<Run> {
  const found = new Set<Run>();
  const open = [...(edges.get(from) ?? [])];
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    if (found.has(run)) continue;
    found.add(run);
    open.push(...(edges.get(run) ?? []));
  }
  return found;
}
