/** Job templates that a request has to know: those of a definition's steps, and those of steps of a run. */
import { allSteps, stepOf } from "../definition/step.ts";
import { type JobTemplateDefinition, type TemplateRef, templateOf } from "../definition/template.ts";
import type { Workflow } from "../definition/workflow.ts";
import type { Run } from "../run/model.ts";
import type { StepTemplates } from "../run/override.ts";
import { knownTemplateRef, type Lineage, lineageOf, literalTemplateRef } from "../run/template.ts";
import type { StepNode } from "../step/node.ts";
import type { Sql } from "../store/connection.ts";
import { loadLineages } from "../store/template.ts";

/** Of the steps of a definition, as far as no evaluation is needed to tell them, with what they inherit. */
export async function templatesIn(sql: Sql, workflow: Workflow): Promise<readonly JobTemplateDefinition[]> {
  const refs = new Map<string, TemplateRef>();
  for (const step of allSteps(workflow.steps)) {
    const use = templateOf(stepOf(step));
    const ref = use && literalTemplateRef(use, workflow.params);
    if (ref) refs.set(JSON.stringify([ref.jobType, ref.version]), ref);
  }
  return loadLineages(sql, [...refs.values()]);
}

/** @throws BAD_REQUEST for one that can't be used */
export async function templatesOf(sql: Sql, run: Run, nodes: Iterable<StepNode>): Promise<StepTemplates> {
  const refs = new Map<string, TemplateRef | "unknown">();
  for (const { id, template } of nodes) if (template) refs.set(id, knownTemplateRef(template, run));
  const known = await loadLineages(
    sql,
    [...refs.values()].filter((ref) => ref !== "unknown"),
  );
  const found = new Map<string, Lineage | "unknown">();
  for (const [id, ref] of refs) {
    const lineage = ref === "unknown" ? ref : lineageOf(ref, known);
    if (lineage) found.set(id, lineage);
  }
  return found;
}
