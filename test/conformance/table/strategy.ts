/** Rules of run strategies. */
import { type Row, shown, untried } from "./row.ts";

const STRICT = "STRICT_SEQUENTIAL: a failed run holds up the queue until it is unblocked";

export const STRATEGY_ROWS: readonly Row[] = [
  shown(
    "3.1",
    "SEQUENTIAL is the default",
    "SEQUENTIAL: one run at a time, in the order of their instances; it is the default",
  ),
  shown("3.1", "a number is PARALLEL with that concurrency", "PARALLEL: a number is its short form"),
  shown(
    "3.1",
    "concurrency above 1 belongs to PARALLEL, at most 1000, never 0",
    "strategy: a concurrency above 1 belongs to PARALLEL, and 0 is none",
  ),
  shown(
    "3.2",
    "SEQUENTIAL queues",
    "SEQUENTIAL: one run at a time, in the order of their instances; it is the default",
  ),
  shown("3.2", "PARALLEL queues", "PARALLEL: as many at a time as its concurrency, the rest wait in order"),
  shown("3.2", "STRICT_SEQUENTIAL queues", STRICT),
  shown(
    "3.2",
    "SERIAL_LATEST_ONLY stops what is queued, leaves the running one alone",
    "SERIAL_LATEST_ONLY: the running one is left alone, and only the newest waits",
  ),
  shown(
    "3.2",
    "FIRST_ONLY makes a new one STOPPED while one is under way",
    "FIRST_ONLY: while a run is under way a new one is STOPPED from the start",
  ),
  shown(
    "3.2",
    "LAST_ONLY stops the one under way, and runs when it has ended",
    "LAST_ONLY: a new run stops the one under way, then runs",
  ),
  shown(
    "3.3",
    "slots go to the oldest instance first",
    "SEQUENTIAL: one run at a time, in the order of their instances; it is the default",
    "PARALLEL: as many at a time as its concurrency, the rest wait in order",
  ),
  shown("3.4", "an end of any kind lets the next go", "SEQUENTIAL: a failed run does not hold up the next"),
  shown(
    "3.4",
    "a changed strategy takes effect on those that wait",
    "strategy: a change takes effect on those that wait",
  ),
  shown(
    "3.5",
    "a FAILED run blocks until it is unblocked, by itself or with its workflow",
    STRICT,
    "STRICT_SEQUENTIAL: the workflow is unblocked as a whole, too",
  ),
  shown("3.5", "STOPPED and TIMED_OUT do not block", "STRICT_SEQUENTIAL: stopped and timed-out runs hold nothing up"),
  untried("3.6", "batches", "no request starts a batch: test/store plays them"),
  shown(
    "3.7",
    "to FIRST_ONLY or LAST_ONLY: not with two runs under way",
    "strategy: none for one run only is taken while two are under way",
  ),
  shown(
    "3.7",
    "to STRICT_SEQUENTIAL: not with a FAILED run",
    "strategy: STRICT_SEQUENTIAL is not taken while a run is FAILED",
  ),
  shown(
    "5.1",
    "PAUSE and RESUME of a workflow (decision 28)",
    "pause: runs that wait and new ones wait, those under way go on; resumed, they go in order",
    "pause: a strategy that does not queue refuses starts meanwhile",
    "pause: what waits can be stopped; pausing twice is pausing once",
  ),
  shown(
    "13",
    "SEQUENTIAL with 3 starts: one at a time in instance order",
    "SEQUENTIAL: one run at a time, in the order of their instances; it is the default",
  ),
  shown("13", "STRICT_SEQUENTIAL: after FAILED nothing is let go until it is unblocked", STRICT),
  shown(
    "13",
    "FIRST_ONLY, LAST_ONLY, SERIAL_LATEST_ONLY as their table says",
    "FIRST_ONLY: while a run is under way a new one is STOPPED from the start",
    "LAST_ONLY: a new run stops the one under way, then runs",
    "SERIAL_LATEST_ONLY: the running one is left alone, and only the newest waits",
  ),
  untried(
    "13",
    "results of a batch keep the order of its requests",
    "no request starts a batch: test/store plays them",
  ),
];
