/** Workflows: push, read, list, delete. */
import { type DefinitionLimits, limitsWith, MAX_TEXT_BYTES } from "../../definition/limit.ts";
import {
  type WorkflowCreateRequest,
  workflowCreateRequestSchema,
  workflowDefinitionSchema,
} from "../../definition/metadata.ts";
import { effectiveRunStrategy } from "../../definition/properties.ts";
import { timelineEventSchema } from "../../definition/timeline.ts";
import { parseWorkflowCreateRequest } from "../../definition/validate.ts";
import { MaestroError } from "../../error.ts";
import { parseJson } from "../../json.ts";
import { isInlineId } from "../../run/inline.ts";
import { previewDefinition } from "../../run/preview.ts";
import { type StoredRunStatus, shownRunStatus } from "../../run/status.ts";
import { logEvent } from "../../step/event.ts";
import { loadVersions, pushVersion } from "../../store/version.ts";
import {
  countInstances,
  deleteWorkflow,
  listWorkflows,
  loadHistory,
  loadWorkflow,
  noWorkflow,
  purgeDeleted,
  type WorkflowSummary,
} from "../../store/workflow.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { listQuery, pageOf, pageQuery, readPage, windowOf } from "../page.ts";
import { flag, type QueryValues, text } from "../parameter.ts";
import { pageSchema } from "../schema/common.ts";
import {
  workflowCreateResponseSchema,
  workflowListSchema,
  workflowOverviewSchema,
  workflowTimelineSchema,
} from "../schema/workflow.ts";
import type { Services } from "../service.ts";
import { templatesIn } from "../template.ts";
import { defaultVersion, definitionView, findInline, findVersion } from "../version.ts";

const BASE = "/api/v3/workflows";
const versionQuery = { enriched: flag(false, "Adds merged params and next execution times") };
const pushBody = { schema: workflowCreateRequestSchema, limit: MAX_TEXT_BYTES };

export function workflowRoutes(router: Router): void {
  pushRoutes(router);
  readRoutes(router);
  listRoutes(router);
}

function pushRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: BASE,
      operationId: "createWorkflow",
      summary: "Push a definition as a new version",
      description:
        "The first version of a workflow needs `properties.owner`. A push becomes active at once unless `is_active` is false; properties that are left out keep their values, but for the run strategy, step concurrency and alerting.",
      tag: "workflow",
      caller: true,
      body: pushBody,
      reply: { description: "The new version", schema: workflowCreateResponseSchema },
      errors: ["CONFLICT", "PRECONDITION_FAILED"],
    },
    createWorkflow,
  );
  router.add(
    {
      method: "put",
      path: `${BASE}/actions/validate`,
      operationId: "validateWorkflow",
      summary: "Check a definition without storing it",
      description:
        "The checks of a push, with a dry run of the params, and nothing stored. A definition that is not good is answered with 400 and every finding.",
      tag: "workflow",
      caller: true,
      body: pushBody,
      reply: { description: "The definition is good", schema: timelineEventSchema },
    },
    validateWorkflow,
  );
  router.add(
    {
      method: "delete",
      path: `${BASE}/{workflowId}`,
      operationId: "deleteWorkflow",
      summary: "Delete a workflow with its versions and runs",
      description: "The workflow is gone at once; its rows are removed behind the answer. Its runs must have ended.",
      tag: "workflow",
      caller: true,
      reply: { description: "It is gone", schema: timelineEventSchema },
      errors: ["NOT_FOUND", "UNPROCESSABLE_ENTITY"],
    },
    removeWorkflow,
  );
}

const limitsOf = ({ config, engine }: Services): DefinitionLimits =>
  limitsWith(
    config.limits,
    engine.stepTypes().map((it) => it.type),
  );

async function evaluated(call: Call, work: Promise<void>): Promise<void> {
  call.evaluating(true);
  await work;
  call.evaluating(false);
}

const dryRun = async ({ sql, engine }: Services, request: WorkflowCreateRequest, author: string): Promise<void> =>
  engine.dryRun(request, author, await templatesIn(sql, request.workflow));

async function createWorkflow(call: Call, services: Services) {
  const { sql, engine, clock, log } = services;
  const author = call.user();
  const request = parseWorkflowCreateRequest(await call.definition(), limitsOf(services));
  await evaluated(call, dryRun(services, request, author));
  try {
    const { workflow, version } = await pushVersion(sql, { request, author, now: clock.now() });
    if (version.versionId > 1) engine.hintDequeue([workflow.workflowId]);
    return { workflow_definition: definitionView(workflow, version) };
  } catch (error) {
    if (error instanceof MaestroError && error.code === "CONFLICT") purge(services);
    log.debug("a push was refused", { workflow: request.workflow.id, error });
    throw error;
  }
}

async function validateWorkflow(call: Call, services: Services) {
  const author = call.user();
  const request = parseWorkflowCreateRequest(await call.definition(), limitsOf(services));
  await evaluated(call, dryRun(services, request, author));
  const message = `Workflow definition [${request.workflow.id}] is valid`;
  return { timestamp: services.clock.now(), type: "ACTION", action: "VALIDATE", author, message };
}

async function removeWorkflow(call: Call, services: Services) {
  const workflowId = call.path("workflowId");
  const author = call.user();
  if (isInlineId(workflowId)) {
    throw new MaestroError("UNPROCESSABLE_ENTITY", `Cannot delete [${workflowId}]: it is a part of another workflow.`);
  }
  const now = services.clock.now();
  await deleteWorkflow(services.sql, { workflowId, author, now });
  purge(services);
  return logEvent(`User [${author}] deleted workflow [${workflowId}]`, now);
}

