/** Job templates: a row for each version of each, which a request of the same name and version replaces. */
import type { JobTemplate, JobTemplateDefinition, JobTemplateMetadata, TemplateRef } from "../definition/template.ts";
import { badRequest } from "../error.ts";
import { parseJson, stringifyJson } from "../json.ts";
import { arrayLiteral } from "./column.ts";
import type { Sql } from "./connection.ts";

interface Row {
  readonly metadata: string;
  readonly definition: string;
}

const templateOf = ({ metadata, definition }: Row): JobTemplate => ({
  metadata: parseJson(metadata) as unknown as JobTemplateMetadata,
  definition: parseJson(definition) as unknown as JobTemplateDefinition,
});

/** Templates in one list, and the characters that they have together, the first one apart. */
export const MOST_LISTED = 1_000;
const MOST_LISTED_CHARS = 16_000_000;

/** Templates that are read for one, more than it may inherit from: nobody misses those beyond. */
const MOST_ANCESTORS = 2_000;
/** Characters of all that is read at a time. */
const MOST_CHARS = 8_000_000;

export async function putTemplate(sql: Sql, { metadata, definition }: JobTemplate): Promise<void> {
  await sql`INSERT INTO job_template (job_type, version, metadata, definition, modify_time)
    VALUES (${definition.job_type}, ${definition.version}, ${stringifyJson(metadata)}::json,
      ${stringifyJson(definition)}::json, ${metadata.create_time})
    ON CONFLICT (job_type, version) DO UPDATE
      SET metadata = excluded.metadata, definition = excluded.definition, modify_time = excluded.modify_time`;
}

export async function loadTemplate(sql: Sql, { jobType, version }: TemplateRef): Promise<JobTemplate | undefined> {
  const [row] = await sql<Row[]>`SELECT metadata, definition FROM job_template
    WHERE job_type = ${jobType} AND version = ${version}`;
  return row && templateOf(row);
}

/** Of the job types after `after` that have this version, ascending: one at least, and no more than fit a page. */
export async function listTemplates(sql: Sql, version: string, after = ""): Promise<readonly JobTemplate[]> {
  const rows = await sql<Row[]>`SELECT metadata, definition FROM (
      SELECT *, row_number() OVER page AS number,
        sum(length(metadata::text) + length(definition::text)) OVER page AS chars
      FROM (SELECT * FROM job_template WHERE version = ${version} AND job_type > ${after}
        ORDER BY job_type LIMIT ${MOST_LISTED}) AS next
      WINDOW page AS (ORDER BY job_type)) AS counted
    WHERE number = 1 OR chars <= ${MOST_LISTED_CHARS} ORDER BY job_type`;
  return rows.map(templateOf);
}

/** @param version undefined: all of them @returns how many there were */
export async function removeTemplates(sql: Sql, jobType: string, version: string | undefined): Promise<number> {
  const { count } = await sql`DELETE FROM job_template
    WHERE job_type = ${jobType} AND (${version ?? null}::text IS NULL OR version = ${version ?? null})`;
  return count;
}

/**
 * Templates and all that they inherit from, whichever of them there are, in one statement. Each is answered once, in no
 * order; a cycle ends where it began.
 * @throws BAD_REQUEST when they are too long
 */
export async function loadLineages(
  sql: Sql,
  templates: readonly TemplateRef[],
): Promise<readonly JobTemplateDefinition[]> {
  if (templates.length === 0) return [];
  const rows = await sql<
    { readonly definition: string | null; readonly chars: number }[]
  >`WITH RECURSIVE lineage (job_type, version) AS (
      SELECT * FROM unnest(${arrayLiteral(templates.map((it) => it.jobType))}::text[],
        ${arrayLiteral(templates.map((it) => it.version))}::text[]) AS asked (job_type, version)
      UNION
      SELECT parent.key, parent.value FROM lineage
        JOIN job_template t USING (job_type, version)
        CROSS JOIN LATERAL json_each_text(coalesce(t.definition -> 'inherit_from', '{}'::json)) AS parent)
    SELECT CASE WHEN chars <= ${MOST_CHARS} THEN definition END AS definition, chars
      FROM (SELECT t.definition, sum(length(t.definition::text)) OVER ()::bigint AS chars
        FROM (SELECT * FROM lineage LIMIT ${MOST_ANCESTORS * templates.length}) AS l
        JOIN job_template t USING (job_type, version)) AS found`;
  return rows.map(({ definition, chars }) => {
    if (definition !== null) return parseJson(definition) as unknown as JobTemplateDefinition;
    const what = templates.slice(0, 3).map(({ jobType, version }) => `[${jobType}][${version}]`);
    throw badRequest(
      `The job templates ${what.join(", ")}${templates.length > 3 ? ", …" : ""} have ${chars} characters together with all that they inherit; at most ${MOST_CHARS} are allowed`,
    );
  });
}
