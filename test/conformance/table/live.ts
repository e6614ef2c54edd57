/** Rules of what is read of trees under way. */
import { type Row, shown } from "./row.ts";

export const LIVE_ROWS: readonly Row[] = [
  shown(
    "6.2.1",
    "running iterations count, and are rebuilt with each look",
    "live: a foreach counts its iterations by status",
  ),
  shown(
    "8.2",
    "leaves of runs under way, with references",
    "live: a tree's rollup counts what runs in it, and names each",
    "live: what has failed in a tree is named while the rest goes on",
  ),
  shown("8.2", "loops and subworkflows in each other", "live: a tree of trees is counted down to its leaves"),
  shown("A 1.3", "inline-path", "live: the inline workflow of a loop is found by the way to it, and the way by it"),
];