/** Behind the answer; what does not get done is taken up by the next deletion or push, and by retention. */
function purge({ sql, log }: Services): void {
  purgeDeleted(sql).catch((error) => log.warn("the purge of deleted workflows stopped", { error }));
}

function readRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/versions/pagination`,
      operationId: "listWorkflowVersions",
      summary: "Versions, the newest first",
      description:
        "A page by version id: `first` counts from the newest down, `last` from the oldest up, `cursor` is an id and exclusive.",
      tag: "workflow",
      query: pageQuery,
      reply: { description: "A page", schema: pageSchema("WorkflowDefinitionPage", workflowDefinitionSchema) },
    },
    listVersions,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/versions/{version}`,
      operationId: "getWorkflowVersion",
      summary: "A version: a number, active, latest or default",
      description: "The definition as it was pushed, with defaults written out, and the properties as they are now.",
      tag: "workflow",
      query: versionQuery,
      reply: { description: "The version", schema: workflowDefinitionSchema },
      errors: ["NOT_FOUND"],
    },
    getVersion,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/overview`,
      operationId: "getWorkflowOverview",
      summary: "Versions, properties and counts of instances",
      description: "What there is of a workflow at a glance, without its definition.",
      tag: "workflow",
      reply: { description: "The overview", schema: workflowOverviewSchema },
      errors: ["NOT_FOUND"],
    },
    getOverview,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/timeline`,
      operationId: "getWorkflowTimeline",
      summary: "What people did to the workflow, the newest first",
      description: "Pushes, activations and changes of properties, with who made them.",
      tag: "workflow",
      reply: { description: "At most 300 events", schema: workflowTimelineSchema },
    },
    async (call, { sql }) => {
      const workflowId = call.path("workflowId");
      return { workflow_id: workflowId, timeline_events: await loadHistory(sql, workflowId) };
    },
  );
}

async function getVersion(call: Call, services: Services, { enriched }: QueryValues<typeof versionQuery>) {
  const workflowId = call.path("workflowId");
  const found = isInlineId(workflowId)
    ? await findInline(services, workflowId)
    : await findVersion(services, workflowId, call.path("version"));
  const extras = enriched
    ? previewDefinition(found.version.workflow, services.clock.now(), services.config.catalog)
    : undefined;
  return definitionView(found.row, found.version, extras);
}

async function listVersions(call: Call, { sql }: Services, page: QueryValues<typeof pageQuery>) {
  const query = readPage(page);
  const row = await loadWorkflow(sql, call.path("workflowId"));
  const all = row && { low: 1, high: row.latestVersion };
  const window = windowOf(query, all);
  if (row === undefined || window === undefined) return pageOf([], window, all);
  const versions = await loadVersions(sql, row.internalId, window.low, window.high);
  return pageOf(
    versions.map((version) => definitionView(row, version)),
    window,
    all,
  );
}

async function getOverview(call: Call, { sql }: Services) {
  const workflowId = call.path("workflowId");
  const row = await loadWorkflow(sql, workflowId);
  if (row === undefined) throw noWorkflow(workflowId);
  const { failed, ...nonterminal } = await countInstances(sql, workflowId);
  const { step_concurrency } = row.properties;
  return {
    workflow_id: workflowId,
    ...(row.activeVersion > 0 && { active_version_id: row.activeVersion }),
    latest_version_id: row.latestVersion,
    default_version_id: defaultVersion(row),
    properties_snapshot: { ...row.properties, run_strategy: effectiveRunStrategy(row.properties) },
    ...(step_concurrency !== undefined && { step_concurrency }),
    ...(row.paused && { paused: true }),
    nonterminal_instances: nonterminal,
    failed_instances: failed,
    ...(row.latestInstanceId > 0 && { latest_instance_id: row.latestInstanceId }),
  };
}

function listRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: BASE,
      operationId: "listWorkflows",
      summary: "Workflows by id, found by a part of their id, name or owner",
      description: "Ascending by id; goes on at `next_cursor`. An empty list is no error.",
      tag: "workflow",
      query: {
        ...listQuery,
        cursor: text("The last workflow id of the page before"),
      },
      reply: { description: "A page", schema: workflowListSchema },
    },
    async (_call, { sql }, { search, cursor, limit }) => {
      const filter = { search, after: cursor, limit: limit + 1 };
      const found = await listWorkflows(sql, filter);
      const elements = found.slice(0, limit);
      const last = elements.at(-1);
      return {
        elements: elements.map(summaryView),
        ...(found.length > limit && last !== undefined && { next_cursor: last.workflow.workflowId }),
      };
    },
  );
}

function summaryView({ workflow, name, description, tags, latestRun }: WorkflowSummary) {
  return {
    workflow_id: workflow.workflowId,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    owner: workflow.properties.owner,
    ...(tags !== undefined && { tags: parseJson(tags) }),
    ...(workflow.activeVersion > 0 && { active_version_id: workflow.activeVersion }),
    latest_version_id: workflow.latestVersion,
    ...(workflow.paused && { paused: true }),
    create_time: workflow.createTime,
    modify_time: workflow.modifyTime,
    ...(latestRun !== undefined && {
      latest_run: {
        workflow_instance_id: latestRun.instanceId,
        workflow_run_id: latestRun.runId,
        status: shownRunStatus(latestRun.status as StoredRunStatus),
        ...(latestRun.startTime !== undefined && { start_time: latestRun.startTime }),
        ...(latestRun.endTime !== undefined && { end_time: latestRun.endTime }),
      },
    }),
  };
}
