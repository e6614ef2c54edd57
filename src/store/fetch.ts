/** What a param has become in runs that a step has started: one statement for a hundred thousand iterations. */
import { followsFromFacts, type ParamQuestion, type ParamRows } from "../run/child.ts";
import { STEP_TIMES } from "../step/status.ts";
import type { Sql } from "./connection.ts";

const INITIALIZED = STEP_TIMES.indexOf("initialize_time");
const ENDED = STEP_TIMES.indexOf("end_time");

/**
 * Of each instance the newest attempt at the step, in the newest run that has one; of its params, as they are stored, what
 * tells about this one. Postgres looks an attempt up for each run by its key, and adds the rows up to one text, unless
 * the values have too many characters: those never leave it.
 */
export async function fetchParam(sql: Sql, question: ParamQuestion): Promise<ParamRows> {
  const { workflowId, first, last, stepId, name, maxChars } = question;
  const needsFacts = followsFromFacts(name);
  const [row] = await sql<{ chars: number; rows: string | null }[]>`WITH newest AS MATERIALIZED (
      SELECT DISTINCT ON (r.instance_id) r.instance_id, s.params -> 'p' -> ${name}::text AS param,
        s.params -> 't' AS t, s.params -> 'e' AS e,
        CASE WHEN ${needsFacts} THEN concat(',[', to_json(s.uuid), ',', s.attempt_id, ',', to_json(s.status), ',',
          to_json(coalesce(json_typeof(s.times::json -> ${INITIALIZED}::int) = 'number', false)), ',',
          to_json(coalesce(json_typeof(s.times::json -> ${ENDED}::int) = 'number', false)), ']') END AS facts
      FROM run r CROSS JOIN LATERAL (
        SELECT uuid, attempt_id, status, times, params FROM step_attempt
        WHERE run_key = r.key AND step_id = ${stepId} ORDER BY attempt_id DESC LIMIT 1
      ) s
      WHERE r.workflow_id = ${workflowId} AND r.instance_id BETWEEN ${first} AND ${last}
      ORDER BY r.instance_id, r.run_id DESC
    ), told AS MATERIALIZED (
      SELECT instance_id, t, e, facts, param -> 'type' AS type, param -> 'evaluated_time' AS time,
        param -> 'evaluated_result' AS result,
        CASE WHEN param -> 'evaluated_result' IS NULL THEN param -> 'value' END AS value
      FROM newest WHERE param IS NOT NULL OR facts IS NOT NULL
    ), size AS (
      SELECT coalesce(sum(length(coalesce(result, value)::text)), 0)::bigint AS chars FROM told
    )
    SELECT size.chars, CASE WHEN size.chars <= ${maxChars} THEN (
      SELECT concat('[', string_agg(concat('[', instance_id,
          ',{', concat_ws(',', CASE WHEN t IS NOT NULL THEN '"t":1' END, CASE WHEN e IS NOT NULL THEN '"e":true' END), '},',
          CASE WHEN type IS NULL THEN 'null' ELSE concat('{', concat_ws(',', '"type":' || type::text, '"value":' ||
            value::text, '"evaluated_result":' || result::text, '"evaluated_time":' || time::text), '}') END,
          facts, ']'), ','), ']')
      FROM told
    ) END AS rows FROM size`;
  return { chars: row?.chars ?? 0, rows: row?.rows ?? undefined };
}
