/** Properties of workflows, which version is active, and whether runs are let go. */
import { checkMaestroName } from "../../definition/id.ts";
import { parseWire } from "../../definition/parse.ts";
import { propertiesSnapshotSchema, propertiesUpdateRequestSchema } from "../../definition/properties.ts";
import { type Tag, tagSchema } from "../../definition/tag.ts";
import { parsePropertiesUpdateRequest } from "../../definition/validate.ts";
import { badRequest } from "../../error.ts";
import { setPaused } from "../../store/pause.ts";
import { putTag, removeTag, updateProperties } from "../../store/property.ts";
import { type Activation, activate, deactivate, loadWorkflow, noWorkflow } from "../../store/workflow.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { workflowActionResponseSchema } from "../schema/workflow.ts";
import type { Services } from "../service.ts";
import { chooseVersion, readVersion } from "../version.ts";

const BASE = "/api/v3/workflows/{workflowId}";

export function propertyRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/properties-snapshot/{snapshotId}`,
      operationId: "getWorkflowProperties",
      summary: "The properties in force: the snapshot latest",
      description: "Only `latest` is kept; any other snapshot is answered with 400.",
      tag: "workflow",
      reply: { description: "The snapshot", schema: propertiesSnapshotSchema },
      errors: ["NOT_FOUND"],
    },
    getSnapshot,
  );
  router.add(
    {
      method: "post",
      path: `${BASE}/properties`,
      operationId: "updateWorkflowProperties",
      summary: "Change some of the properties",
      description: "What is given replaces what was; what is left out stays. The `reset_…` fields bring defaults back.",
      tag: "workflow",
      caller: true,
      body: { schema: propertiesUpdateRequestSchema },
      reply: { description: "The new snapshot", schema: propertiesSnapshotSchema },
      errors: ["PRECONDITION_FAILED"],
    },
    async (call, services) => {
      const update = parsePropertiesUpdateRequest(await call.body());
      return changed(services, call, await updateProperties(services.sql, changeOf(call, services), update));
    },
  );
  tagRoutes(router);
  activationRoutes(router);
  pauseRoutes(router);
}

function tagRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: `${BASE}/properties/tag`,
      operationId: "putWorkflowTag",
      summary: "Add a tag, or replace the one of that name",
      description: "These tags hold for every version, beside those of the definition.",
      tag: "workflow",
      caller: true,
      body: { schema: tagSchema },
      reply: { description: "The new snapshot", schema: propertiesSnapshotSchema },
    },
    async (call, services) => {
      const tag = readTag(await call.body());
      return changed(services, call, await putTag(services.sql, changeOf(call, services), tag));
    },
  );
  router.add(
    {
      method: "delete",
      path: `${BASE}/properties/tag/{tagName}`,
      operationId: "deleteWorkflowTag",
      summary: "Remove a tag",
      description: "A tag that is not there is no error.",
      tag: "workflow",
      caller: true,
      reply: { description: "The new snapshot", schema: propertiesSnapshotSchema },
      errors: ["NOT_FOUND"],
    },
    async (call, services) =>
      changed(services, call, await removeTag(services.sql, changeOf(call, services), call.path("tagName"))),
  );
}

function activationRoutes(router: Router): void {
  const reply = { description: "The version that is active now; 0 for none", schema: workflowActionResponseSchema };
  router.add(
    {
      method: "put",
      path: `${BASE}/versions/{version}/actions/activate`,
      operationId: "activateWorkflowVersion",
      summary: "Make a version the active one",
      description: "Starts of `active` take this version from now on. Runs that are under way keep theirs.",
      tag: "workflow",
      caller: true,
      reply,
      errors: ["NOT_FOUND"],
    },
    async (call, services) => {
      const text = call.path("version");
      readVersion(text);
      const change = changeOf(call, services);
      const done = await activate(services.sql, change, (row) => chooseVersion(text, row));
      return actionView(call, services, "ACTIVATE", done, change.now);
    },
  );
  router.add(
    {
      method: "put",
      path: `${BASE}/actions/deactivate`,
      operationId: "deactivateWorkflow",
      summary: "Leave no version active",
      description: "Starts of `active` are answered with 404 until a version is activated.",
      tag: "workflow",
      caller: true,
      reply,
      errors: ["NOT_FOUND"],
    },
    async (call, services) => {
      const change = changeOf(call, services);
      const done = await deactivate(services.sql, change);
      return actionView(call, services, "DEACTIVATE", done, change.now);
    },
  );
}

function pauseRoutes(router: Router): void {
  const reply = { description: "The version that is active; 0 for none", schema: workflowActionResponseSchema };
  for (const action of ["PAUSE", "RESUME"] as const) {
    const isPause = action === "PAUSE";
    router.add(
      {
        method: "put",
        path: `${BASE}/actions/${isPause ? "pause" : "resume"}`,
        operationId: isPause ? "pauseWorkflow" : "resumeWorkflow",
        summary: isPause ? "Let none of a workflow's runs go" : "Let runs of a paused workflow go again",
        description: isPause
          ? "Runs that wait, and new ones, wait until the workflow is resumed; those under way go on, with what they start of other workflows. Run strategies that don't queue, FIRST_ONLY and LAST_ONLY, answer a start with 409 meanwhile."
          : "Runs that have waited go in their order, as the run strategy says.",
        tag: "workflow",
        caller: true,
        reply,
        errors: ["NOT_FOUND"],
      },
      async (call, services) => {
        const change = changeOf(call, services);
        return actionView(call, services, action, await setPaused(services.sql, change, isPause), change.now);
      },
    );
  }
}

async function getSnapshot(call: Call, { sql }: Services) {
  const workflowId = call.path("workflowId");
  const row = await loadWorkflow(sql, workflowId);
  if (row === undefined) throw noWorkflow(workflowId);
  return row.properties;
}

const changeOf = (call: Call, { clock }: Services) => ({
  workflowId: call.path("workflowId"),
  author: call.user(),
  now: clock.now(),
});

/** A changed strategy may let queued runs go. */
function changed<T>({ engine }: Services, call: Call, result: T): T {
  engine.hintDequeue([call.path("workflowId")]);
  return result;
}

function readTag(json: unknown): Tag {
  const tag = parseWire(tagSchema, json, "Invalid workflow tag");
  const problem = checkMaestroName(tag.name);
  if (problem) throw badRequest("Invalid workflow tag", [`name: ${problem}`]);
  return tag;
}

function actionView(call: Call, { engine }: Services, action: string, done: Activation, now: number) {
  const workflowId = call.path("workflowId");
  if (done.changed) engine.hintDequeue([workflowId]);
  return {
    workflow_id: workflowId,
    workflow_version_id: done.versionId,
    timeline_event: { timestamp: now, type: "ACTION", action, author: call.user(), message: done.message },
  };
}
