/** A run's progress as text: the tree that redraws itself, and the lines for where nothing can be redrawn. */
import { type Json, type JsonObject, stringifyJson } from "../json.ts";
import { inLine } from "../printable.ts";
import { own } from "../record.ts";
import { type Attempts, attemptsOf, isStepEnd, numberText, problemsOf, reasonOf, waitText } from "./attempt.ts";
import { belowNotes, belowText } from "./below.ts";
import { cell, durationText, instant, object, objects, paint } from "./output.ts";
import { layOut, type Node } from "./tree.ts";

/** A run and its steps, as the API answers them. */
export interface Snapshot {
  readonly run: JsonObject;
  readonly steps: readonly JsonObject[];
  /** Epoch milliseconds: when the server was asked, so that what ran then is not said to have run longer than it did. */
  readonly now: number;
  /** Runs that steps have started, by the step's id. */
  readonly below?: ReadonlyMap<string, Below> | undefined;
}

export interface Below {
  readonly runs: readonly Snapshot[];
  /** Runs of the step that are not among them. */
  readonly more: number;
}

/** One step of a run, started or not. */
interface StepRow {
  readonly status: string;
  readonly text: string;
  /** Lines below it. */
  readonly notes: readonly string[];
  /** The command that prints what the attempt has written; undefined where that is of no interest. */
  readonly logs: string | undefined;
}

const NOT_BEGUN: StepRow = { status: "NOT_CREATED", text: "", notes: [], logs: undefined };

/** Commands below a tree. */
const MAX_COMMANDS = 6;

const SYMBOLS: readonly (readonly [pattern: RegExp, symbol: string])[] = [
  [/^(SUCCEEDED|COMPLETED_WITH_ERROR)$/, "✔"],
  [/FAILED|TIMED_OUT/, "✘"],
  [/^STOPPED$/, "■"],
  [/^(SKIPPED|UNSATISFIED|DISABLED)$/, "-"],
  [/^(RUNNING|STARTING|FINISHING)$/, "●"],
];

const symbolOf = (status: string): string => SYMBOLS.find(([pattern]) => pattern.test(status))?.[1] ?? "○";

/** Below this width of ids the statuses line up. */
const MAX_COLUMN = 48;

/** How a snapshot is shown. */
export interface Look {
  readonly colour: boolean;
  /** Numbers the attempts of every step that has begun, not only where there are several. */
  readonly numbered?: boolean;
  /** The command that prints what a step's attempt wrote; without an attempt, that of the newest one. */
  readonly logs?: ((stepId: string, attempt?: number) => string) | undefined;
}

export function treeLines(snapshot: Snapshot, look: Look): readonly string[] {
  const { lines, commands } = drawn(snapshot, look);
  return [...lines, ...commandLines(commands)];
}

/** The tree, with the runs below its steps, and the commands for its failed steps. */
function drawn({ run, steps, now, below: nested }: Snapshot, look: Look) {
  const rows = new Map(steps.map((it) => [cell(it, "step_id"), rowOf(it, now, look)]));
  const lines = layOut(graphOf(run, steps));
  const width = Math.min(MAX_COLUMN, Math.max(0, ...lines.map((it) => it.lead.length + it.id.length)));
  const drawnLines = [
    headLine(run, now, look.colour),
    ...reasonLines(problemsOf(run.timeline).join("\n")).map((it) => `  ${it}`),
    ...lines.flatMap(({ id, lead, below, after }) => {
      const { status, text, notes } = rows.get(id) ?? NOT_BEGUN;
      const name = `${lead}${paint(symbolOf(status), status, look.colour)} ${inLine(id)}`;
      const pad = " ".repeat(Math.max(0, width - lead.length - id.length));
      const line = [text === "" ? "" : `${pad}  ${paint(text, status, look.colour)}`, afterText(after)].join("");
      return [`${name}${line}`, ...[...notes, ...nestedLines(nested?.get(id), look)].map((it) => `${below}${it}`)];
    }),
  ];
  return { lines: drawnLines, commands: lines.flatMap(({ id }) => rows.get(id)?.logs ?? []) };
}

function nestedLines(below: Below | undefined, look: Look): readonly string[] {
  if (below === undefined) return [];
  const lines = below.runs.flatMap((run) => drawn(run, { ...look, logs: undefined }).lines);
  return below.more > 0 ? [...lines, `… and ${below.more} more runs`] : lines;
}

