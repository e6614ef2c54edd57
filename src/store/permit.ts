/**
 * Permits: the limits that somebody has set for tags, and who holds permits or waits for them. What an attempt needs, and
 * its end, are rows of its owner's batches (`writer/`); granting is the database function `assign_permits`, of which
 * `run/permit.ts` is the model.
 */
import type { PermitAnswer, PermitLook, PermitState } from "../flow/port.ts";
import { type JsonObject, stringifyJson } from "../json.ts";
import type { Want } from "../run/permit.ts";
import { logEvent } from "../step/event.ts";
import { arrayLiteral, storable } from "./column.ts";
import type { Sql } from "./connection.ts";
import { type Reserved, transact, untilPassed } from "./pipeline.ts";
import { objectText } from "./row.ts";
import { likePattern } from "./workflow.ts";

/** Stands for no limit in a column. */
export const ANY_NUMBER = 2 ** 31 - 1;

/** `[[tag, limit], …]`. */
export const wantsText = (wants: readonly Want[]): string =>
  stringifyJson(wants.map(({ tag, limit }) => [tag, limit ?? ANY_NUMBER]));

interface StateRow {
  readonly uuid: string;
  readonly run_key: number;
  readonly group_id: number;
  readonly step_id: string;
  readonly blocked_by: string | null;
}

/**
 * Grants what is free to attempts that are new, and to those that wait for an opened tag. Of a call that was not heard of
 * and is made again, only those are answered that are asked: the others' owners find out by their sweep.
 */
export const assignPermits = async (sql: Sql, look: PermitLook): Promise<PermitAnswer> =>
  answerOf(await untilPassed(() => assign(sql, look)));

/** Is sent when it is awaited. */
const assign = (line: Sql | Reserved, { opened, asked, sweeps }: PermitLook) =>
  line<StateRow[]>`SELECT uuid, run_key, group_id, step_id, blocked_by
    FROM assign_permits(${arrayLiteral(opened)}::text[], ${arrayLiteral(asked)}::text[], ${sweeps})`;

function answerOf(rows: readonly StateRow[]): PermitAnswer {
  const found = rows.filter(({ uuid }) => uuid !== "");
  const states = found.map((row) => ({
    runKey: row.run_key,
    groupId: row.group_id,
    stepId: row.step_id,
    uuid: row.uuid,
    blockedBy: row.blocked_by ?? undefined,
  }));
  return { states, isMore: found.length < rows.length };
}

export interface NewTagPermit {
  readonly tag: string;
  /** 0: none. */
  readonly maxAllowed: number;
  /** What else is to be kept with it. */
  readonly extra: JsonObject;
  readonly user: string;
  /** Epoch ms. */
  readonly now: number;
}

/** Events that are kept of a tag's permit. */
const MOST_EVENTS = 32;

/** Sets a tag's limit. @returns the attempts that it lets go: their owners are to be told */
export function putTagPermit(sql: Sql, { tag, maxAllowed, extra, user, now }: NewTagPermit) {
  const event = (what: string): string => stringifyJson([logEvent(`User [${user}] ${what} [${maxAllowed}]`, now)]);
  const created = event("created the tag permit with limit");
  const updated = event("updated the tag permit to the new limit");
  return changed(
    sql,
    tag,
    (line) => line`INSERT INTO tag_permit AS known (tag, max_allowed, extra, timeline, create_time, modify_time)
      VALUES (${storable(tag)}, ${maxAllowed}, ${objectText(extra)}::json, ${created}::json, ${now}, ${now})
      ON CONFLICT (tag) DO UPDATE SET max_allowed = excluded.max_allowed, extra = excluded.extra, modify_time = ${now},
        timeline = (SELECT json_agg(event ORDER BY number) FROM (
          SELECT event, number FROM json_array_elements((left(known.timeline::text, -1) || ',' || right(${updated}, -1))::json)
            WITH ORDINALITY AS all_of (event, number)
          ORDER BY number DESC LIMIT ${MOST_EVENTS}) AS newest)`,
  );
}

/** Takes a tag's limit away, if there is one. @returns the attempts that it lets go: their owners are to be told */
export const removeTagPermit = (sql: Sql, tag: string) =>
  changed(sql, tag, (line) => line`DELETE FROM tag_permit WHERE tag = ${storable(tag)}`);

