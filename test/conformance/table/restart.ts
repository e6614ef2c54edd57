/** Rules of restarts, of runs and of steps. */
import { type Row, shown, untried } from "./row.ts";

const KEPT = "restart from incomplete: only what is not complete runs again, and sees what was done";
const VIEWS = "restart from incomplete: the instance shows each step by the run that touched it last";
const STEP = "step restart of an ended run: a new run from that step on, with params for it";
const OTHERS = "step restart of an ended run: another failed step stays as it was, and the instance stays FAILED";
const PLACE = "step restart in place: a further attempt in the same run, then what follows runs";

export const RESTART_ROWS: readonly Row[] = [
  shown("1.2", "CREATED by a restart: the same instance, the next run", KEPT),
  shown(
    "1.2",
    "CREATED, queued, by a restart",
    "restart, SEQUENTIAL: a restarted instance goes before newer ones that wait",
  ),
  shown(
    "1.2",
    "CREATED and queued → STOPPED by LAST_ONLY; a restart counts as any new run",
    "restart, LAST_ONLY: it stops the run that is under way",
    "restart, FIRST_ONLY: while another run is under way it is STOPPED from the start",
  ),
  shown(
    "1.2",
    "FAILED → superseded by a newer run of its instance",
    "restart, STRICT_SEQUENTIAL: a restart that succeeds lets the queue go on, one that fails does not",
  ),
  shown(
    "3.3",
    "restarted runs keep their instance's place in the queue",
    "restart, SEQUENTIAL: a restarted instance goes before newer ones that wait",
  ),
  shown(
    "3.5",
    "a restart that fails blocks again",
    "restart, STRICT_SEQUENTIAL: a restart that succeeds lets the queue go on, one that fails does not",
  ),

  shown("4.1", "RESTART_FROM_INCOMPLETE", KEPT),
  shown("4.1", "RESTART_FROM_BEGINNING", "restart from the beginning: every step runs again"),
  shown("4.1", "RESTART_FROM_SPECIFIC, of a step", STEP),
  shown(
    "4.1",
    "other policies are refused, and what is under way",
    "restart: what may be done is checked at the request",
  ),
  shown("4.2", "the run keeps what the restart asked for", KEPT, STEP),
  shown(
    "4.4",
    "a root that has ended gets a new run; again with the same request id it does not",
    "restart: the same request id twice makes one run, and the second answer names it",
    "restart: a restarted run can be stopped, and restarted again",
    "restart: runs of an instance are listed, newest first",
  ),
  shown(
    "4.4",
    "a step that was never created is refused",
    "step restart: a step that is unknown or was never created is refused",
  ),
  shown("4.5", "the version stays", "restart: keeps the version of the run, whatever was pushed since"),
  shown(
    "4.5",
    "from incomplete: NOT_CREATED, and ended without being complete",
    "restart from incomplete: a stopped run goes on where it was stopped",
    "restart from incomplete: a timed-out step runs again",
    "restart from incomplete: skipped, unsatisfied and ignored steps are complete",
  ),
  shown(
    "4.5",
    "a join counts steps outside the run as they ended (decision 5)",
    "restart: a join decides as if all had been one run",
    "restart: a join that nothing lets go in any run is UNSATISFIED",
    "step restart of an ended run: a join behind it counts what the others were",
  ),
  shown(
    "4.5",
    "a step that was named is forced, no other (decision 36)",
    "step restart of an ended run: only the step that was named is forced, what follows decides by its conditions",
  ),
  shown(
    "4.5",
    "a complete step may be named, too",
    "step restart of an ended run: a complete step, too, and all that follows",
  ),
  shown(
    "4.5",
    "nothing to do is refused (decision 4)",
    "restart from incomplete: of a run that is complete is refused",
  ),
  shown(
    "4.5",
    "other roots are left as they were, and can be continued in place",
    OTHERS,
    "step restart in place: what a SPECIFIC restart left out can be continued",
  ),
  shown(
    "4.5",
    "a step's params count in later restarts (decision 48)",
    "step restart of an ended run: params given to a step count in later restarts",
  ),
  shown("4.7", "views overlay all runs of the instance", VIEWS),
  shown("4.7", "a run that succeeded in an instance that did not: both are said", OTHERS),
  shown("5.3", "RESTART: NOT_CREATED → CREATED in the run that is under way", PLACE),
  shown(
    "5.6",
    "a step that ended without being complete, of FAIL_AFTER_RUNNING, without a retry to come",
    PLACE,
    "step restart in place: stopped and timed-out steps, too",
    "step restart in place: of a step that runs, succeeded, or has a retry before it is refused",
    "step restart in place: with another failure mode than FAIL_AFTER_RUNNING it is refused",
  ),
  shown("5.6", "again and again", "step restart in place: an attempt that fails again can be restarted again"),
  shown(
    "5.6",
    "with a fresh budget of retries (decision 7)",
    "step restart in place: the restarted attempt is tried again by its policy afresh",
  ),
  shown(
    "5.6",
    "what follows decides by the new attempt",
    "step restart in place: conditions after it are decided by the new attempt",
  ),
  untried(
    "5.6",
    "an iteration that cannot be restarted yet is a conflict",
    "the moment between two requests is the server's: none that a client could hold",
  ),
  shown(
    "5.7",
    "SKIP of an ended run's step: a new run in which it is SKIPPED",
    "step skip: of a failed step of an ended run makes a new run in which it is SKIPPED",
  ),
  shown(
    "5.7",
    "SKIP of a step that has ended in a run that is under way",
    "step skip: of a failed step in a run that is under way lets what follows run",
  ),
  shown(
    "5.1",
    "a step may be declared done (decision 28)",
    "step succeed: a running step ends SUCCEEDED, with outputs that what follows reads",
    "step succeed: a failed step of a run that is under way gets another attempt, which is done",
    "step succeed: of an ended run, and with outputs that the step does not declare, is refused",
  ),
  shown(
    "2.5",
    "CREATED → SKIPPED when a restart says so",
    "step skip: of a failed step of an ended run makes a new run in which it is SKIPPED",
  ),

  shown(
    "7.2",
    "what a restart may change, by mode, said at the request (decision 43)",
    "restart: changes only what is mutable then",
  ),
  shown(
    "7.4",
    "params keep their values; IMMUTABLE expressions are evaluated again",
    "restart: params keep their values, IMMUTABLE expressions are evaluated again",
  ),
  shown(
    "7.4",
    "derived params follow their inputs (decision 42)",
    "restart: a param derived from one that is overridden is evaluated again",
  ),
  shown("7.4", "overrides persist", "restart: overrides count in later restarts, too"),
  shown(
    "7.4",
    "params that a failed start has not got are merged afresh (decision 40)",
    "restart: a run whose params could not be evaluated gets them afresh",
  ),
  shown("7.5", "a step's params of a restart: source RESTART in a new run, LAUNCH in place", STEP, PLACE),
  shown("8.3", "rollups count what earlier runs have done", VIEWS),

  shown(
    "13",
    "FAIL_AFTER_RUNNING: restart of B in place while C runs lets D run, and the instance succeeds",
    "step restart in place: under FAIL_AFTER_RUNNING the join behind it runs in the end",
  ),
  shown(
    "13",
    "FAIL_IMMEDIATELY: in-place restart of B refused",
    "step restart in place: with another failure mode than FAIL_AFTER_RUNNING it is refused",
  ),
  shown(
    "13",
    "SEQUENTIAL: restarting instance 1 while 3 is queued runs 1's new run first",
    "restart, SEQUENTIAL: a restarted instance goes before newer ones that wait",
  ),
  shown(
    "13",
    "STRICT_SEQUENTIAL: a successful restart lets the queue go on",
    "restart, STRICT_SEQUENTIAL: a restart that succeeds lets the queue go on, one that fails does not",
  ),
  shown(
    "13",
    "from incomplete keeps RUN_TS; IMMUTABLE expressions re-evaluate; CONSTANT and MUTABLE_ON_START are not overridden",
    "restart: params keep their values, IMMUTABLE expressions are evaluated again",
    "restart: changes only what is mutable then",
  ),
  shown("13", "aggregated status: A restarted alone, B stays failed", OTHERS),
];
