/** Job templates: a row for each version of each, which a request of the same name and version replaces. */
import type { JobTemplate, JobTemplateDefinition, JobTemplateMetadata, TemplateRef } from "../definition/template.ts";
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

/** Templates in one list. */
export const MOST_LISTED = 10_000;

/** Templates that are read for one: beyond that many, its ancestors are not all there. */
const MOST_ANCESTORS = 1_000;

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

/** Of all job types that have this version, ascending, {@link MOST_LISTED} at most. */
export async function listTemplates(sql: Sql, version: string): Promise<readonly JobTemplate[]> {
  const rows = await sql<Row[]>`SELECT metadata, definition FROM job_template
    WHERE version = ${version} ORDER BY job_type LIMIT ${MOST_LISTED}`;
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
 */
export async function loadLineages(
  sql: Sql,
  templates: readonly TemplateRef[],
): Promise<readonly JobTemplateDefinition[]> {
  if (templates.length === 0) return [];
  const rows = await sql<Pick<Row, "definition">[]>`WITH RECURSIVE lineage (job_type, version) AS (
      SELECT * FROM unnest(${arrayLiteral(templates.map((it) => it.jobType))}::text[],
        ${arrayLiteral(templates.map((it) => it.version))}::text[]) AS asked (job_type, version)
      UNION
      SELECT parent.key, parent.value FROM lineage
        JOIN job_template t USING (job_type, version)
        CROSS JOIN LATERAL json_each_text(coalesce(t.definition -> 'inherit_from', '{}'::json)) AS parent)
    SELECT t.definition FROM (SELECT * FROM lineage LIMIT ${MOST_ANCESTORS * templates.length}) AS l
      JOIN job_template t USING (job_type, version)`;
  return rows.map(({ definition }) => parseJson(definition) as unknown as JobTemplateDefinition);
}
