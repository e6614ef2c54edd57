/** Rules of runs: statuses, starts, ends, what is read of them. */
import { type Row, shown, untried } from "./row.ts";

const INTERNAL = "inside the engine: no request brings it about, and none shows it";
const FAULT = "test/fault kills servers and looks that it holds";

export const INSTANCE_ROWS: readonly Row[] = [
  shown("1.2", "a start makes a run CREATED", "life: a run that starts is CREATED and goes on by itself"),
  shown(
    "1.2",
    "FIRST_ONLY makes a run STOPPED while another is under way; start, end and creation are one instant",
    "FIRST_ONLY: while a run is under way a new one is STOPPED from the start",
    "FIRST_ONLY: a run that was never let go is stored with its end and the reason",
  ),
  untried("1.2", "losers of a batch are made STOPPED", "no request starts a batch: test/store plays them"),
  shown(
    "1.2",
    "params that cannot be evaluated make a run FAILED, if the request asks to keep it",
    "start: persist_failed_run stores a run whose params cannot be evaluated, as FAILED",
    "start: params that cannot be evaluated are refused, and nothing is stored",
  ),
  shown("1.2", "CREATED and queued → STOPPED or FAILED by stop or kill", "run actions: queued runs end at once"),
  shown(
    "1.2",
    "CREATED and queued → STOPPED by SERIAL_LATEST_ONLY",
    "SERIAL_LATEST_ONLY: the running one is left alone, and only the newest waits",
  ),
  shown(
    "1.2",
    "CREATED → launched: it gets its execution id; → IN_PROGRESS: it gets its start and its overview",
    "life: a queued run has no execution id and no overview; a launched one has them",
  ),
  shown("1.2", "IN_PROGRESS → SUCCEEDED", "life: an ended run has its times and its status for good"),
  shown("1.2", "IN_PROGRESS → FAILED", "failure: FAIL_AFTER_RUNNING is the default"),
  shown("1.2", "IN_PROGRESS → STOPPED", "run stop: its running steps are STOPPED, and so is the run"),
  shown("1.2", "IN_PROGRESS → TIMED_OUT", "timeout: a run past its own ends TIMED_OUT, and so do its steps"),
  untried("1.2", "a flow that ended without its monitor is recorded by the final callback", INTERNAL),
  shown(
    "1.2",
    "FAILED → unblocked, still shown as FAILED",
    "STRICT_SEQUENTIAL: a failed run holds up the queue until it is unblocked",
  ),
  shown(
    "1.2",
    "an ended run stays as it is",
    "life: an ended run has its times and its status for good",
    "run actions: one that has ended so is done already, another ending is refused",
  ),
  untried("1.2", "PAUSED", "declared upstream, produced by nothing"),

  shown(
    "1.3",
    "a start names a version by number or keyword; what is missing is not found",
    "start: a version is named by number, or as active, latest or default",
    "start: without an active version active is not found, and default is the latest",
    "start: a workflow that does not exist is not found",
  ),
  shown(
    "1.3",
    "a manual start may use any version",
    "start: a version is named by number, or as active, latest or default",
  ),
  shown(
    "1.3",
    "a run keeps the definition that it was started with",
    "start: a run keeps the definition of its version",
  ),
  untried("1.3", "starts by triggers must match the active version", "upstream fires none without SQS"),
  shown(
    "1.4",
    "ids count from 1 on, the correlation id names the root",
    "start: instances are counted from 1 on, each with its run 1",
  ),
  shown(
    "1.4",
    "the same request id is DUPLICATED",
    "start: the same request id twice makes one run, and the second answer names it",
    "start: a request id belongs to its workflow",
  ),
  untried("1.12", "a node that dies is replaced, what ran is adopted", FAULT),

  shown("1.8", "a run's timeout is read at its start", "timeout: of a run, is read when it starts"),
  shown(
    "1.8",
    "past it steps that run and steps that wait for a retry end at once",
    "timeout: a run past its own ends TIMED_OUT, and so do its steps",
    "timeout: of a run, does not wait for a step's backoff",
  ),
  shown(
    "1.8",
    "more than 0 and at most 120 days, and understood as a whole (decision 38)",
    "timeout: 0, more than 120 days and no duration at all are refused",
  ),

  shown(
    "1.9",
    "a step that failed fatally or internally makes the run FAILED",
    "failure: FAIL_AFTER_RUNNING lets the others run to their end, and what follows never starts",
    "failure: an internal failure does not fail the run immediately",
  ),
  shown(
    "1.9",
    "FAILED outweighs TIMED_OUT, which outweighs STOPPED",
    "timeout: a failed step outweighs one that is TIMED_OUT",
    "timeout: one that is TIMED_OUT outweighs a stopped one",
    "run stop: a step that had failed before makes it FAILED",
  ),
  shown(
    "1.9",
    "a STOPPED step makes the run STOPPED",
    "step stop: it ends STOPPED, what follows never starts, the others go on",
  ),
  shown(
    "1.9",
    "complete steps of any kind make it SUCCEEDED",
    "condition: a join of which no condition is true is UNSATISFIED, and so is what follows",
    "condition: after an ignored failure and after a skip they are evaluated as after success",
    "step skip: a running step ends SKIPPED, and what follows runs",
  ),
  shown(
    "1.9",
    "descendants of what did not complete are never created, other branches run to their end",
    "graph: what comes after a failed step is never created, and other branches run to their end",
  ),
  shown(
    "1.9",
    "a step in its backoff keeps the run IN_PROGRESS",
    "retry: a step past its timeout is tried again as often as its policy says, then it is TIMED_OUT",
  ),
  untried(
    "1.9",
    "a run in which no step was created is FAILED",
    "only a restart of a complete run does that upstream, which is refused here (decision 4)",
  ),

  shown(
    "8.1",
    "the overview counts steps by status",
    "overview: counts the steps by status, with their times, and leaves out those never created",
    "overview: a live run's counts follow its steps",
  ),
  shown(
    "8.2",
    "the rollup counts leaves, and refers to those that run or failed",
    "rollup: counts leaves, and names those that failed",
    "overview: a live run's counts follow its steps",
  ),
  shown(
    "4.7",
    "the aggregated view names each step of the definition",
    "aggregate: names each step of the definition, with the run that touched it last",
  ),
  shown(
    "8.4",
    "enriched timelines show statuses in order",
    "timeline: an enriched run shows its statuses in order",
    "timeline: an enriched step shows its statuses in order",
  ),
  shown(
    "8.4",
    "a run starts its stored timeline with its dequeueing or its refusal",
    "FIRST_ONLY: a run that was never let go is stored with its end and the reason",
  ),
  shown(
    "9.6",
    "a workflow is deleted when no run is under way",
    "delete: refused while a run is under way, done when all have ended",
  ),
  shown(
    "A 1.3",
    "runs are read by number and by latest; pages are windows of ids",
    "reads: what is not there is not found, and no number is refused",
    "reads: latest names the newest run and attempt",
    "pages: of instances, newest first by first and oldest by last, one direction at a time",
  ),
  shown(
    "A 1.5",
    "a run without steps: 404 for its own list, none for its instance's",
    "steps: a run without steps yet has no list, and its instance an empty one",
  ),

  shown(
    "13",
    "the same request id twice: CREATED, then DUPLICATED",
    "start: the same request id twice makes one run, and the second answer names it",
  ),
  untried("13", "kill the process mid-run: another node resumes, nothing is started twice", FAULT),
];
