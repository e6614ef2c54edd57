/**
 * A batch as one statement: the fence and a data-modifying part for each table that it writes. One statement is one
 * transaction and one round trip, on whatever connection; each shape of it is prepared once.
 */

import type { AttemptRef, GroupStamp, LogChunk, PermitNeed, StoredRun } from "../../flow/port.ts";
import { stringifyJson } from "../../json.ts";
import type { Run } from "../../run/model.ts";
import { MATCHES } from "../breakpoint.ts";
import type { Cell } from "../column.ts";
import type { Sql } from "../connection.ts";
import { wantsText } from "../permit.ts";
import { listText, objectText, retryText, runParamsText, stepParamsText, timesText, valueText } from "../row.ts";
import { bigint, type Columns, int, json, Source, send, text, word } from "../source.ts";
import type {
  AttemptWrite,
  Batch,
  LeftWrite,
  LetterWrite,
  OutboxWrite,
  PauseWrite,
  ReleasedWrite,
  RunWrite,
  TakenWrite,
  WordWrite,
} from "./batch.ts";

/**
 * Rows of a table that travel as plain values: a batch with more of any travels by columns. The end of a step and the next
 * one's begin are two. Each number is a shape of its own, so there are to be few.
 */
const MOST_PLAIN = 2;

/** Tables of the batch, each with the number of its rows when those travel as plain values, or 0. */
type Shape = readonly (readonly [part: Part, plain: number])[];

/**
 * Encodes the rows, so it may throw before anything is sent.
 *
 * @returns the run that the batch has ended, when it has few rows, and one of a run: then a wait for that run is answered with the row
 */
export async function commit(sql: Sql, batch: Batch): Promise<StoredRun | undefined> {
  const counts = PARTS.map((part) => [part, part.count(batch)] as const).filter(([, count]) => count > 0);
  const isPlain = counts.every(([, count]) => count <= MOST_PLAIN);
  const shape: Shape = isPlain ? counts : counts.map(([part]) => [part, 0]);
  const parameters = shape.flatMap(([part]) => part.parameters(batch, isPlain));
  const [row] = await send<StoredRun>(sql, textOf(shape), parameters);
  return row?.key === null ? undefined : row;
}

const texts = new Map<string, string>();

/** Made once for each shape. */
function textOf(shape: Shape): string {
  const name = shape.map(([part, plain]) => `${part.name} ${plain}`).join(", ");
  let made = texts.get(name);
  if (made === undefined) {
    let first = 1;
    const ctes = shape.map(([part, plain]) => {
      const cte = part.text(plain, first);
      first += part.width(plain);
      return cte;
    });
    const ended = shape.some(([part, plain]) => part === runs && plain === 1);
    // Whatever comes of the runs, the fence is read: it would not be checked otherwise.
    made = `WITH ${ctes.join(", ")} SELECT ${ended ? "runs.*" : "NULL AS key"} FROM (SELECT count(*) FROM fence) AS fenced
      ${ended ? "LEFT JOIN runs ON runs.end_time IS NOT NULL" : ""}`;
    texts.set(name, made);
  }
  return made;
}

/** What a batch does to one table: a common table expression. */
interface Part {
  readonly name: string;
  width(plain: number): number;
  count(batch: Batch): number;
  /** @param first number of its first parameter */
  text(plain: number, first: number): string;
  parameters(batch: Batch, isPlain: boolean): Cell[];
}

interface PartOptions<T> {
  rows(batch: Batch): readonly T[];
  readonly columns: Columns<T>;
  /** @param rows the relation `t`, with the columns of `source` */
  statement(rows: string, source: Source<T>): string;
}

function part<T>(name: string, { rows, columns, statement }: PartOptions<T>): Part {
  const source = new Source(columns);
  return {
    name,
    width: (plain) => source.width(plain),
    count: (batch) => rows(batch).length,
    text: (plain, first) => `${name} AS MATERIALIZED (${statement(source.relation(plain, first), source)})`,
    parameters: (batch, isPlain) => source.parameters(rows(batch), isPlain),
  };
}

