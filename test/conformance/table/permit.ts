/** Rules of tag permits and step concurrency. */
import { type Row, shown } from "./row.ts";

export const PERMIT_ROWS: readonly Row[] = [
  shown("2.1", "WAITING_FOR_PERMITS", "permit: 0 lets none run, raising it does"),
  shown(
    "2.5",
    "WAITING_FOR_PERMITS → STARTING when all are granted",
    "permit: a step needs one for each of its tags; who waits does not hold up others",
  ),
  shown(
    "2.5",
    "WAITING_FOR_PERMITS stays while they are not",
    "permit: no more steps with the tag run than are allowed, one that ends makes room",
  ),
  shown(
    "10.1",
    "step concurrency of a workflow",
    "step concurrency: no more steps of the workflow run, all its instances together",
  ),
  shown(
    "10.1",
    "step concurrency of a tree",
    "instance step concurrency: bounds the leaves of the whole tree that run",
  ),
  shown(
    "10.1",
    "only leaves hold permits (decision 14)",
    "step concurrency: only leaves count, not the steps whose runs they are in",
  ),
  shown(
    "10.3",
    "runs of a tree on each level, when asked for (decision 16)",
    "instance step concurrency: bounds the runs of the tree that are under way on each level",
    "instance step concurrency: a step whose run is held back can be stopped, and leaves its place to others",
  ),
  shown("10.2", "limits are for a tag, over all workflows", "permit: counts over all workflows"),
  shown(
    "10.2",
    "all or nothing, without holding up those behind",
    "permit: a step needs one for each of its tags; who waits does not hold up others",
  ),
  shown(
    "10.2",
    "any end of an attempt gives its permits back",
    "permit: a failed attempt gives its permit back while it waits for the next",
  ),
  shown(
    "10.2",
    "lowering revokes nothing, raising and removing let go",
    "permit: lowering it takes none away",
    "permit: 0 lets none run, raising it does",
    "permit: removing it lets all run",
  ),
  shown(
    "5.5",
    "stop, kill and skip of a step that waits for permits",
    "permit: a step that waits for one can be stopped, killed and skipped",
  ),
  shown(
    "A 1.8",
    "what is stored and answered",
    "permit: is read with what was given, and its changes; wrong requests are refused",
  ),
  shown(
    "13",
    "no cap of 20 steps unless it is asked for (decision 13)",
    "step concurrency: without it there is no cap",
  ),
];
