/**
 * The writer's plain twin: a transaction for each row, one after the other, with the simplest statements. It is the
 * oracle of the group writer, and reports what Postgres refuses instead of trying again.
 */

import { systemClock } from "../../clock.ts";
import { type GroupStamp, StaleOwner, type Write, type Writer } from "../../flow/port.ts";
import { MATCHES } from "../breakpoint.ts";
import { storable } from "../column.ts";
import type { Sql, Transaction } from "../connection.ts";
import { ANY_NUMBER } from "../permit.ts";
import { listText, objectText, retryText, stepParamsText, timesText, valueText } from "../row.ts";

export class RowWriter implements Writer {
  readonly #sql: Sql;
  #last: Promise<void> = Promise.resolve();
  #depth = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get depth(): number {
    return this.#depth;
  }

  write(stamp: GroupStamp, rows: readonly Write[], settled?: (error?: StaleOwner) => void): void {
    this.#depth += rows.length;
    this.#last = this.#last.then(async () => {
      const stale = await this.#commit(stamp, rows);
      this.#depth -= rows.length;
      settled?.(stale);
    });
  }

  flush(): Promise<void> {
    return this.#last;
  }

  stop(): Promise<void> {
    return this.#last;
  }

  async #commit(stamp: GroupStamp, rows: readonly Write[]): Promise<StaleOwner | undefined> {
    for (const row of rows.length === 0 ? [undefined] : rows) {
      const owns = await this.#sql.begin(async (sql) => {
        const held = await sql`SELECT 1 FROM flow_group
          WHERE id = ${stamp.groupId} AND generation = ${stamp.generation} FOR KEY SHARE`;
        if (held.length > 0 && row !== undefined) await writeRow(sql, row);
        return held.length > 0;
      });
      if (!owns) return new StaleOwner(stamp);
    }
    return undefined;
  }
}

async function writeRow(sql: Transaction, row: Write): Promise<void> {
  switch (row.kind) {
    case "attempt": {
      const { attempt } = row;
      const fields = {
        status: attempt.status,
        times: timesText(attempt.times),
        params: stepParamsText(attempt),
        params_time: attempt.paramsTime ?? null,
        conditions: valueText(attempt.conditions),
        conditions_time: attempt.conditionsTime ?? null,
        retry: retryText(attempt.retry),
        timeout_ms: attempt.timeoutMs ?? null,
        artifacts: objectText(attempt.artifacts),
        timeline: listText(attempt.timeline),
        poll_time: attempt.pollTime ?? null,
        place: valueText(attempt.place),
        restart: valueText(attempt.restart),
        template: valueText(attempt.template),
        reported: valueText(attempt.reported),
      };
      const key = { run_key: row.runKey, step_id: attempt.stepId, attempt_id: attempt.attemptId };
      const once = { uuid: attempt.uuid, step_instance_id: attempt.stepInstanceId };
      await sql`INSERT INTO step_attempt ${sql({ ...key, ...once, ...fields })}
        ON CONFLICT (run_key, step_id, attempt_id) DO UPDATE SET ${sql(fields)}`;
      return;
    }
    case "run": {
      const { change } = row;
      const fields = {
        status: change.status,
        start_time: change.startTime ?? null,
        end_time: change.endTime ?? null,
        modify_time: change.modifyTime,
        overview: valueText(change.overview),
        artifacts: objectText(change.artifacts),
        timeline: listText(change.timeline),
      };
      await sql`UPDATE run SET ${sql(fields)} WHERE key = ${row.key} AND status NOT IN ('FAILED_1', 'FAILED_2')`;
      return;
    }
    case "log": {
      const { uuid, stream, offset, length, text, time } = row.chunk;
      await sql`INSERT INTO step_log ${sql({ uuid, stream, offset, length, text: storable(text), time })} ON CONFLICT DO NOTHING`;
      return;
    }
    case "outbox": {
      const fields = {
        payload: valueText(row.payload),
        create_time: systemClock.now(),
        attempts: 0,
        next_time: row.held ?? 0,
        dead: 0,
      };
      await sql`INSERT INTO outbox ${sql({ kind: row.topic, key: storable(row.key), ...fields })}
        ON CONFLICT (kind, key) DO UPDATE SET ${sql({ ...fields, error: null })}`;
      return;
    }
    case "dead-letter": {
      const now = systemClock.now();
      const times = { create_time: now, next_time: now };
      const fields = { payload: valueText(row.payload), error: storable(row.error), attempts: 0, dead: 1, ...times };
      await sql`INSERT INTO outbox ${sql({ kind: row.topic, key: storable(row.key), ...fields })}
        ON CONFLICT (kind, key) DO UPDATE SET ${sql(fields)}`;
      return;
    }
    case "paused":
      return writePause(sql, row);
    case "words-taken":
      await sql`DELETE FROM run_word WHERE run_key = ${row.runKey}
        AND (${row.stepId ?? null}::text IS NULL OR step_id = ${row.stepId ?? null})`;
      return;
    case "permits-wanted": {
      const [next] = await sql<{ seq: number }[]>`SELECT nextval('permit_seq') AS seq`;
      for (const [index, { tag, limit }] of row.wants.entries()) {
        const state = index === 0 ? "NEW" : "WAITING";
        const need = { uuid: row.uuid, tag, most: limit ?? ANY_NUMBER, width: row.wants.length, state };
        const owner = { run_key: row.runKey, group_id: row.groupId, step_id: row.stepId, create_time: row.time };
        const fields = { ...need, ...owner, seq: next?.seq ?? 0, starter: row.starter ?? null };
        await sql`INSERT INTO step_permit ${sql(fields)} ON CONFLICT DO NOTHING`;
      }
      return;
    }
    case "permits-released":
      await sql`DELETE FROM step_permit WHERE uuid = ${row.uuid}`;
      return;
    case "permits-left":
      await sql`DELETE FROM step_permit WHERE starter = ${row.starter}`;
  }
}

async function writePause(sql: Transaction, row: Extract<Write, { readonly kind: "paused" }>): Promise<void> {
  const { runKey, stepId, attemptId, since } = row;
  if (since === undefined) {
    await sql`DELETE FROM paused_attempt
      WHERE run_key = ${runKey} AND step_id = ${stepId} AND attempt_id = ${attemptId}`;
    return;
  }
  const [run] = await sql<{ internal_id: number }[]>`SELECT r.internal_id FROM breakpoint b, run r,
      (VALUES (${stepId}::text, ${attemptId}::integer)) AS t (step_id, attempt_id)
    WHERE r.key = ${runKey} AND ${sql.unsafe(MATCHES)} LIMIT 1 FOR KEY SHARE OF b`;
  if (run === undefined) return;
  const key = { run_key: runKey, step_id: stepId, attempt_id: attemptId };
  await sql`INSERT INTO paused_attempt ${sql({ ...key, internal_id: run.internal_id, create_time: since })}
    ON CONFLICT DO NOTHING`;
}