const fence = part<GroupStamp>("fence", {
  rows: (batch) => batch.stamps,
  columns: {
    group_id: int((stamp) => stamp.groupId),
    generation: bigint((stamp) => stamp.generation),
  },
  statement: (rows) => `SELECT fence_groups(array_agg(t.group_id), array_agg(t.generation)) FROM ${rows}`,
});

const attempts = part<AttemptWrite>("attempts", {
  rows: (batch) => batch.attempts,
  columns: {
    run_key: bigint((row) => row.runKey),
    step_id: text((row) => row.attempt.stepId),
    attempt_id: int((row) => row.attempt.attemptId),
    uuid: text((row) => row.attempt.uuid),
    step_instance_id: int((row) => row.attempt.stepInstanceId),
    status: word((row) => row.attempt.status),
    times: word((row) => timesText(row.attempt.times)),
    params: json((row) => stepParamsText(row.attempt)),
    params_time: bigint((row) => row.attempt.paramsTime),
    conditions: json((row) => valueText(row.attempt.conditions)),
    conditions_time: bigint((row) => row.attempt.conditionsTime),
    retry: json((row) => retryText(row.attempt.retry)),
    timeout_ms: bigint((row) => row.attempt.timeoutMs),
    artifacts: json((row) => objectText(row.attempt.artifacts)),
    timeline: json((row) => listText(row.attempt.timeline)),
    poll_time: bigint((row) => row.attempt.pollTime),
    place: json((row) => valueText(row.attempt.place)),
    restart: json((row) => valueText(row.attempt.restart)),
    template: json((row) => valueText(row.attempt.template)),
    reported: json((row) => valueText(row.attempt.reported)),
  },
  statement: (rows, source) => {
    const changes = source.assignments("excluded", "run_key", "step_id", "attempt_id", "uuid", "step_instance_id");
    return `INSERT INTO step_attempt (${source.names}) SELECT ${source.names} FROM ${rows}
      ON CONFLICT (run_key, step_id, attempt_id) DO UPDATE SET ${changes}`;
  },
});

/** A commit that was not heard of is made again: what a user has marked as seen meanwhile stays so. */
const runs = part<RunWrite>("runs", {
  rows: (batch) => batch.runs,
  columns: {
    key: bigint((row) => row.key),
    status: word((row) => row.change.status),
    start_time: bigint((row) => row.change.startTime),
    end_time: bigint((row) => row.change.endTime),
    modify_time: bigint((row) => row.change.modifyTime),
    overview: json((row) => valueText(row.change.overview)),
    artifacts: json((row) => objectText(row.change.artifacts)),
    timeline: json((row) => listText(row.change.timeline)),
  },
  statement: (rows, source) =>
    `UPDATE run SET ${source.assignments("t", "key")} FROM ${rows} WHERE run.key = t.key
      AND run.status NOT IN ('FAILED_1', 'FAILED_2') RETURNING run.*`,
});

const chunks = part<LogChunk>("chunks", {
  rows: (batch) => batch.chunks,
  columns: {
    uuid: text((row) => row.uuid),
    stream: word((row) => row.stream),
    '"offset"': bigint((row) => row.offset),
    length: int((row) => row.length),
    text: text((row) => row.text),
    time: bigint((row) => row.time),
  },
  statement: (rows, source) => `INSERT INTO step_log (${source.names}) SELECT ${source.names} FROM ${rows}
    ON CONFLICT (uuid, stream, "offset") DO NOTHING`,
});

/** A row that waits already becomes due again: the processor that works on it now has not seen this announcement. */
const announcements = part<OutboxWrite>("announcements", {
  rows: (batch) => batch.outbox,
  columns: {
    kind: text((row) => row.topic),
    key: text((row) => row.key),
    payload: json((row) => valueText(row.payload)),
    next_time: bigint((row) => row.held ?? 0),
  },
  statement: (rows, source) => `INSERT INTO outbox (${source.names}, create_time)
    SELECT ${source.names}, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM ${rows}
    ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, create_time = excluded.create_time, attempts = 0,
      next_time = CASE outbox.next_time WHEN excluded.next_time THEN 0 ELSE excluded.next_time END, error = NULL, dead = 0`,
});

