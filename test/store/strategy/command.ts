/**
 * What can happen to a few workflows and their runs. An intent is random and stands for itself, so that any part of a
 * sequence still makes sense; with the state at hand it becomes a command.
 */
import fc from "fast-check";
import { RUN_STRATEGY_RULES, type RunStrategy, type RunStrategyRule } from "../../../src/definition/strategy.ts";
import type { RunRef } from "../../../src/run/model.ts";
import type { StartRequest } from "../../../src/run/strategy.ts";
import type { State } from "./model.ts";

export interface Request extends StartRequest {
  readonly workflowId: string;
  /** The run whose step asks. */
  readonly parent: RunRef | undefined;
}

export type Command =
  | { readonly do: "start"; readonly requests: readonly Request[] }
  | { readonly do: "dequeue"; readonly workflowIds: readonly string[] }
  | { readonly do: "progress"; readonly ref: RunRef; readonly status: "IN_PROGRESS" | "PAUSED" }
  | { readonly do: "end"; readonly ref: RunRef; readonly status: "SUCCEEDED" | "FAILED" | "STOPPED" | "TIMED_OUT" }
  | { readonly do: "ask" | "unblock"; readonly ref: RunRef }
  | { readonly do: "stop"; readonly ref: RunRef; readonly status: "STOPPED" | "FAILED" }
  | { readonly do: "stop all"; readonly workflowId: string; readonly status: "STOPPED" | "FAILED" }
  | { readonly do: "pause"; readonly workflowId: string; readonly paused: boolean }
  | { readonly do: "change" | "push"; readonly workflowId: string; readonly strategy: RunStrategy };

/** Which of those there are, the number of them being unknown yet. */
const pick = fc.nat(999);
const of = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];

export const strategy: fc.Arbitrary<RunStrategy> = fc
  .record({
    rule: fc.constantFrom(...(Object.keys(RUN_STRATEGY_RULES) as RunStrategyRule[])),
    concurrency: fc.constantFrom(0, 1, 2, 2, 3),
  })
  .map(({ rule, concurrency }) => ({ rule, workflow_concurrency: rule === "PARALLEL" ? concurrency : 1 }));

const rarely = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: pick });

const request = fc.record({
  workflow: pick,
  /** The uuid of an earlier request, of any workflow. */
  again: rarely,
  /** An instance of the workflow, or one that there is not. */
  restart: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: pick }),
  /** A run of any workflow. */
  parent: rarely,
  batch: fc.constantFrom(undefined, 1, 2),
  status: fc.constantFrom("CREATED" as const, "CREATED" as const, "CREATED" as const, "FAILED" as const),
  stale: fc.constantFrom(
    ...Array.from({ length: 10 }, () => "no" as const),
    "revision" as const,
    "deleted" as const,
    "owner" as const,
    "restart" as const,
    "restart" as const,
  ),
});
const ending = fc.constantFrom("STOPPED" as const, "FAILED" as const);

const start = fc.record({
  do: fc.constant("start" as const),
  requests: fc.array(request, { minLength: 1, maxLength: 5 }),
});
const dequeue = fc.record({
  do: fc.constant("dequeue" as const),
  workflows: fc.array(pick, { minLength: 1, maxLength: 3 }),
});
const progress = fc.record({
  do: fc.constant("progress" as const),
  run: pick,
  status: fc.constantFrom("IN_PROGRESS" as const, "PAUSED" as const, "PAUSED" as const),
});
const end = fc.record({
  do: fc.constant("end" as const),
  run: pick,
  status: fc.constantFrom("SUCCEEDED" as const, "FAILED" as const, "STOPPED" as const, "TIMED_OUT" as const),
});
/** Now and then of a run in a state that forbids it. */
const among = fc.constantFrom("fit" as const, "fit" as const, "fit" as const, "any" as const);
const stop = fc.record({ do: fc.constant("stop" as const), run: pick, among, status: ending });
const action = fc.record({ do: fc.constantFrom("ask" as const, "unblock" as const), run: pick, among });
const stopAll = fc.record({ do: fc.constant("stop all" as const), workflow: pick, status: ending });
const pause = fc.record({ do: fc.constant("pause" as const), workflow: pick, paused: fc.boolean() });
const change = fc.record({ do: fc.constantFrom("change" as const, "push" as const), workflow: pick, strategy });

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Intent = Of<
  | typeof start
  | typeof dequeue
  | typeof progress
  | typeof end
  | typeof stop
  | typeof action
  | typeof stopAll
  | typeof pause
  | typeof change
