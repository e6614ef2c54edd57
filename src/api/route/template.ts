/** Job templates: params and tags that steps share by naming one. */

import { z } from "zod";
import { limitsWith } from "../../definition/limit.ts";
import {
  DEFAULT_TEMPLATE_VERSION,
  type JobTemplateDefinition,
  jobTemplateCreateRequestSchema,
  jobTemplateSchema,
  parseJobTemplate,
} from "../../definition/template.ts";
import { badRequest, notFound } from "../../error.ts";
import type { Json } from "../../json.ts";
import {
  listTemplates,
  loadLineages,
  loadTemplate,
  MOST_LISTED,
  putTemplate,
  removeTemplates,
} from "../../store/template.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { text } from "../parameter.ts";
import type { Services } from "../service.ts";

const BASE = "/api/v3/job-templates";
const version = text("A version; default: `default`");
const request = jobTemplateCreateRequestSchema;
const description =
  "Replaces what has the same job type and version. Steps that begin from then on use it: the answer comes when all nodes know, or can't be reached. A parent that does not exist is no error, and adds nothing until it does; a cycle is refused.";
const reply = { description: "As it is stored", schema: jobTemplateSchema };

export function templateRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: BASE,
      operationId: "putJobTemplate",
      summary: "Store a version of a job template",
      description,
      tag: "control",
      caller: true,
      body: { schema: request },
      reply,
    },
    async (call, services) => store(call, services, await call.definition()),
  );
  router.add(
    {
      method: "post",
      path: `${BASE}/yaml`,
      operationId: "putJobTemplateYaml",
      summary: "Store a version of a job template that is written in YAML",
      description: `The same fields as JSON has. ${description}`,
      tag: "control",
      caller: true,
      body: { schema: request, contentType: "application/yaml" },
      reply,
    },
    async (call, services) => store(call, services, await call.yaml(request)),
  );
  readRoutes(router);
}

function readRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/{jobType}`,
      operationId: "getJobTemplate",
      summary: "A version of a job template",
      description: "As it was stored, without what it inherits.",
      tag: "control",
      query: { version },
      reply: { description: "The template", schema: jobTemplateSchema },
      errors: ["NOT_FOUND"],
    },
    async (call, { sql }, query) => {
      const ref = { jobType: call.path("jobType"), version: query.version ?? DEFAULT_TEMPLATE_VERSION };
      const found = await loadTemplate(sql, ref);
      if (!found) throw notFound(`Cannot find a job template for job type: [${ref.jobType}][${ref.version}]`);
      return found;
    },
  );
  router.add(
    {
      method: "delete",
      path: `${BASE}/{jobType}`,
      operationId: "deleteJobTemplate",
      summary: "Remove a version of a job template, or all of them",
      description: "None is no error. Steps that have begun keep what they have.",
      tag: "control",
      caller: true,
      query: { version: text("A version; default: all of them") },
      reply: { description: "How many were removed, as a text", schema: z.string(), contentType: "text/plain" },
    },
    async (call, { sql, engine }, query) => {
      const jobType = call.path("jobType");
      const count = await removeTemplates(sql, jobType, query.version);
      await engine.templatesChanged();
      const which = query.version === undefined ? "" : `[${query.version}]`;
      return new Response(`Removed [${count}] job template versions for job type: [${jobType}]${which}`);
    },
  );
  router.add(
    {
      method: "get",
      path: BASE,
      operationId: "listJobTemplates",
      summary: "All job templates that have a version",
      description: `Ascending by job type, ${MOST_LISTED} at most, and fewer of long ones: ask with the last one as \`cursor\`, until the list is empty.`,
      tag: "control",
      query: { version, cursor: text("The last job type of the page before") },
      reply: { description: "The templates", schema: z.array(jobTemplateSchema) },
    },
    (_call, { sql }, query) => listTemplates(sql, query.version ?? DEFAULT_TEMPLATE_VERSION, query.cursor),
  );
}

async function store(call: Call, { sql, engine, clock, config }: Services, json: Json) {
  const types = engine.stepTypes().map((it) => it.type);
  const template = parseJobTemplate(json, call.user(), clock.now(), limitsWith(config.limits, types));
  await refuseCycle(template.definition, (parents) => loadLineages(sql, parents));
  await putTemplate(sql, template);
  await engine.templatesChanged();
  return template;
}

/** Two requests at the same time may make one all the same: steps that come upon it fail. @throws BAD_REQUEST */
async function refuseCycle(
  { job_type, version, inherit_from = {} }: JobTemplateDefinition,
  load: (
    parents: readonly { readonly jobType: string; readonly version: string }[],
  ) => Promise<readonly JobTemplateDefinition[]>,
): Promise<void> {
  const parents = Object.entries(inherit_from).map(([jobType, parent]) => ({ jobType, version: parent }));
  const ancestors = await load(parents);
  const below = ancestors.find(
    ({ inherit_from: above }) => above !== undefined && Object.hasOwn(above, job_type) && above[job_type] === version,
  );
  if (!below) return;
  throw badRequest(`Cannot store the job template [${job_type}][${version}]`, [
    `definition.inherit_from: makes a cycle, since [${below.job_type}][${below.version}] inherits from it; leave one of them out`,
  ]);
}
