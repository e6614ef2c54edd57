/** Rules of breakpoints. */
import { type Row, shown } from "./row.ts";

const ONCE =
  "breakpoint: pauses the step before it waits for anything else; resuming the attempt leaves the breakpoint";

export const BREAKPOINT_ROWS: readonly Row[] = [
  shown("2.1", "PAUSED", ONCE),
  shown("2.5", "INITIALIZED → PAUSED → WAITING_FOR_SIGNALS", ONCE),
  shown(
    "5.9",
    "one per step, listed with what it pauses",
    "breakpoint: is listed, and so is what it pauses",
    "breakpoint: setting it twice is setting it once; wrong requests are refused",
  ),
  shown(
    "5.9",
    "decided once per attempt, when it is INITIALIZED",
    "breakpoint: pauses each attempt once",
    "breakpoint: one that is set later does not pause an attempt that is further",
  ),
  shown(
    "5.9",
    "removing it resumes, unless it is told not to",
    "breakpoint: removing it lets go all that it pauses, unless it is told not to",
  ),
  shown("5.9", "inside loops, at any depth (decision 46)", "breakpoint: pauses a step inside a loop, at any depth"),
  shown(
    "5.9",
    "stop, kill and skip while PAUSED; the attempt is listed no more (decision 46)",
    "breakpoint: a paused step can be stopped, killed and skipped",
  ),
  shown(
    "5.9",
    "the run's timeout counts, the step's does not",
    "breakpoint: a pause does not count for the step's timeout, and does for the run's",
  ),
  shown(
    "13",
    "pauses at INITIALIZED once per attempt; resuming one attempt leaves the breakpoint",
    ONCE,
    "breakpoint: pauses each attempt once",
  ),
];
