/** The rows that the model of the run strategies makes: a store in memory, one command after the other. */
import type { RunRef } from "../../../src/run/model.ts";
import type { StoredRunStatus } from "../../../src/run/status.ts";
import {
  changeStrategy,
  dequeue,
  end,
  enqueue,
  type StartDecision,
  start,
  stopQueued,
  unblock,
  type WorkflowRuns,
} from "../../../src/run/strategy.ts";
import type { Command, Request } from "./command.ts";

export interface Row {
  readonly ref: RunRef;
  readonly uuid: string;
  status: StoredRunStatus;
  launched: boolean;
}

export interface State {
  readonly workflows: Record<string, WorkflowRuns>;
  /** By name. */
  readonly rows: Record<string, Row>;
  /** Names of runs that have to stop. */
  readonly asked: Set<string>;
  /** Workflows of which it is told that queued runs may have room. */
  readonly announced: Set<string>;
  /** Of all requests so far. */
  readonly uuids: string[];
}

export const nameOf = ({ workflowId, instanceId, runId }: RunRef): string => `${workflowId}/${instanceId}/${runId}`;

/** What a command answers; runs are named. */
export type Answer =
  | boolean
  | readonly string[]
  | { readonly decisions: readonly string[]; readonly stopped: readonly string[]; readonly asked: readonly string[] };

/** Changes the state. */
export function apply(state: State, command: Command): Answer {
  switch (command.do) {
    case "start":
      return applyStart(state, command.requests);
    case "dequeue":
      return [...command.workflowIds].sort().flatMap((id) => {
        state.announced.delete(id);
        const { workflow, launched } = dequeue(of(state, id));
        state.workflows[id] = workflow;
        for (const ref of launched) rowOf(state, ref).launched = true;
        return launched.map(nameOf);
      });
    case "progress":
      rowOf(state, command.ref).status = command.status;
      return true;
    case "end":
      state.asked.delete(nameOf(command.ref));
      return become(
        state,
        command.ref,
        command.status,
        end(of(state, command.ref.workflowId), command.ref, command.status),
      );
    case "stop": {
      const { ref, status } = command;
      return become(state, ref, status, stopQueued(of(state, ref.workflowId), ref, status));
    }
    case "stop all": {
      const { waiting } = of(state, command.workflowId);
      for (const ref of waiting) apply(state, { do: "stop", ref, status: command.status });
      return waiting.map(nameOf);
    }
    case "ask": {
      const runs = of(state, command.ref.workflowId).running.map(nameOf);
      const name = nameOf(command.ref);
      if (runs.includes(name)) state.asked.add(name);
      return runs.includes(name);
    }
    case "unblock":
      return become(state, command.ref, "FAILED_1", unblock(of(state, command.ref.workflowId), command.ref));
    case "restart":
      return applyRestart(state, command.ref, command.uuid);
    default: {
      const { workflowId, strategy } = command;
      const changed = changeStrategy(of(state, workflowId), strategy);
      if (changed === undefined) return false;
      state.workflows[workflowId] = changed;
      state.announced.add(workflowId);
      return true;
    }
  }
}

const of = (state: State, workflowId: string): WorkflowRuns => state.workflows[workflowId] as WorkflowRuns;
const rowOf = (state: State, ref: RunRef): Row => state.rows[nameOf(ref)] as Row;

/** What makes room, or lets others go, is told. */
function become(state: State, ref: RunRef, status: StoredRunStatus, workflow: WorkflowRuns | undefined): boolean {
  if (workflow === undefined) return false;
  state.workflows[ref.workflowId] = workflow;
  state.announced.add(ref.workflowId);
  rowOf(state, ref).status = status;
  return true;
}

function applyStart(state: State, requests: readonly Request[]): Answer {
  const decisions: string[] = [];
  const stopped: string[] = [];
  const asked: string[] = [];
  for (const [id, own] of Map.groupBy(requests.entries(), ([, { workflowId }]) => workflowId)) {
    const known = (uuid: string) =>
      Object.values(state.rows).find((row) => row.uuid === uuid && row.ref.workflowId === id)?.ref;
    const started = start(
      of(state, id),
      own.map(([, request]) => request),
      known,
    );
    state.workflows[id] = started.workflow;
    for (const [i, decision] of started.decisions.entries()) {
      const [position, { uuid }] = own[i] as [number, Request];
      decisions[position] = textOf(decision);
      insert(state, decision, uuid);
    }
    for (const ref of started.stopped) rowOf(state, ref).status = "STOPPED";
    stopped.push(...started.stopped.map(nameOf));
    asked.push(...started.asked.map(nameOf).filter((name) => !state.asked.has(name)));
  }
  for (const name of asked) state.asked.add(name);
  return { decisions, stopped: stopped.sort(), asked: asked.sort() };
}

export const textOf = (decision: StartDecision): string =>
  "ref" in decision ? `${decision.result} ${nameOf(decision.ref)}` : decision.result;

function insert(state: State, decision: StartDecision, uuid: string): void {
  if (decision.result === "CHANGED" || decision.result === "DUPLICATED") return;
  const { ref, result } = decision;
  const status = result === "STOPPED" || result === "FAILED" ? result : "CREATED";
  state.rows[nameOf(ref)] = { ref, uuid, status, launched: result === "LAUNCHED" };
}

function applyRestart(state: State, earlier: RunRef, uuid: string): true {
  const { workflowId, runId } = earlier;
  const ref = { ...earlier, runId: runId + 1 };
  const workflow = of(state, workflowId);
  const row = rowOf(state, earlier);
  if (row.status === "FAILED") row.status = "FAILED_2";
  state.workflows[workflowId] = enqueue(unblock(workflow, earlier) ?? workflow, ref);
  state.rows[nameOf(ref)] = { ref, uuid, status: "CREATED", launched: false };
  return true;
}

/** Everything that a state says, in the order of the names. */
export function show({ workflows, rows, asked, announced }: State) {
  return {
    workflows: Object.values(workflows).map(({ running, waiting, failed, ...rest }) => ({
      ...rest,
      running: running.map(nameOf).sort(),
      waiting: waiting.map(nameOf),
      failed: failed.map(nameOf).sort(),
    })),
    rows: Object.fromEntries(
      Object.entries(rows).map(([name, { uuid, status, launched }]) => [
        name,
        `${status}${launched ? "+" : ""} ${uuid}`,
      ]),
    ),
    asked: [...asked].sort(),
    announced: [...announced].sort(),
  };
}