/** Below the tree, each alone on its line: pasted from within, a command would bring the tree's lines along. */
function commandLines(commands: readonly string[]): readonly string[] {
  if (commands.length === 0) return [];
  const more = commands.length - MAX_COMMANDS;
  return [
    "",
    "What the failed steps have written:",
    ...commands.slice(0, MAX_COMMANDS).map((it) => `  ${it}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

/** Of a step that joins branches which no line shows it to join. */
const afterText = (ids: readonly string[]): string =>
  ids.length === 0 ? "" : `  (after ${ids.map(inLine).join(", ")})`;

/** `etl instance 7 run 1: IN_PROGRESS, 3.2 s` */
export function headLine(run: JsonObject, now: number, colour: boolean): string {
  const status = cell(run, "status");
  const start = instant(run, "start_time");
  const time = start === undefined ? "" : `, ${durationText((instant(run, "end_time") ?? now) - start)}`;
  return `${runName(run)}: ${paint(status, status, colour)}${time}`;
}

export const runName = (run: JsonObject): string =>
  `${cell(run, "workflow_id")} instance ${cell(run, "workflow_instance_id")} run ${cell(run, "workflow_run_id")}`;

/**
 * Lines for the steps whose status is another than in `seen`, which is brought up to date: `loop[3]/load: SUCCEEDED` for a
 * step of a run that a step has started.
 */
export function changeLines(
  { steps, below }: Snapshot,
  seen: Map<string, string>,
  look: Look,
  place = "",
): readonly string[] {
  const lines: string[] = [];
  for (const step of steps) {
    const own = cell(step, "step_id");
    const id = `${place}${own}`;
    // What a step has started ends before the step.
    for (const run of below?.get(own)?.runs ?? []) {
      const instance = cell(run.run, "workflow_instance_id");
      lines.push(...changeLines(run, seen, { ...look, logs: undefined }, `${id}[${instance}]/`));
    }
    const status = cell(object(step.runtime_state), "status");
    const attempt = cell(step, "step_attempt_id");
    const state = `${status} ${attempt}`;
    if (seen.get(id) === state) continue;
    seen.set(id, state);
    if (status === "CREATED" || status === "INITIALIZED") continue;
    const { most } = attemptsOf(step);
    const again = attempt === "1" || attempt === "-" ? "" : ` (${numberText(attempt, most)})`;
    // How long something has been running when it is seen first depends on who looks.
    const { text, notes, logs = [] } = rowOf(step, undefined, look);
    lines.push(`${id}${again}: ${text}`, ...notes.concat(logs).map((it) => `  ${it}`));
  }
  return lines;
}

/** @param now undefined: what depends on the moment is left out */
function rowOf(step: JsonObject, now: number | undefined, look: Look): StepRow {
  const state = object(step.runtime_state);
  const status = cell(state, "status");
  const start = instant(state, "start_time");
  const end = isStepEnd(status) ? instant(state, "end_time") : now;
  const time = start === undefined || end === undefined ? "" : `  ${durationText(end - start)}`;
  const outputs = status === "SUCCEEDED" ? outputText(step) : "";
  const attempts = attemptsOf(step);
  const count = now === undefined || start === undefined ? "" : attemptText(attempts, look.numbered === true);
  const failed = /FAILED|TIMED_OUT|COMPLETED_WITH_ERROR/.test(status);
  // The newest attempt is soon another one.
  const attempt = attempts.next === undefined ? undefined : attempts.number;
  return {
    status,
    text: `${status}${time}${count}${belowText(step)}${outputs}`,
    notes: [...(failed ? notesOf(step, attempts, now) : []), ...belowNotes(step)],
    logs: failed && start !== undefined ? look.logs?.(cell(step, "step_id"), attempt) : undefined,
  };
}

const attemptText = ({ number, most }: Attempts, always: boolean): string =>
  number > 1 || always ? `  ${numberText(number, most)}` : "";

/** When and why the next attempt comes, or why there is none. */
function notesOf(step: JsonObject, { number, most, next }: Attempts, now: number | undefined): readonly string[] {
  const reason = reasonLines(reasonOf(step) ?? "");
  if (next !== undefined) {
    const left = now === undefined ? next.delay : Math.max(0, next.at - now);
    reason[0] = `${numberText(number + 1, most)} in ${waitText(left)}${reason[0] === undefined ? "" : `: ${reason[0]}`}`;
  }
  return reason;
}

/** Params that the step's own work has set. */
function outputText(step: JsonObject): string {
  const set = Object.entries(object(step.params)).filter(
    ([, param]) => cell(object(param), "source") === "OUTPUT_PARAMETER",
  );
  const texts = set.map(([name, param]) => inLine(`${name}=${resultText(object(param).evaluated_result)}`));
  return texts.length === 0 ? "" : `  ${texts.join(" ")}`;
}

/** A MAP as JSON, whatever its keys. */
const resultText = (result: Json = null): string => (typeof result === "string" ? result : stringifyJson(result));

function reasonLines(reason: string): string[] {
  const lines = reason
    .split("\n")
    .filter((it) => it.trim() !== "")
    .map(inLine);
  return lines.length > 6 ? [...lines.slice(0, 6), `… and ${lines.length - 6} more lines`] : lines;
}

/** The ids of its steps in the definition's order, then those that are in no definition (of an older answer). */
export function stepIds({ run, steps }: Pick<Snapshot, "run" | "steps">): readonly string[] {
  const dag = object(run.runtime_dag);
  const order = objects(object(run.runtime_workflow).steps).map((wrapper) => {
    const [body] = objects(Object.values(wrapper));
    return body ? String(body.id ?? "") : "";
  });
  const own = order.filter((id) => Object.hasOwn(dag, id));
  return [...new Set([...own, ...Object.keys(dag), ...steps.map((it) => String(it.step_id))])];
}

/** The graph of the run; steps that are in none follow without predecessors. */
function graphOf(run: JsonObject, steps: readonly JsonObject[]): readonly Node[] {
  const dag = object(run.runtime_dag);
  return stepIds({ run, steps }).map((id) => {
    const { predecessors } = object(own(dag, id));
    return { id, predecessors: Array.isArray(predecessors) ? predecessors.map(String) : [] };
  });
}
