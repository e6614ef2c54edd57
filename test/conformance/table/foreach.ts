/** Rules of foreach steps. */
import { type Row, shown, untried } from "./row.ts";

const STOP = "foreach stop: all iterations and their steps are STOPPED, and so is the step";

export const FOREACH_ROWS: readonly Row[] = [
  shown(
    "0.2",
    "a loop's body is an inline workflow, its iterations are instances of it",
    "foreach: iterations are runs of an inline workflow, and name the step that started them",
  ),
  shown(
    "0.4",
    "FOREACH names its ancestors, its depth, the root's correlation id",
    "foreach: iterations are runs of an inline workflow, and name the step that started them",
  ),
  shown(
    "6.2",
    "as many iterations as the product of the arrays, the first param fastest",
    "foreach: two loop params make their cross product, the first varies fastest",
  ),
  shown("6.2", "an empty array is no iteration", "foreach: an empty array is no iteration, and success"),
  shown("6.2", "arrays may come from expressions", "foreach: the arrays may come from expressions"),
  shown(
    "6.2",
    "loops without params, steps or arrays are refused (decisions 45, 54)",
    "foreach: loops without params, steps or arrays are refused at the push",
  ),
  shown(
    "6.2",
    "an iteration gets the workflow's params, the step's, its values and its index",
    "foreach: iterations are runs of an inline workflow, and name the step that started them",
  ),
  shown(
    "6.2",
    "the workflow id in a body is its own (decision 41)",
    "foreach: the workflow id that an iteration sees is its own",
  ),
  shown(
    "6.2",
    "a body's step that fails fails its iteration",
    "foreach: a body's param that cannot be evaluated fails the iteration, not the launch",
    "foreach: killing a step in an iteration fails the iteration",
  ),
  shown(
    "6.2 execute 4",
    "with strict ordering the window begins at the lowest that runs",
    "foreach: with strict ordering a slow one holds back those beyond the window",
    "foreach: any that ends makes room for the next",
  ),
  shown(
    "6.2 execute 6",
    "failed, FAIL_IMMEDIATELY: the others are ended",
    "foreach: after a failed iteration FAIL_IMMEDIATELY ends those under way, and the run",
  ),
  shown(
    "6.2 execute 6",
    "failed, FAIL_AFTER_RUNNING or IGNORE_FAILURE: no more launches, those under way end",
    "foreach: after a failed iteration FAIL_AFTER_RUNNING launches no more, and waits for those under way",
    "foreach: with IGNORE_FAILURE a failed iteration completes it with an error",
  ),
  shown(
    "6.2 execute 6",
    "STOPPED and TIMED_OUT iterations do not end the launches",
    "foreach: a stopped iteration does not keep others from starting; in the end the step is STOPPED",
  ),
  shown(
    "6.2 execute 7",
    "FAILED outweighs TIMED_OUT, which outweighs STOPPED",
    "foreach: after a failed iteration FAIL_IMMEDIATELY ends those under way, and the run",
    "foreach: an iteration with a timed-out step makes it TIMED_OUT, whatever others were stopped",
  ),
  shown("6.2 execute 7", "done when all have ended", "foreach: what follows waits for all iterations"),
  shown(
    "6.2 execute 8",
    "concurrency is honoured, and nothing caps a loop without it (decision 13)",
    "foreach: concurrency bounds how many iterations are under way",
    "foreach: without concurrency all are under way at once",
  ),
  untried("6.2 execute 8", "batches of launches", "how many are launched at once is ours to choose (decision 1)"),
  shown(
    "6.2.1",
    "the overview counts iterations and names them in intervals",
    "foreach: after a failed iteration FAIL_AFTER_RUNNING launches no more, and waits for those under way",
  ),
  shown(
    "6.2.4",
    "ending the step ends its iterations",
    STOP,
    "foreach: past its timeout the step is TIMED_OUT, and its iterations STOPPED",
  ),
  shown("5.3", "descendants of a stopped step are STOPPED", STOP),
  shown(
    "5.3",
    "descendants of a killed step are STOPPED",
    "foreach kill: its iterations are STOPPED, and the step fails by its failure mode",
    "foreach: killing the run fails the step, and stops what is in it",
  ),
  shown(
    "5.3",
    "descendants of a skipped step are STOPPED",
    "foreach skip: its iterations are STOPPED, the step is SKIPPED, and what follows runs",
  ),
  shown(
    "5.3",
    "descendants of a timed-out step are STOPPED",
    "foreach: past its timeout the step is TIMED_OUT, and its iterations STOPPED",
  ),
  shown(
    "8.2",
    "a loop's leaves are those of its iterations; without iterations it is one itself",
    "foreach: the rollup counts the leaves of all iterations, and names what failed in them",
    "foreach: an empty array is no iteration, and success",
  ),
  shown(
    "13",
    "foreach over {a:[1,2], b:[x,y,z]}: 6 iterations, index 0 = (1,x), 1 = (2,x), 2 = (1,y)",
    "foreach: two loop params make their cross product, the first varies fastest",
  ),
  shown(
    "13",
    "FAIL_AFTER_RUNNING with concurrency 2, iteration 2 of 5 fails: no iteration after those that were launched",
    "foreach: after a failed iteration FAIL_AFTER_RUNNING launches no more, and waits for those under way",
  ),
  shown(
    "13",
    "SKIP of a running foreach: iterations STOPPED, step SKIPPED, downstream continues",
    "foreach skip: its iterations are STOPPED, the step is SKIPPED, and what follows runs",
  ),
];