const letters = part<LetterWrite>("letters", {
  rows: (batch) => batch.letters,
  columns: {
    kind: text((row) => row.topic),
    key: text((row) => row.key),
    payload: json((row) => valueText(row.payload)),
    error: text((row) => row.error),
  },
  statement: (rows, source) => `INSERT INTO outbox (${source.names}, create_time, next_time, dead)
    SELECT ${source.names}, now.ms, now.ms, 1
    FROM ${rows}, (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms) AS now
    ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, error = excluded.error,
      create_time = excluded.create_time, next_time = excluded.next_time, attempts = 0, dead = 1`,
});

/** Runs that begin launched. One that is there already was inserted by this very step, whose commit was not heard of. */
const children = part<Run>("children", {
  rows: (batch) => batch.children,
  columns: {
    workflow_id: text((run) => run.workflowId),
    instance_id: bigint((run) => run.instanceId),
    run_id: bigint((run) => run.runId),
    key: bigint((run) => run.key),
    uuid: text((run) => run.uuid),
    internal_id: bigint((run) => run.internalId),
    version_id: bigint((run) => run.versionId),
    group_id: int((run) => run.groupId),
    group_info: int((run) => run.groupInfo),
    correlation_id: text((run) => run.correlationId),
    parent_key: bigint((run) => run.parentKey),
    initiator: json((run) => stringifyJson(run.initiator)),
    config: json((run) => stringifyJson(run.config)),
    run_params: json((run) => objectText(run.runParams)),
    properties: json((run) => stringifyJson(run.properties)),
    params: json((run) => runParamsText(run.params)),
    timeout_ms: bigint((run) => run.timeoutMs),
    status: word((run) => run.status),
    execution_id: text((run) => run.executionId),
    request_time: bigint((run) => run.requestTime),
    create_time: bigint((run) => run.createTime),
    modify_time: bigint((run) => run.modifyTime),
  },
  statement: (rows, source) =>
    `INSERT INTO run (${source.names}) SELECT ${source.names} FROM ${rows} ON CONFLICT DO NOTHING`,
});

/** A failed run that has a later one counts no more as failed. */
const replaced = part<Run>("replaced", {
  rows: (batch) => batch.children.filter(({ runId }) => runId > 1),
  columns: {
    workflow_id: text((run) => run.workflowId),
    instance_id: bigint((run) => run.instanceId),
    run_id: bigint((run) => run.runId),
  },
  statement: (rows) => `UPDATE run SET status = 'FAILED_2' FROM ${rows} WHERE run.workflow_id = t.workflow_id
      AND run.instance_id = t.instance_id AND run.run_id < t.run_id AND run.status = 'FAILED'`,
});

/** To runs that have not ended; said again, it is as it was said first. */
const words = part<WordWrite>("words", {
  rows: (batch) => batch.words,
  columns: {
    run_key: bigint((row) => row.runKey),
    step_id: text((row) => row.word.stepId ?? ""),
    group_id: int((row) => row.groupId),
    kind: word((row) => row.word.kind),
    '"user"': json((row) => stringifyJson(row.word.user)),
    reason: text((row) => row.word.reason),
    create_time: bigint((row) => row.word.createTime),
  },
  statement: (rows, source) => `INSERT INTO run_word (${source.names}) SELECT ${source.names} FROM ${rows}
    WHERE EXISTS (SELECT 1 FROM run WHERE run.key = t.run_key AND run.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED'))
    ON CONFLICT DO NOTHING`,
});

/** A run that a step ends while its run strategy holds it back has nobody who would hear it. */
const held = part<WordWrite>("held", {
  rows: (batch) => batch.words,
  columns: {
    run_key: bigint((row) => row.runKey),
    reason: text((row) => row.word.reason),
    time: bigint((row) => row.word.createTime),
  },
  statement: (rows) => `UPDATE run SET status = 'STOPPED', end_time = t.time, modify_time = t.time,
      timeline = with_event(run.timeline, json_build_object('timestamp', t.time, 'type', 'LOG', 'level', 'INFO', 'message', t.reason))
    FROM ${rows} WHERE run.key = t.run_key AND run.status = 'CREATED' AND run.execution_id IS NULL`,
});

