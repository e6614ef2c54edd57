/** A run's progress as text: the tree that redraws itself, and the lines for where nothing can be redrawn. */
import { type Json, type JsonObject, stringifyJson } from "../json.ts";
import { inLine } from "../printable.ts";
import { own } from "../record.ts";
import { isTerminal, STEP_STATUS, type StepStatus } from "../step/status.ts";
import { cell, durationText, instant, object, objects, paint } from "./output.ts";
import { layOut, type Node } from "./tree.ts";

/** A run and its steps, as the API answers them. */
export interface Snapshot {
  readonly run: JsonObject;
  readonly steps: readonly JsonObject[];
}

/** One step of a run, started or not. */
interface StepRow {
  readonly id: string;
  readonly status: string;
  readonly text: string;
  readonly reason: string | undefined;
}

const SYMBOLS: readonly (readonly [pattern: RegExp, symbol: string])[] = [
  [/^(SUCCEEDED|COMPLETED_WITH_ERROR)$/, "✔"],
  [/FAILED|TIMED_OUT/, "✘"],
  [/^STOPPED$/, "■"],
  [/^(SKIPPED|UNSATISFIED|DISABLED)$/, "-"],
  [/^(RUNNING|STARTING|FINISHING)$/, "●"],
];

const symbolOf = (status: string): string => SYMBOLS.find(([pattern]) => pattern.test(status))?.[1] ?? "○";

const isEnd = (status: string): boolean => status in STEP_STATUS && isTerminal(status as StepStatus);

/** Below this width of ids the statuses line up. */
const MAX_COLUMN = 48;

/** @param now epoch milliseconds: how long what runs has been running. */
export function treeLines({ run, steps }: Snapshot, now: number, colour: boolean): readonly string[] {
  const rows = new Map(steps.map((it) => [cell(it, "step_id"), rowOf(it, now)]));
  const lines = layOut(graphOf(run, steps));
  const width = Math.min(MAX_COLUMN, Math.max(0, ...lines.map((it) => it.lead.length + it.id.length)));
  return [
    headLine(run, now, colour),
    ...lines.flatMap(({ id, lead, below }) => {
      const row = rows.get(id) ?? { id, status: "NOT_CREATED", text: "", reason: undefined };
      const name = `${lead}${paint(symbolOf(row.status), row.status, colour)} ${inLine(id)}`;
      const pad = " ".repeat(Math.max(0, width - lead.length - id.length));
      const line = row.text === "" ? name : `${name}${pad}  ${paint(row.text, row.status, colour)}`;
      return row.reason === undefined ? [line] : [line, ...reasonLines(row.reason).map((it) => `${below}  ${it}`)];
    }),
  ];
}

/** `etl instance 7 run 1: IN_PROGRESS, 3.2 s` */
export function headLine(run: JsonObject, now: number, colour: boolean): string {
  const status = cell(run, "status");
  const start = instant(run, "start_time");
  const time = start === undefined ? "" : `, ${durationText((instant(run, "end_time") ?? now) - start)}`;
  return `${runName(run)}: ${paint(status, status, colour)}${time}`;
}

export const runName = (run: JsonObject): string =>
  `${cell(run, "workflow_id")} instance ${cell(run, "workflow_instance_id")} run ${cell(run, "workflow_run_id")}`;

/** Lines for the steps whose status is another than in `seen`, which is brought up to date. */
export function changeLines({ steps }: Snapshot, seen: Map<string, string>, now: number): readonly string[] {
  const lines: string[] = [];
  for (const step of steps) {
    const row = rowOf(step, now);
    const attempt = cell(step, "step_attempt_id");
    const state = `${row.status} ${attempt}`;
    if (seen.get(row.id) === state) continue;
    seen.set(row.id, state);
    if (row.status === "CREATED" || row.status === "INITIALIZED") continue;
    const again = attempt === "1" || attempt === "-" ? "" : ` (attempt ${attempt})`;
    lines.push(`${row.id}${again}: ${row.text}`);
    for (const line of row.reason === undefined ? [] : reasonLines(row.reason)) lines.push(`  ${line}`);
  }
  return lines;
}

function rowOf(step: JsonObject, now: number): StepRow {
  const state = object(step.runtime_state);
  const status = cell(state, "status");
  const start = instant(state, "start_time") ?? instant(state, "create_time");
  const took = instant(state, "end_time") ?? (isEnd(status) ? undefined : now);
  const time = start === undefined || took === undefined ? "" : `  ${durationText(took - start)}`;
  const outputs = status === "SUCCEEDED" ? outputText(step) : "";
  return {
    id: cell(step, "step_id"),
    status,
    text: `${status}${time}${outputs}`,
    reason: /FAILED|TIMED_OUT/.test(status) ? reasonOf(step.timeline) : undefined,
  };
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

/** The newest thing in the timeline that says what went wrong. */
function reasonOf(timeline: Json | undefined): string | undefined {
  const event = objects(timeline)
    .filter((it) => it.type === "DETAILS" || (it.type === "LOG" && (it.level === "ERROR" || it.level === "WARN")))
    .at(-1);
  if (!event) return undefined;
  const errors = Array.isArray(event.errors) ? event.errors.map(String) : [];
  return [String(event.message ?? "-"), ...errors].join("\n");
}

function reasonLines(reason: string): readonly string[] {
  const lines = reason
    .split("\n")
    .filter((it) => it.trim() !== "")
    .map(inLine);
  return lines.length > 6 ? [...lines.slice(0, 6), `… and ${lines.length - 6} more lines`] : lines;
}

/** The graph of the run; steps that are in none (of an older answer) follow without predecessors. */
function graphOf(run: JsonObject, steps: readonly JsonObject[]): readonly Node[] {
  const dag = object(run.runtime_dag);
  const order = objects(object(run.runtime_workflow).steps).map((wrapper) => {
    const [body] = objects(Object.values(wrapper));
    return body ? cell(body, "id") : "";
  });
  const ids = [...new Set([...order.filter((id) => Object.hasOwn(dag, id)), ...Object.keys(dag)])];
  const known = new Set(ids);
  const others = steps.map((it) => cell(it, "step_id")).filter((id) => !known.has(id));
  return [...ids, ...others].map((id) => {
    const { predecessors } = object(own(dag, id));
    return { id, predecessors: Array.isArray(predecessors) ? predecessors.map(String) : [] };
  });
}
