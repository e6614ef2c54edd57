/** Limits of tags: how many steps with a tag may run at a time, which do, and which wait. */
import { parseTagPermitRequest, tagPermitRequestSchema } from "../../definition/permit.ts";
import { badRequest, notFound } from "../../error.ts";
import { parseJson } from "../../json.ts";
import {
  countPermitSteps,
  listPermitSteps,
  listTagPermits,
  loadTagPermit,
  type PermitStep,
  putTagPermit,
  removeTagPermit,
  type TagPermitRow,
  type TagPermitSummary,
} from "../../store/permit.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { listQuery } from "../page.ts";
import { choice, integerOf, text } from "../parameter.ts";
import { PERMIT_STATES, permitStepListSchema, tagPermitListSchema, tagPermitSchema } from "../schema/permit.ts";
import type { Services } from "../service.ts";

const BASE = "/api/v3/tag-permits";
const { search, limit } = listQuery;

export function permitRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: BASE,
      operationId: "putTagPermit",
      summary: "Set how many steps with a tag may run at a time",
      description:
        "Makes the limit, or replaces the one that there is. A higher one lets waiting steps go at once; a lower one takes nothing away from steps that run.",
      tag: "control",
      caller: true,
      body: { schema: tagPermitRequestSchema },
      reply: { description: "Done" },
    },
    put,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{tag}`,
      operationId: "getTagPermit",
      summary: "The limit of a tag",
      description: "404 for a tag without one: any number of steps may run.",
      tag: "control",
      reply: { description: "The limit", schema: tagPermitSchema },
      errors: ["NOT_FOUND"],
    },
    get,
  );
  router.add(
    {
      method: "delete",
      path: `${BASE}/{tag}`,
      operationId: "deleteTagPermit",
      summary: "Take the limit of a tag away",
      description: "Steps that it holds up go. A tag without a limit is no error.",
      tag: "control",
      caller: true,
      reply: { description: "Done" },
    },
    remove,
  );
  listRoutes(router);
}

function listRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: BASE,
      operationId: "listTagPermits",
      summary: "Tags that have a limit, with how many steps run and wait",
      description: "Ascending by tag; goes on at `next_cursor`. An empty list is no error.",
      tag: "control",
      query: { search, limit, cursor: text("The last tag of the page before") },
      reply: { description: "A page", schema: tagPermitListSchema },
    },
    async (_call, { sql }, query) => {
      const found = await listTagPermits(sql, { search: query.search, after: query.cursor, limit: query.limit + 1 });
      const elements = found.slice(0, query.limit);
      const last = elements.at(-1);
      return {
        elements: elements.map(summaryView),
        ...(found.length > query.limit && last !== undefined && { next_cursor: last.tag }),
      };
    },
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{tag}/steps`,
      operationId: "listPermitSteps",
      summary: "Attempts that hold a permit of a tag, or that the tag holds up",
      description:
        "In the order of their arrival; goes on at `next_cursor`. The tag needs no limit of its own: a workflow's steps under its `step_concurrency` have the tag `maestro_` and the workflow's id.",
      tag: "control",
      query: {
        state: choice("Which: HELD (the default) or WAITING", PERMIT_STATES),
        limit,
        cursor: text("The previous page's next_cursor"),
      },
      reply: { description: "A page", schema: permitStepListSchema },
    },
    async (call, { sql }, query) => {
      const tag = call.path("tag");
      const of = { tag, state: query.state ?? "HELD" } as const;
      const found = await listPermitSteps(sql, { ...of, after: cursorOf(query.cursor), limit: query.limit + 1 });
      const elements = found.slice(0, query.limit);
      const last = elements.at(-1);
      return {
        total_count: await countPermitSteps(sql, of),
        elements: elements.map((step) => stepView(step, of.state)),
        ...(found.length > query.limit && last !== undefined && { next_cursor: String(last.seq) }),
      };
    },
  );
}

async function put(call: Call, { sql, engine, clock }: Services): Promise<Response> {
  const request = parseTagPermitRequest(await call.body());
  engine.hintSteps(await putTagPermit(sql, { ...request, user: call.user(), now: clock.now() }));
  return new Response(null);
}

async function get(call: Call, { sql }: Services) {
  const tag = call.path("tag");
  const row = await loadTagPermit(sql, tag);
  if (row === undefined) throw notFound(`Cannot find the tag permit for tag [${tag}]`);
  return permitView(row);
}

async function remove(call: Call, { sql, engine }: Services): Promise<Response> {
  engine.hintSteps(await removeTagPermit(sql, call.path("tag")));
  return new Response(null);
}

const permitView = ({ tag, maxAllowed, timeline, extra }: TagPermitRow) => ({
  ...{ tag, max_allowed: maxAllowed },
  timeline: parseJson(timeline),
  ...(extra !== undefined && (parseJson(extra) as object)),
});

const summaryView = (row: TagPermitSummary) => ({
  tag: row.tag,
  max_allowed: row.maxAllowed,
  held: row.held,
  waiting: row.waiting,
  create_time: row.createTime,
  modify_time: row.modifyTime,
});

const stepView = (step: PermitStep, state: (typeof PERMIT_STATES)[number]) => ({
  workflow_id: step.workflowId,
  workflow_instance_id: step.instanceId,
  workflow_run_id: step.runId,
  step_id: step.stepId,
  ...(step.attemptId !== undefined && { step_attempt_id: step.attemptId }),
  step_uuid: step.uuid,
  state,
  wait_time: step.createTime,
  ...(step.grantTime !== undefined && { grant_time: step.grantTime }),
});

function cursorOf(given: string | undefined): number {
  if (given === undefined) return 0;
  const cursor = integerOf(given);
  if (cursor !== undefined && cursor >= 0) return cursor;
  throw badRequest(`Invalid query parameter [cursor]: [${given}]`, ["cursor: give back the next_cursor of a page"]);
}
