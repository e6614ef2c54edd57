/** The rows that the model of the run strategies makes: a store in memory, one command after the other. */
import type { RunRef } from "../../../src/run/model.ts";
import type { StoredRunStatus } from "../../../src/run/status.ts";
import {
  changeStrategy,
  dequeue,
  type Earlier,
  end,
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
  /** The name of the run whose step has started it. */
  readonly parent: string | undefined;
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
      const isStopped = become(state, ref, status, stopQueued(of(state, ref.workflowId), ref, status));
      return isStopped ? [stoppedText(state, ref)] : [];
    }
    case "stop all": {
      const { waiting } = of(state, command.workflowId);
      return waiting.flatMap((ref) => apply(state, { do: "stop", ref, status: command.status }) as readonly string[]);
    }
    case "ask": {
      const runs = of(state, command.ref.workflowId).running.map(nameOf);
      const name = nameOf(command.ref);
      if (runs.includes(name)) state.asked.add(name);
      return runs.includes(name);
    }
    case "unblock":
      return become(state, command.ref, "FAILED_1", unblock(of(state, command.ref.workflowId), command.ref));
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
    const started = start(
      of(state, id),
      own.map(([, request]) => request),
      earlierOf(state, id),
    );
    state.workflows[id] = started.workflow;
    for (const [i, decision] of started.decisions.entries()) {
      const [position, request] = own[i] as [number, Request];
      decisions[position] = textOf(decision);
      insert(state, decision, request);
    }
    for (const ref of started.replaced) rowOf(state, ref).status = "FAILED_2";
    for (const ref of started.stopped) rowOf(state, ref).status = "STOPPED";
    stopped.push(...started.stopped.map((ref) => stoppedText(state, ref)));
    asked.push(...started.asked.map(nameOf).filter((name) => !state.asked.has(name)));
    if (started.announced) state.announced.add(id);
  }
  for (const name of asked) state.asked.add(name);
  return { decisions, stopped: stopped.sort(), asked: asked.sort() };
}

function earlierOf(state: State, workflowId: string): Earlier {
  const own = Object.values(state.rows).filter(({ ref }) => ref.workflowId === workflowId);
  const newest = (a: Row, b: Row) => (a.ref.runId > b.ref.runId ? a : b);
  return {
    made: (uuid) => own.find((row) => row.uuid === uuid)?.ref,
    latest: (instanceId) => {
      const runs = own.filter(({ ref }) => ref.instanceId === instanceId);
      return runs.length === 0 ? undefined : runs.reduce(newest).ref;
    },
  };
}

export const textOf = (decision: StartDecision): string =>
  "ref" in decision ? `${decision.result} ${nameOf(decision.ref)}` : decision.result;

/** A run that has ended while it waited, and whose owner is told of it. */
const stoppedText = (state: State, ref: RunRef): string => {
  const { parent } = rowOf(state, ref);
  return parent === undefined ? nameOf(ref) : `${nameOf(ref)} of ${parent}`;
};

function insert(state: State, decision: StartDecision, { uuid, parent }: Request): void {
  const { result } = decision;
  if (result !== "LAUNCHED" && result !== "QUEUED" && result !== "STOPPED" && result !== "FAILED") return;
  const { ref } = decision;
  const status = result === "STOPPED" || result === "FAILED" ? result : "CREATED";
  state.rows[nameOf(ref)] = { ref, uuid, parent: parent && nameOf(parent), status, launched: result === "LAUNCHED" };
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
      Object.entries(rows).map(([name, { uuid, parent, status, launched }]) => [
        name,
        `${status}${launched ? "+" : ""} ${uuid}${parent === undefined ? "" : ` of ${parent}`}`,
      ]),
    ),
    asked: [...asked].sort(),
    announced: [...announced].sort(),
  };
}
