/** Rules of restarts of what is nested. */
import { type Row, shown } from "./row.ts";

export const RELOOP_ROWS: readonly Row[] = [
  shown(
    "4.4",
    "a child that has ended restarts its root along the way",
    "reloop subworkflow: restarting the ended child restarts its root along the way",
  ),
  shown(
    "4.4",
    "an async child is its own root (decision 44)",
    "reloop subworkflow: an async child is a root of its own",
  ),
  shown(
    "4.4",
    "a step deep in an ended tree restarts the chain from the root",
    "reloop: a step deep in an ended tree makes a new run of every run above it",
  ),
  shown(
    "4.8",
    "SUBWORKFLOW: the child's instance gets its next run",
    "reloop subworkflow from incomplete: the child's instance gets a new run, from what is incomplete",
    "reloop subworkflow from the beginning: the child's instance gets a new run, from the beginning",
  ),
  shown(
    "4.8",
    "SUBWORKFLOW: a complete child is success (decision 4)",
    "reloop subworkflow: a child that is complete counts as succeeded",
  ),
  shown(
    "4.8",
    "FOREACH: the next inline run, iterations are kept by the policy",
    "reloop foreach from incomplete: iterations that succeeded are kept, the others run again",
    "reloop foreach from the beginning: every iteration runs again",
  ),
  shown(
    "4.8",
    "WHILE: the next loop run, resumed by the policy",
    "reloop while from incomplete: goes on with the round that failed",
    "reloop while from the beginning: all rounds anew",
  ),
  shown("4.8", "what a stop has left in a tree goes on", "reloop: a stopped tree goes on where it was stopped"),

  shown(
    "6.2.2",
    "BEGINNING: none is kept; also of a complete step (decision 35)",
    "reloop foreach from the beginning: every iteration runs again",
    "reloop foreach: the step of a complete one, restarted from the beginning, runs every iteration again",
  ),
  shown(
    "6.2.2",
    "INCOMPLETE: SUCCEEDED ones are kept, those never launched run",
    "reloop foreach from incomplete: iterations that succeeded are kept, the others run again",
    "reloop foreach from incomplete: iterations that were never launched run, too",
  ),
  shown(
    "6.2.2",
    "SPECIFIC with an iteration: that one alone",
    "reloop foreach: a step in one iteration restarts the root, and that iteration alone",
  ),
  shown(
    "6.2.2",
    "the step in place: SUCCEEDED ones are kept",
    "reloop foreach in place: the step runs again in the same run, and keeps what succeeded",
  ),
  shown(
    "6.3",
    "INCOMPLETE resumes at the last round",
    "reloop while from incomplete: goes on with the round that failed",
  ),
  shown(
    "6.3",
    "a round that has no earlier run is created (decision 33)",
    "reloop while: one that is reached for the first time in a restarted run begins with round 1",
    "reloop while: one that failed on its first condition begins with round 1",
    "reloop while: after a resumed run it can be restarted from the beginning",
  ),
  shown(
    "6.3",
    "the step of a complete while runs its rounds again (decision 35)",
    "reloop while: the step of a complete one, restarted, runs its rounds again",
  ),

  shown(
    "8.3",
    "rollups count what earlier runs have done, in loops and subworkflows",
    "reloop foreach from incomplete: iterations that succeeded are kept, the others run again",
    "reloop subworkflow from incomplete: the child's instance gets a new run, from what is incomplete",
  ),
  shown(
    "13",
    "foreach from incomplete keeps succeeded ones, and its run id increases",
    "reloop foreach from incomplete: iterations that succeeded are kept, the others run again",
  ),
  shown(
    "13",
    "a step deep inside a finished tree: new runs for every ancestor with RESTART_FROM_SPECIFIC",
    "reloop: a step deep in an ended tree makes a new run of every run above it",
  ),
  shown(
    "4.4",
    "an ended tree: a step of the child",
    "tree: a step of an ended child restarts its root, and in the child that step alone",
  ),
  shown(
    "4.4",
    "a root that still runs: its step is restarted in place",
    "tree: a step of an ended child whose root still runs restarts the root's step in place",
    "tree: an ended child whose root still runs is restarted in place, too",
  ),
  shown("4.4", "an older run is not acted on", "tree: an older run of a child is not acted on"),
  shown(
    "4.4",
    "a restarted parent starts a fresh async child (decision 44)",
    "tree: a restarted parent starts a fresh async child, while the first still runs",
  ),
  shown(
    "4.6",
    "off the path the downstream policy holds",
    "tree: the step of a child, restarted from the beginning, runs the child from the beginning",
    "tree: a failed iteration goes on inside with what is incomplete in it",
  ),
  shown(
    "4.8",
    "in place: the newest child goes on",
    "tree: the step of a failed child, restarted in place, goes on with what is incomplete in it",
    "tree: a while's step, restarted in place, goes on with its failed round",
  ),
  shown(
    "4.8",
    "stopped trees go on, as often as one likes",
    "tree: a restarted tree can be stopped, and restarted once more",
    "tree: stopping a child stops its root's step, and a restart of the root goes on with that child",
  ),
  shown(
    "5.7",
    "SKIP in an ended tree, at the end of the path",
    "tree: a failed step of an ended child is skipped by new runs along the way",
    "tree: a failed loop's step is skipped as a whole",
  ),
  shown(
    "6.2.2",
    "arrays that grow or shrink",
    "reloop foreach: an array that has grown runs its new iterations, and keeps what succeeded",
    "reloop foreach: an array that has shrunk forgets what is beyond it",
  ),
  shown("6.2.2", "concurrency holds in restarts", "reloop foreach: concurrency holds for iterations that run again"),
  shown(
    "7.2",
    "MUTABLE_ON_START of a step, said at the request (decision 43)",
    "reloop: what a loop or a subworkflow is about cannot be changed by a step's restart",
  ),
  shown(
    "5.6",
    "an iteration of a foreach that runs",
    "reloop foreach: a failed iteration runs again while the step is RUNNING",
  ),
  shown(
    "6.2.3",
    "one iteration while the step runs",
    "reloop foreach: a failed iteration runs again while the step is RUNNING",
  ),
  shown(
    "4.4",
    "RESTART_FROM_INLINE_ROOT",
    "reloop: an iteration's step may restart everything from the root that embeds it",
  ),
];
