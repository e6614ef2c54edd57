/** What is told of rows that the database refuses for good: to the run's timeline, and to an operator. */
import { type Json, stringifyJson } from "../json.ts";
import { type Run, runIdentity } from "../run/model.ts";
import type { Write } from "./port.ts";
import { REFUSED } from "./topic.ts";

export interface Refusal {
  /** A sentence for the run's timeline. */
  readonly reason: string;
  readonly rows: readonly Write[];
}

/** Steps that a reason spells out. */
const MOST_NAMED = 3;
/** Rows that a dead letter shows, and characters of each. */
const MOST_ROWS = 5;
const MOST_CONTENT = 2_000;
/** Characters of what the database says. */
const MOST_MESSAGE = 2_000;

/** @param message the database's own */
export function refusalOf(rows: readonly Write[], message: string): Refusal {
  const steps = new Set(rows.flatMap((row) => (row.kind === "attempt" ? [`[${row.attempt.stepId}]`] : [])));
  const named = [...steps].slice(0, MOST_NAMED).join(", ") + (steps.size > MOST_NAMED ? ", …" : "");
  const what =
    steps.size === 0 ? "state of the run" : steps.size === 1 ? `state of step ${named}` : `state of steps ${named}`;
  return { reason: `The database refuses the ${what}: ${cut(message, MOST_MESSAGE)}. The run cannot go on`, rows };
}

/** The dead letter of a run, of bounded size; a later one of the same run stands in its place. */
export function letterOf(run: Run, { reason, rows }: Refusal): Write {
  const state = rows.filter((row) => row.kind === "attempt" || row.kind === "run");
  return {
    kind: "dead-letter",
    topic: REFUSED,
    key: runIdentity(run),
    error: reason,
    payload: {
      workflow_id: run.workflowId,
      workflow_instance_id: run.instanceId,
      workflow_run_id: run.runId,
      refused: state.slice(0, MOST_ROWS).map(shown),
      refused_count: state.length,
    },
  };
}

function shown(row: Extract<Write, { readonly kind: "attempt" | "run" }>): Json {
  if (row.kind === "run") {
    const { status, overview, artifacts, timeline } = row.change;
    return { status, content: contentOf({ overview, artifacts, timeline }) };
  }
  const { stepId, attemptId, status } = row.attempt;
  return { step_id: stepId, step_attempt_id: attemptId, status, content: contentOf(row.attempt) };
}

/** The beginning of its JSON; what has none may be why it is refused. */
function contentOf(value: unknown): string {
  try {
    return cut(stringifyJson(value), MOST_CONTENT);
  } catch (error) {
    return `no JSON can be made of it: ${error instanceof Error ? cut(error.message, MOST_CONTENT) : "unknown reason"}`;
  }
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);
