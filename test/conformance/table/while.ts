/** Rules of while steps. */
import { type Row, shown } from "./row.ts";

const ROUNDS = "while: rounds go on while the condition holds, each sees its index and its values";

export const WHILE_ROWS: readonly Row[] = [
  shown("6.3", "rounds one after the other", "while: no round begins before the one before has ended"),
  shown(
    "6.3",
    "WHILE names its ancestors; the body is an inline workflow",
    "while: rounds are runs of an inline workflow, and name the step that started them",
  ),
  shown("6.3", "the artifact has the values before each round, and those that ended it", ROUNDS),
  shown(
    "6.3",
    "the condition is evaluated before the first round, too",
    "while: a condition that is false from the start is no round, and success",
  ),
  shown(
    "6.3",
    "values come from params of the round's steps, the later step wins",
    "while: of two steps that set a value the later one counts",
    "while: a value that no step sets stays",
  ),
  shown(
    "6.3",
    "the condition sees the workflow's params and the step's",
    "while: the condition sees the workflow's params and the step's",
  ),
  shown(
    "6.3 execute 2",
    "the round FAILED → the step fails, by its failure mode",
    "while: a failed round fails the step, and no other begins",
    "while: with IGNORE_FAILURE a failed round completes it with an error",
  ),
  shown("6.3 execute 2", "the round STOPPED → the step STOPPED", "while: a stopped round stops the step"),
  shown(
    "6.3 execute 2",
    "the round TIMED_OUT → the step TIMED_OUT",
    "while: a round with a timed-out step makes it TIMED_OUT",
  ),
  shown(
    "6.3 execute 4",
    "a condition that fails or is no boolean fails the step",
    "while: a condition that cannot be evaluated, or is no boolean, fails the step",
  ),
  shown(
    "6.3",
    "terminate ends the round",
    "while stop: its round is STOPPED, and so is the step",
    "while kill: its round is STOPPED, and the step fails",
    "while skip: its round is STOPPED, the step is SKIPPED, and what follows runs",
    "while: past its timeout the step is TIMED_OUT, and its round STOPPED",
  ),
  shown("6.3", "a round is a run with edges of its own", "while: a round has edges and conditions of its own"),
  shown(
    "6.3",
    "no steps and blank conditions are refused (decision 54)",
    "while: a loop without steps or with a blank condition is refused at the push",
  ),
  shown(
    "8.2",
    "a while step's leaves are those of its rounds",
    "while: a failed round fails the step, and no other begins",
  ),
  shown("13", "while i < 3, a step sets i = i + 1: iterations 1..3, loop_index 0..2, then done", ROUNDS),
];
