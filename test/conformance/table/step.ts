/** Rules of steps: statuses, edges, failures, retries, time-outs. */
import { type Row, shown, untried } from "./row.ts";

const DONE = "life: a step goes through its statuses in order, each with its time";
const AT_ONCE =
  "a step passes through it at once, so that no read may see it; its time is in the scenario of the whole life";
const RETRIES = "retry: a user's error is tried again up to its limit, then the step fails fatally";
const TIMEOUTS = "retry: a step past its timeout is tried again as often as its policy says, then it is TIMED_OUT";
const HOST = "needs a host or a program that goes away: test/runtime and test/fault take them away";

export const STEP_ROWS: readonly Row[] = [
  shown(
    "2.1",
    "NOT_CREATED: a view of what has not come",
    "aggregate: names each step of the definition, with the run that touched it last",
  ),
  shown("2.1", "CREATED, INITIALIZED, EVALUATING_PARAMS, STARTING, FINISHING have their times", DONE),
  untried("2.1", "CREATED, INITIALIZED, EVALUATING_PARAMS, STARTING, FINISHING are seen", AT_ONCE),
  shown("2.1", "RUNNING", "life: attempts are counted from 1 on, and a step that runs is RUNNING"),
  shown("2.1", "SUCCEEDED", DONE),
  shown(
    "2.1",
    "UNSATISFIED has an end and no start",
    "condition: a join of which no condition is true is UNSATISFIED, and so is what follows",
  ),
  shown("2.1", "SKIPPED", "step skip: a running step ends SKIPPED, and what follows runs"),
  shown("2.1", "COMPLETED_WITH_ERROR", "failure: IGNORE_FAILURE completes the step with an error, and the run goes on"),
  shown("2.1", "USER_FAILED is tried again", RETRIES),
  untried("2.1", "PLATFORM_FAILED is tried again", HOST),
  shown("2.1", "TIMEOUT_FAILED is tried again", TIMEOUTS),
  shown("2.1", "FATALLY_FAILED", "failure: FAIL_AFTER_RUNNING is the default"),
  shown(
    "2.1",
    "INTERNALLY_FAILED",
    "failure: a step whose params cannot be evaluated fails internally, whatever its failure mode",
  ),
  shown("2.1", "STOPPED", "step stop: it ends STOPPED, what follows never starts, the others go on"),
  shown("2.1", "TIMED_OUT", "timeout: a step past its timeout is TIMED_OUT, others go on, and so ends the run"),
  untried("2.1", "DISABLED", "declared upstream, produced by nothing"),

  shown("2.3", "attempts count from 1 on; counters of retries go by the kind of failure", RETRIES, TIMEOUTS),
  shown(
    "2.5",
    "CREATED → UNSATISFIED when nothing lets it go",
    "condition: a join of which no condition is true is UNSATISFIED, and so is what follows",
  ),
  shown(
    "2.5",
    "CREATED → INITIALIZED with its timeout",
    "timeout: of a step, may come from the workflow's params; the attempt shows it",
  ),
  shown(
    "2.5",
    "CREATED → INTERNALLY_FAILED when its timeout cannot be read",
    "timeout: of a step, that cannot be read when it begins, fails the step internally",
  ),
  shown(
    "2.5",
    "INITIALIZED → WAITING_FOR_SIGNALS → EVALUATING_PARAMS → WAITING_FOR_PERMITS without anything to wait for",
    DONE,
  ),
  shown(
    "2.5",
    "EVALUATING_PARAMS → INTERNALLY_FAILED when params cannot be evaluated",
    "failure: a step whose params cannot be evaluated fails internally, whatever its failure mode",
  ),
  shown("2.5", "STARTING → RUNNING → FINISHING → SUCCEEDED", DONE),
  shown(
    "2.5",
    "STARTING → FATALLY_FAILED by its runtime",
    "failure: a step type that the server cannot run fails the step, and nothing is tried again",
  ),
  shown("2.5", "RUNNING → USER_FAILED, or FATALLY_FAILED at the limit", RETRIES),
  shown(
    "2.5",
    "complete → conditions of what follows",
    "condition: it sees the step's own params, the workflow's, and those of steps that have ended",
  ),
  shown(
    "2.5",
    "SUCCEEDED → INTERNALLY_FAILED when a condition cannot be evaluated",
    "condition: one that cannot be evaluated fails its step internally, and nothing follows",
    "condition: one that is no boolean fails its step internally",
  ),
  shown(
    "2.5",
    "FATALLY_FAILED → COMPLETED_WITH_ERROR by its failure mode",
    "retry: with a limit of 0 the first failure is fatal, and the failure mode governs it",
  ),

  shown(
    "2.8",
    "a step without predecessors is satisfied; with some, one true condition is enough",
    "graph: several roots start at once, and none waits for another",
    "condition: a join runs when one of its conditions is true",
  ),
  shown(
    "2.8",
    "unsatisfied steps make the conditions after them false",
    "condition: a join of which no condition is true is UNSATISFIED, and so is what follows",
    "condition: an unsatisfied branch does not hold up a join that another branch lets go",
  ),
  shown(
    "2.8",
    "a condition is a boolean or a text that says one",
    "condition: a text that says true or false, in any case, is one",
    "condition: one that is no boolean fails its step internally",
  ),
  shown("2.8", "it sees evaluated params", "condition: its step's params count as they were evaluated"),
  shown(
    "2.8",
    "an ignored failure lets downstream go on by its conditions",
    "condition: after an ignored failure and after a skip they are evaluated as after success",
  ),

  shown(
    "2.10",
    "limits and backoffs: defaults for each field, from workflow params too",
    "retry: what a policy leaves out has its default, and its numbers may come from the workflow's params",
  ),
  shown(
    "2.10",
    "a policy that cannot be read is the default",
    "retry: a policy that cannot be read gives way to the default",
  ),
  shown("2.10", "ranges of limits and backoffs", "retry: limits and backoffs out of their range are refused"),
  shown(
    "2.10",
    "the backoff counts from the end of the failed attempt",
    "retry: the next attempt comes a backoff after the end of the last",
  ),
  shown("2.10", "params are evaluated anew for each attempt", "retry: params are evaluated anew for each attempt"),
  shown("2.10", "success ends the retries", "retry: an attempt that succeeds ends the retries"),
  untried(
    "2.10",
    "backoffs of minutes that grow to their cap",
    "no scenario waits for minutes: test/definition computes them",
  ),
  shown(
    "2.11",
    "a timeout without retries is TIMED_OUT, on time (decision 37)",
    "timeout: a step past its timeout is TIMED_OUT, others go on, and so ends the run",
    "timeout: it fires on time, however long the step would sleep",
  ),
  shown("2.11", "a timeout with retries is TIMEOUT_FAILED first", TIMEOUTS),
  shown("2.11", "a failure mode does not govern a timeout", "timeout: a failure mode does not govern it"),
  untried(
    "2.11",
    "the job of a timed-out attempt ends before the next begins (decision 2)",
    "a job is not seen over HTTP: test/plugin looks at processes",
  ),

  shown(
    "2.12",
    "FAIL_AFTER_RUNNING, the default",
    "failure: FAIL_AFTER_RUNNING lets the others run to their end, and what follows never starts",
    "failure: FAIL_AFTER_RUNNING is the default",
  ),
  shown("2.12", "FAIL_IMMEDIATELY", "failure: FAIL_IMMEDIATELY stops all that run"),
  shown("2.12", "IGNORE_FAILURE", "failure: IGNORE_FAILURE completes the step with an error, and the run goes on"),
  shown(
    "2.12",
    "a user's kill of the step obeys the failure mode",
    "step kill: its failure mode IGNORE_FAILURE completes it with an error",
    "step kill: its failure mode FAIL_IMMEDIATELY stops the others",
  ),
  shown("2.12", "a kill of the run does not", "run kill: its steps fail fatally, whatever their failure mode"),
  shown(
    "2.12",
    "INTERNALLY_FAILED, TIMED_OUT and STOPPED ignore it",
    "failure: a step whose params cannot be evaluated fails internally, whatever its failure mode",
    "failure: an internal failure does not fail the run immediately",
    "timeout: a failure mode does not govern it",
    "step stop: a failure mode does not govern it",
    "run stop: a failure mode does not govern it",
  ),
  shown(
    "2.14",
    "outputs are merged into the step's params, MUTABLE and declared ones alone",
    "output: changes the step's params, which conditions and later steps read",
    "output: of a name that the step does not declare, or that is not mutable, fails it",
  ),
  shown(
    "2.14",
    "output data that a job reports is merged into the step's params, its artifacts into the step's, at the job's end",
    "report: what a job reports changes the step's params, which conditions and later steps read",
    "report: what a job puts out at its end counts over what it has reported",
    "report: of a name that the step does not declare, it fails the step",
    "report: signals that a job names are shown with the step",
    "report: without the attempt's token, or with another, it is refused, and so is what can't be read",
  ),
  shown(
    "2.9",
    "a runtime ends its job with the step",
    "timeout: a script that is under way is ended",
    "step stop: a script that is under way is ended",
  ),
  shown(
    "2.13",
    "a gate waits for all that come before it",
    "graph: a join starts when all that it comes after have ended",
  ),
  shown(
    "2.13",
    "a gate behind a failed step waits until the run ends",
    "graph: what comes after a failed step is never created, and other branches run to their end",
  ),
  shown(
    "2.13",
    "chains go in the order of the edges",
    "graph: a chain runs in its order, whatever the order in the definition",
  ),

  shown(
    "13",
    "diamond: D starts only after B and C are complete",
    "graph: a join starts when all that it comes after have ended",
  ),
  shown(
    "13",
    "diamond: B's condition false and C's true, D runs",
    "condition: a join runs when one of its conditions is true",
  ),
  shown(
    "13",
    "diamond: both false, D is UNSATISFIED and the instance SUCCEEDS",
    "condition: a join of which no condition is true is UNSATISFIED, and so is what follows",
  ),
  shown(
    "13",
    "B fails fatally with FAIL_AFTER_RUNNING: C finishes, D is never created, the instance FAILED",
    "failure: FAIL_AFTER_RUNNING lets the others run to their end, and what follows never starts",
  ),
  shown(
    "13",
    "B fails fatally with FAIL_IMMEDIATELY: C STOPPED, the instance FAILED",
    "failure: FAIL_IMMEDIATELY stops all that run",
  ),
  shown(
    "13",
    "B fails fatally with IGNORE_FAILURE: COMPLETED_WITH_ERROR, D runs, the instance SUCCEEDED",
    "failure: IGNORE_FAILURE completes the step with an error, and the run goes on",
  ),
  untried(
    "13",
    "user errors at +60 s and +120 s, platform errors up to 10 times",
    "no scenario waits for minutes: test/definition computes them, and short backoffs are tried here",
  ),
  shown(
    "13",
    "a step's timeout with the default limit: TIMED_OUT, the instance too",
    "timeout: a step past its timeout is TIMED_OUT, others go on, and so ends the run",
  ),
  shown(
    "13",
    "STOP of a step that waits for its retry ends it without the backoff",
    "step stop: one that waits for its retry ends without waiting for the backoff",
  ),
  shown(
    "13",
    "KILL with IGNORE_FAILURE: by the user COMPLETED_WITH_ERROR, by the instance's kill FATALLY_FAILED",
    "step kill: its failure mode IGNORE_FAILURE completes it with an error",
    "run kill: its steps fail fatally, whatever their failure mode",
  ),
  shown(
    "2.5",
    "USER_FAILED → FATALLY_FAILED when an output says that no retry helps",
    "retry: an output that says so ends the retries",
    "report: one that says so ends the retries",
  ),
];