const taken = part<TakenWrite>("taken", {
  rows: (batch) => batch.taken,
  columns: { run_key: bigint((row) => row.runKey), step_id: text((row) => row.stepId) },
  statement: (rows) => `DELETE FROM run_word USING ${rows} WHERE run_word.run_key = t.run_key
      AND run_word.step_id = coalesce(t.step_id, run_word.step_id)`,
});

/** A commit that was not heard of is made again: who was granted the permits meanwhile keeps them. */
const wanted = part<PermitNeed>("wanted", {
  rows: (batch) => batch.wanted,
  columns: {
    uuid: text((row) => row.uuid),
    wants: json((row) => wantsText(row.wants)),
    run_key: bigint((row) => row.runKey),
    group_id: int((row) => row.groupId),
    step_id: text((row) => row.stepId),
    create_time: bigint((row) => row.time),
    starter: text((row) => row.starter),
  },
  statement: (
    rows,
  ) => `INSERT INTO step_permit (uuid, tag, most, width, state, seq, run_key, group_id, step_id, create_time, starter)
    SELECT t.uuid, want.pair->>0, (want.pair->>1)::integer, json_array_length(t.wants),
      CASE WHEN want.number = 1 THEN 'NEW' ELSE 'WAITING' END, t.seq, t.run_key, t.group_id, t.step_id, t.create_time, t.starter
    FROM (SELECT t.*, nextval('permit_seq') AS seq FROM ${rows} OFFSET 0) AS t
      CROSS JOIN LATERAL json_array_elements(t.wants) WITH ORDINALITY AS want (pair, number)
    ON CONFLICT (uuid, tag) DO NOTHING`,
});

const released = part<ReleasedWrite>("released", {
  rows: (batch) => batch.released,
  columns: { uuid: text((row) => row.uuid) },
  statement: (rows) => `DELETE FROM step_permit USING ${rows} WHERE step_permit.uuid = t.uuid`,
});

const leaving = part<LeftWrite>("leaving", {
  rows: (batch) => batch.left,
  columns: { starter: text((row) => row.starter) },
  statement: (rows) => `DELETE FROM step_permit USING ${rows} WHERE step_permit.starter = t.starter`,
});

/**
 * An attempt is paused as it comes, or not at all: a commit that was not heard of is made again, and meanwhile a user may have
 * resumed it, or put a breakpoint where none was. What is stored of the attempt is read as it was before this statement. The
 * breakpoint is locked, so that whoever takes it away finds the attempt.
 */
const paused = part<PauseWrite>("paused", {
  rows: (batch) => batch.paused,
  columns: {
    run_key: bigint((row) => row.runKey),
    step_id: text((row) => row.stepId),
    attempt_id: int((row) => row.attemptId),
    create_time: bigint((row) => row.since),
  },
  statement: (rows, source) => `INSERT INTO paused_attempt (${source.names}, internal_id)
    SELECT t.run_key, t.step_id, t.attempt_id, t.create_time, r.internal_id
    FROM ${rows} JOIN run r ON r.key = t.run_key
    CROSS JOIN LATERAL (SELECT 1 FROM breakpoint b WHERE ${MATCHES} LIMIT 1 FOR KEY SHARE) AS why
    WHERE NOT EXISTS (SELECT 1 FROM step_attempt a WHERE a.run_key = t.run_key AND a.step_id = t.step_id
      AND a.attempt_id = t.attempt_id AND a.status = 'PAUSED')
    ON CONFLICT DO NOTHING`,
});

const unpaused = part<AttemptRef>("unpaused", {
  rows: (batch) => batch.unpaused,
  columns: {
    run_key: bigint((row) => row.runKey),
    step_id: text((row) => row.stepId),
    attempt_id: int((row) => row.attemptId),
  },
  statement: (rows) => `DELETE FROM paused_attempt p USING ${rows}
    WHERE p.run_key = t.run_key AND p.step_id = t.step_id AND p.attempt_id = t.attempt_id`,
});

const PARTS: readonly Part[] = [
  ...[fence, children, replaced, attempts, runs, chunks, announcements, letters],
  ...[words, held, paused, unpaused, taken, wanted, released, leaving],
];
