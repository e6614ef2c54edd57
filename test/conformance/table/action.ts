/** Rules of stop, kill and skip. */
import { type Row, shown, untried } from "./row.ts";

const BACKOFF = [
  "step stop: one that waits for its retry ends without waiting for the backoff",
  "step kill: one that waits for its retry fails at once",
  "step skip: one that waits for its retry is SKIPPED without waiting",
] as const;

export const ACTION_ROWS: readonly Row[] = [
  shown("5.1", "actions of a run by its status", "action map: what may be done with a run, by its status"),
  shown("5.1", "actions of a step by its status", "action map: what may be done with a step, by its status"),
  untried(
    "5.2",
    "a second action on a step that has one is a conflict",
    "over HTTP one is done before another comes; test/api keeps a step from acting",
  ),
  shown("5.3", "STOP → STOPPED", "step stop: it ends STOPPED, what follows never starts, the others go on"),
  shown(
    "5.3",
    "KILL → FATALLY_FAILED, then the failure mode",
    "step kill: it fails fatally, and the others go on",
    "step kill: its failure mode IGNORE_FAILURE completes it with an error",
  ),
  shown("5.3", "SKIP → SKIPPED, then the conditions", "step skip: a running step ends SKIPPED, and what follows runs"),
  shown(
    "5.3",
    "an action is in the step's timeline, with who asked for it",
    "step stop: it ends STOPPED, what follows never starts, the others go on",
  ),
  shown(
    "5.4",
    "blocking waits for the effect",
    "step stop: it ends STOPPED, what follows never starts, the others go on",
    "step kill: it fails fatally, and the others go on",
  ),
  shown(
    "5.4",
    "without blocking the answer comes at once",
    "step actions: without blocking the answer does not wait, and the action is done",
  ),
  untried("5.4", "blocking gives up after five seconds", "needs a job that does not end: test/api has one"),
  shown(
    "5.5",
    "step: not of an ended run, an ended step, or an unknown one; not found before it is created",
    "step actions: what cannot be done is refused",
  ),
  shown("5.5", "step: a wake-up cuts the backoff short", ...BACKOFF),
  shown("5.5", "run: queued ones end at once, completed", "run actions: queued runs end at once"),
  shown(
    "5.5",
    "run: at its target already is done, ended otherwise is refused",
    "run actions: one that has ended so is done already, another ending is refused",
  ),
  shown(
    "5.5",
    "run: STOP makes it STOPPED unless a step had failed",
    "run stop: its running steps are STOPPED, and so is the run",
    "run stop: a step that had failed before makes it FAILED",
  ),
  shown("5.5", "run: STOP reaches steps that wait for a retry", "run stop: reaches a step that waits for its retry"),
  shown("5.5", "run: KILL ignores failure modes", "run kill: its steps fail fatally, whatever their failure mode"),
  shown(
    "5.5",
    "workflow: queued ones first, then running ones",
    "workflow stop: ends the running and the queued",
    "workflow kill: fails the running and the queued",
  ),
  shown("5.7", "skip before a step is created is refused", "step actions: what cannot be done is refused"),
  shown(
    "5.7",
    "skip of a running step, as soon as it runs (decision 39)",
    "step skip: a running step ends SKIPPED, and what follows runs",
  ),
  shown(
    "5.8",
    "unblock: of a FAILED run alone; of a workflow",
    "STRICT_SEQUENTIAL: a failed run holds up the queue until it is unblocked",
    "STRICT_SEQUENTIAL: the workflow is unblocked as a whole, too",
    "run actions: one that has ended so is done already, another ending is refused",
  ),
  shown(
    "5.10",
    "deactivation does not stop what runs, and takes the active version away",
    "start: without an active version active is not found, and default is the latest",
  ),
  shown(
    "5.2",
    "actions on a run overwrite those before",
    "run kill: a kill overtakes a stop whose jobs take their time",
  ),
];