>;

/** One, or some at once: of those that begin with the lock of the workflow's row. */
export const intents: fc.Arbitrary<readonly Intent[]> = fc.oneof(
  { weight: 7, arbitrary: fc.tuple(start) },
  { weight: 6, arbitrary: fc.tuple(end) },
  { weight: 4, arbitrary: fc.tuple(dequeue) },
  { weight: 3, arbitrary: fc.tuple(progress) },
  { weight: 2, arbitrary: fc.tuple(stop) },
  { weight: 2, arbitrary: fc.tuple(action) },
  { weight: 1, arbitrary: fc.tuple(stopAll) },
  { weight: 3, arbitrary: fc.tuple(change) },
  { weight: 2, arbitrary: fc.tuple(pause) },
  {
    weight: 4,
    arbitrary: fc.array(fc.oneof(start, start, dequeue, stop, action, change, pause), { minLength: 2, maxLength: 3 }),
  },
);

/** @returns undefined when there is nothing that it could be about */
export function resolve(intent: Intent, state: State): Command | undefined {
  const ids = Object.keys(state.workflows);
  const workflowAt = (at: number) => of(ids, at) as string;
  const every = Object.values(state.workflows);
  const running = every.flatMap((it) => it.running);
  const all = Object.values(state.rows).map((row) => row.ref);
  const about = (ref: RunRef | undefined, command: (ref: RunRef) => Command) => ref && command(ref);
  switch (intent.do) {
    case "start":
      return startOf(intent.requests.map((it) => requestOf(it, workflowAt(it.workflow), state)));
    case "dequeue":
      return { do: "dequeue", workflowIds: [...new Set(intent.workflows.map(workflowAt))] };
    case "progress":
      return about(of(running, intent.run), (ref) => ({ do: "progress", ref, status: intent.status }));
    case "end":
      return about(of(running, intent.run), (ref) => ({ do: "end", ref, status: intent.status }));
    case "stop": {
      const fit = every.flatMap((it) => it.waiting);
      const { status } = intent;
      return about(of(intent.among === "fit" ? fit : all, intent.run), (ref) => ({ do: "stop", ref, status }));
    }
    case "ask":
    case "unblock": {
      const fit = intent.do === "ask" ? running : every.flatMap((it) => it.failed);
      return about(of(intent.among === "fit" ? fit : all, intent.run), (ref) => ({ do: intent.do, ref }));
    }
    case "stop all":
      return { do: "stop all", workflowId: workflowAt(intent.workflow), status: intent.status };
    case "pause":
      return { do: "pause", workflowId: workflowAt(intent.workflow), paused: intent.paused };
    default:
      return { do: intent.do, workflowId: workflowAt(intent.workflow), strategy: intent.strategy };
  }
}

/** Requests of one batch stand side by side: where others are between them, there are two. */
function startOf(requests: readonly Request[]): Command {
  /** By workflow: what its last request says of a batch, and the batch's number. */
  const last = new Map<string, readonly [said: number | undefined, number: number]>();
  return {
    do: "start",
    requests: requests.map((request, index) => {
      const { workflowId, batch } = request;
      const [said, before] = last.get(workflowId) ?? [undefined, index];
      const number = said === batch ? before : index;
      last.set(workflowId, [batch, number]);
      return { ...request, batch: batch === undefined ? undefined : number };
    }),
  };
}

function requestOf(it: Of<typeof request>, workflowId: string, state: State): Request {
  const { again, status, stale } = it;
  const { internalId, revision, latestInstanceId } = state.workflows[workflowId] as State["workflows"][string];
  const known = again === undefined ? undefined : of(state.uuids, again);
  const runs = Object.values(state.rows).map((row) => row.ref);
  const parent = it.parent === undefined ? undefined : of(runs, it.parent);
  const restartOf = it.restart === undefined ? undefined : 1 + (it.restart % (latestInstanceId + 1));
  return {
    workflowId,
    parent,
    isStale: parent !== undefined && stale === "owner",
    batch: it.batch,
    restartOf,
    restartAfter: restartOf !== undefined && stale === "restart" ? 1 : undefined,
    uuid: known ?? freshUuid(state),
    internalId: stale === "deleted" ? internalId + 1_000_000 : internalId,
    revision: stale === "revision" ? revision - 1 : revision,
    status,
  };
}

function freshUuid(state: State): string {
  const uuid = `${Object.keys(state.workflows)[0]}-${state.uuids.length}`;
  state.uuids.push(uuid);
  return uuid;
}
