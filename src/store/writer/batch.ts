/** What one transaction of the writer commits: queued requests, coalesced to the last write of each row. */

import type { AttemptRef, GroupStamp, LogChunk, PermitNeed, RunChange, Settled, Write } from "../../flow/port.ts";
import type { Json } from "../../json.ts";
import type { Run } from "../../run/model.ts";
import type { Word } from "../../run/word.ts";
import type { StepAttempt } from "../../step/model.ts";
import { DEQUEUE } from "../outbox.ts";

/** One call of `write`: its rows commit together. */
export interface Request {
  /** Ascending in the order of the calls. */
  readonly number: number;
  readonly stamp: GroupStamp;
  readonly rows: readonly Write[];
  readonly settled: Settled | undefined;
}

export interface AttemptWrite {
  readonly runKey: number;
  readonly attempt: StepAttempt;
}

export interface RunWrite {
  readonly key: number;
  readonly change: RunChange;
}

export interface OutboxWrite {
  readonly topic: string;
  readonly key: string;
  readonly payload?: Json;
  readonly held?: number;
}

export interface LetterWrite {
  readonly topic: string;
  readonly key: string;
  readonly payload: Json;
  readonly error: string;
}

export interface WordWrite {
  readonly runKey: number;
  readonly groupId: number;
  readonly word: Word;
}

export interface TakenWrite {
  readonly runKey: number;
  /** Undefined: the run and all its steps. */
  readonly stepId: string | undefined;
}

export interface PauseWrite {
  readonly runKey: number;
  readonly stepId: string;
  readonly attemptId: number;
  /** Epoch ms. */
  readonly since: number;
}

export interface ReleasedWrite {
  /** The attempt's. */
  readonly uuid: string;
}

export interface LeftWrite {
  /** The uuid of a step's attempt. */
  readonly starter: string;
}

export interface Batch {
  /** Distinct. */
  readonly stamps: readonly GroupStamp[];
  readonly attempts: readonly AttemptWrite[];
  readonly runs: readonly RunWrite[];
  readonly chunks: readonly LogChunk[];
  /** Keys that several nodes write come first, sorted, so that two batches can't wait for each other. */
  readonly outbox: readonly OutboxWrite[];
  /** Runs that begin. */
  readonly children: readonly Run[];
  /** What is said to runs, in the order of their keys, so that two batches can't wait for each other. */
  readonly words: readonly WordWrite[];
  readonly letters: readonly LetterWrite[];
  /** Attempts that are paused from now on. */
  readonly paused: readonly PauseWrite[];
  /** Those that are no longer. */
  readonly unpaused: readonly AttemptRef[];
  /** Runs, or steps of them, to which nothing is said any more. */
  readonly taken: readonly TakenWrite[];
  /** In the order in which they came. */
  readonly wanted: readonly PermitNeed[];
  /** Attempts, none of which is in `wanted`. */
  readonly released: readonly ReleasedWrite[];
  /** Attempts, no run of which is in `wanted`. */
  readonly left: readonly LeftWrite[];
}

/** A row of a batch as a transaction writes it; the last write of a row wins. */
export function batchOf(requests: readonly Request[]): Batch {
  const stamps = new Map<string, GroupStamp>();
  const attempts = new Map<string, AttemptWrite>();
  const runs = new Map<number, RunWrite>();
  const chunks: LogChunk[] = [];
  const outbox = new Map<string, OutboxWrite>();
  const children = new Map<number, Run>();
  const words = new Map<string, WordWrite>();
  const letters = new Map<string, LetterWrite>();
  const pauses = new Map<string, Extract<Write, { readonly kind: "paused" }>>();
  const taken = new Map<string, TakenWrite>();
  const wanted = new Map<string, PermitNeed>();
  const released = new Map<string, ReleasedWrite>();
  const left = new Map<string, LeftWrite>();
  for (const { stamp, rows } of requests) {
    stamps.set(`${stamp.groupId}:${stamp.generation}`, stamp);
    for (const row of rows) {
      switch (row.kind) {
        case "attempt":
          attempts.set(`${row.runKey}:${row.attempt.attemptId}:${row.attempt.stepId}`, row);
          break;
        case "run":
          runs.set(row.key, row);
          break;
        case "log":
          chunks.push(row.chunk);
          break;
        case "outbox":
          outbox.set(`${row.topic}:${row.key}`, row);
          letters.delete(`${row.topic}:${row.key}`);
          break;
        case "dead-letter":
          letters.set(`${row.topic}:${row.key}`, row);
          outbox.delete(`${row.topic}:${row.key}`);
          break;
        case "child":
          children.set(row.run.key, row.run);
          break;
        case "word":
          words.set(`${row.runKey} ${row.word.kind} ${row.word.stepId ?? ""}`, row);
          break;
        case "paused":
          pauses.set(`${row.runKey}:${row.attemptId}:${row.stepId}`, row);
          break;
        case "words-taken":
          taken.set(`${row.runKey} ${row.stepId ?? ""}`, row);
          break;
        case "permits-wanted":
          wanted.set(row.uuid, row);
          break;
        case "permits-released":
          wanted.delete(row.uuid);
          released.set(row.uuid, row);
          break;
        case "permits-left":
          for (const { uuid, starter } of wanted.values()) if (starter === row.starter) wanted.delete(uuid);
          left.set(row.starter, row);
          break;
      }
    }
  }
  return {
    stamps: [...stamps.values()],
    attempts: [...attempts.values()],
    runs: [...runs.values()],
    chunks,
    outbox: ordered([...outbox.values()]),
    children: [...children.values()],
    words: [...words.values()].sort((a, b) => a.runKey - b.runKey),
    letters: [...letters.values()],
    paused: [...pauses.values()].flatMap(({ since, ...row }) => (since === undefined ? [] : [{ ...row, since }])),
    unpaused: [...pauses.values()].filter(({ since }) => since === undefined),
    taken: [...taken.values()],
    wanted: [...wanted.values()],
    released: [...released.values()],
    left: [...left.values()],
  };
}

function ordered(rows: readonly OutboxWrite[]): readonly OutboxWrite[] {
  const shared = rows.filter((row) => row.topic === DEQUEUE);
  if (shared.length === 0) return rows;
  shared.sort((a, b) => (a.key < b.key ? -1 : 1));
  return [...shared, ...rows.filter((row) => row.topic !== DEQUEUE)];
}

/** Keys of the runs whose rows a request writes: what has to keep its order (D3). */
export function runsOf({ rows }: Request): ReadonlySet<number> {
  const keys = new Set<number>();
  for (const row of rows) {
    if ("runKey" in row) keys.add(row.runKey);
    else if (row.kind === "run") keys.add(row.key);
    else if (row.kind === "child") {
      keys.add(row.run.key);
      // A step's row says of its children what they are launched for.
      if (row.run.parentKey !== undefined) keys.add(row.run.parentKey);
    }
  }
  return keys;
}
