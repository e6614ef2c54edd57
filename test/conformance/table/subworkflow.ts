/** Rules of subworkflow steps, and of kinds in each other. */
import { type Row, shown } from "./row.ts";

export const SUBWORKFLOW_ROWS: readonly Row[] = [
  shown(
    "6.1",
    "SUBWORKFLOW names its ancestors; the child is an instance of its own workflow",
    "subworkflow: a child is an instance of its own workflow, and names the step that started it",
  ),
  shown(
    "6.1",
    "the child is the active version unless another is named",
    "subworkflow: the child is the active version, unless another is named",
  ),
  shown("6.1", "its id may be computed", "subworkflow: the child's id may come from a param"),
  shown(
    "6.1",
    "implicit params: the workflow's, then the step's",
    "subworkflow: the child gets the workflow's params and the step's, which win over its own",
  ),
  shown(
    "6.1",
    "explicit params: the step's alone",
    "subworkflow: with explicit params the child gets those of the step alone",
  ),
  shown(
    "6.1",
    "a constant of the child takes no other value",
    "subworkflow: a param that the child holds constant cannot be passed another value",
  ),
  shown(
    "6.1",
    "the child's workflow id is its own (decision 41)",
    "subworkflow: the workflow id and the owner that a child sees are its own",
  ),
  shown(
    "6.1",
    "a launch that cannot be is fatal, without retries",
    "subworkflow: a child or a version that does not exist fails the step, and nothing is tried again",
  ),
  shown(
    "6.1",
    "the child's own run strategy decides",
    "subworkflow: a child waits by its own run strategy; stopping the step ends it in the queue",
    "subworkflow: a child that its run strategy does not let run stops the step",
  ),
  shown(
    "6.1 sync",
    "SUCCEEDED → DONE, with the child's overview in the artifact",
    "subworkflow: what follows waits for the child, whose overview the step shows",
  ),
  shown(
    "6.1 sync",
    "FAILED → FATALLY_FAILED, no retry, then the failure mode",
    "subworkflow: a failed child fails the step",
    "subworkflow: a failed child is ignored when the step's failure mode says so",
  ),
  shown("6.1 sync", "STOPPED → STOPPED", "subworkflow: a stopped child stops the step"),
  shown("6.1 sync", "TIMED_OUT → TIMED_OUT", "subworkflow: a child past its timeout makes the step TIMED_OUT"),
  shown("6.1 async", "done when launched", "subworkflow async: the step succeeds as soon as the child is launched"),
  shown(
    "6.1 async",
    "actions above do not reach the child",
    "subworkflow async: stopping the parent does not reach the child",
    "nested: an async subworkflow in a foreach is not reached by a stop",
  ),
  shown(
    "6.1",
    "terminate ends the child, queued or running",
    "subworkflow stop: the child and its steps are STOPPED",
    "subworkflow kill: the child is STOPPED, the step fails",
    "subworkflow skip: the child is STOPPED, the step SKIPPED, and what follows runs",
    "subworkflow: past its timeout the step is TIMED_OUT, and its child STOPPED",
    "subworkflow: a child waits by its own run strategy; stopping the step ends it in the queue",
  ),
  shown("6.8", "the depth of a tree is below 10", "subworkflow: one that starts itself ends at a depth of ten"),
  shown(
    "8.2",
    "a subworkflow's leaves are its child's",
    "subworkflow: what follows waits for the child, whose overview the step shows",
  ),

  shown(
    "6",
    "kinds in each other: values down, leaves up",
    "nested: foreach in subworkflow in foreach: values come down, leaves are counted up",
    "nested: a foreach in a foreach may range over the outer value",
    "nested: a while in a foreach counts for each iteration by itself",
    "nested: a foreach in a while runs in each round",
  ),
  shown("6", "a failure goes up step by step", "nested: a failure deep inside fails each step above it"),
  shown(
    "5.3",
    "actions on ancestors reach every descendant",
    "nested stop: of the outermost step reaches every descendant",
    "nested skip: of the outermost step stops every descendant, and the run goes on",
  ),
  shown(
    "5.5",
    "stop and kill of a run reach the whole tree",
    "nested stop: of the run reaches every descendant",
    "nested kill: of the run fails its own step, descendants are STOPPED",
  ),
  shown("1.8", "a run's timeout reaches the whole tree", "nested timeout: of the run reaches every descendant"),
  shown(
    "2.12",
    "FAIL_IMMEDIATELY reaches what is nested beside it, and from inside an iteration that iteration alone",
    "mixed: FAIL_IMMEDIATELY beside a loop and a subworkflow stops all that is in them",
    "mixed: FAIL_IMMEDIATELY inside an iteration stops that iteration alone",
  ),
  shown("2.12", "IGNORE_FAILURE inside an iteration", "mixed: IGNORE_FAILURE inside an iteration lets it succeed"),
  shown(
    "6.2",
    "loop values have the type of their array's elements",
    "mixed: loop values keep the type of their array",
  ),
  shown(
    "3.1",
    "run strategies hold for children, not for iterations",
    "mixed: children of a loop wait by their workflow's run strategy",
  ),
  shown("3.2", "LAST_ONLY stops a tree", "mixed: LAST_ONLY stops a whole tree, then runs the new one"),
  shown(
    "6.2.4",
    "a stop while a loop is launching",
    "mixed: a stop right after the start ends a large loop, and leaves nothing behind",
  ),
  shown(
    "6.3",
    "values go down to subworkflows, and come from the round's own steps alone",
    "mixed: a while hands its values down to a subworkflow, and takes none back",
  ),
  shown("6", "a while in a while", "mixed: a while in a while counts for itself"),
  shown("2.8", "conditions behind a loop", "mixed: conditions behind a loop see its params"),
  shown(
    "A 1.1",
    "an inline workflow's definition is read by its id, and not deleted by it",
    "mixed: the definition of a loop's body is read by the inline workflow's id",
  ),
  shown("6", "an iteration is a run like others", "mixed: a run's own actions and views work on an iteration, too"),
  shown(
    "9.6",
    "a workflow with a tree under way is not deleted",
    "mixed: the workflow cannot be deleted while its tree is under way",
  ),
  shown(
    "13",
    "STOP of a step with foreach → subworkflow below: steps, children, parent STOPPED; an async child runs on",
    "nested stop: of the outermost step reaches every descendant",
    "nested: an async subworkflow in a foreach is not reached by a stop",
  ),
];