/** One round trip mostly, and no lock waits for the caller. @param change is sent when it is awaited */
async function changed(
  sql: Sql,
  tag: string,
  change: (line: Reserved) => PromiseLike<unknown>,
): Promise<readonly PermitState[]> {
  const look = { opened: [storable(tag)], asked: [], sweeps: false };
  const rows = await transact(sql, async (line) => {
    const [, , granted] = await Promise.all([line`BEGIN`, change(line), assign(line, look), line`COMMIT`]);
    return granted;
  });
  let answer = answerOf(rows);
  const states = [...answer.states];
  while (answer.isMore) {
    answer = await assignPermits(sql, look);
    states.push(...answer.states);
  }
  return states;
}

// ---- reads ---------------------------------------------------------------------------------------------------------

export interface TagPermitRow {
  readonly tag: string;
  readonly maxAllowed: number;
  /** JSON texts. */
  readonly extra: string | undefined;
  readonly timeline: string;
}

export interface TagPermitSummary extends Pick<TagPermitRow, "tag" | "maxAllowed"> {
  /** Attempts that hold a permit, and that the tag holds up. */
  readonly held: number;
  readonly waiting: number;
  /** Epoch ms. */
  readonly createTime: number;
  readonly modifyTime: number;
}

export interface PermitStep {
  readonly seq: number;
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;
  readonly stepId: string;
  /** Undefined: a run that the step starts. */
  readonly attemptId: number | undefined;
  readonly uuid: string;
  /** Epoch ms. */
  readonly createTime: number;
  readonly grantTime: number | undefined;
}

export async function loadTagPermit(sql: Sql, tag: string): Promise<TagPermitRow | undefined> {
  const [row] = await sql<{ max_allowed: number; extra: string | null; timeline: string }[]>`
    SELECT max_allowed, extra, timeline FROM tag_permit WHERE tag = ${tag}`;
  return row && { tag, maxAllowed: row.max_allowed, extra: row.extra ?? undefined, timeline: row.timeline };
}

/** By tag, those after `after` that contain `search` (any case). */
export async function listTagPermits(
  sql: Sql,
  { search = "", after = "", limit }: { search?: string | undefined; after?: string | undefined; limit: number },
): Promise<readonly TagPermitSummary[]> {
  return sql<TagPermitSummary[]>`SELECT t.tag, t.max_allowed AS "maxAllowed", t.create_time AS "createTime",
      t.modify_time AS "modifyTime",
      (SELECT count(*)::integer FROM step_permit p WHERE p.tag = t.tag AND p.state = 'HELD') AS held,
      (SELECT count(*)::integer FROM step_permit p WHERE p.tag = t.tag AND p.state = 'BLOCKED') AS waiting
    FROM tag_permit t WHERE t.tag > ${after} AND (${search === ""} OR t.tag ILIKE ${likePattern(search)})
    ORDER BY t.tag LIMIT ${limit}`;
}

/** Which attempts: those that hold a permit of a tag, or those that the tag holds up. */
export interface PermitSteps {
  readonly tag: string;
  readonly state: "HELD" | "WAITING";
}

const stateIn = ({ state }: PermitSteps): string => (state === "HELD" ? "HELD" : "BLOCKED");

/** In the order of arrival. */
export async function listPermitSteps(
  sql: Sql,
  { after, limit, ...of }: PermitSteps & { readonly after: number; readonly limit: number },
): Promise<readonly PermitStep[]> {
  const rows = await sql<
    (Omit<PermitStep, "attemptId" | "grantTime"> & { attempt: number | null; grant: number | null })[]
  >`
    SELECT p.seq, p.uuid, p.step_id AS "stepId", p.create_time AS "createTime", p.grant_time AS "grant",
      r.workflow_id AS "workflowId", r.instance_id AS "instanceId", r.run_id AS "runId", a.attempt_id AS attempt
    FROM (SELECT * FROM step_permit WHERE tag = ${of.tag} AND state = ${stateIn(of)} AND seq > ${after}
      ORDER BY seq LIMIT ${limit}) AS p
    JOIN run r ON r.key = p.run_key
    LEFT JOIN step_attempt a ON a.run_key = p.run_key AND a.step_id = p.step_id AND a.uuid = p.uuid
    ORDER BY p.seq`;
  return rows.map(({ attempt, grant, ...row }) => ({
    ...row,
    attemptId: attempt ?? undefined,
    grantTime: grant ?? undefined,
  }));
}

export async function countPermitSteps(sql: Sql, of: PermitSteps): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*) AS count FROM step_permit
    WHERE tag = ${of.tag} AND state = ${stateIn(of)}`;
  return row?.count ?? 0;
}
