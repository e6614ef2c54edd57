/** The flattened view of loops: the iterations of a nested step as one list, however deep it is nested. */
import { z } from "zod";
import { isUpstream } from "../../definition/initiator.ts";
import { badRequest, notFound } from "../../error.ts";
import { isJsonObject, parseJson } from "../../json.ts";
import {
  attemptSequence,
  type LoopOnWay,
  loopsAround,
  mostInteresting,
  rankText,
  readIteration,
  readRank,
} from "../../run/flatten.ts";
import { bodyPrefix, isInlineId, wholeInstance } from "../../run/inline.ts";
import { STEP_STATUSES } from "../../step/status.ts";
import { stateView } from "../../step/view.ts";
import { type Flat, type FlatStep, flatCounts, flatPage, flatStep } from "../../store/flatten.ts";
import { loadRun } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { MAX_PAGE } from "../limit.ts";
import { flag, integer, type QueryValues, text, words } from "../parameter.ts";
import { pageSchema } from "../schema/common.ts";
import { stepStatusSchema } from "../schema/run.ts";
import { stepRuntimeStateSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";
import { noRun } from "./run.ts";

const STEP = "/api/v3/views/flatten/workflows/{workflowId}/instances/{instanceId}/runs/{runId}/steps/{stepId}";
/** Iterations that a summary takes its values from. */
const SAMPLE = 100;

const SIZE = { min: 1, max: MAX_PAGE };
const listQuery = {
  first: integer("Page size, from the first iteration on", SIZE),
  last: integer("Page size, from the last iteration back", SIZE),
  cursor: text("Iteration to start beyond, exclusive: a cursor of a page"),
  statuses: words("Statuses", STEP_STATUSES),
  loopParams: text("Only iterations with these values: a JSON object of arrays of texts by loop param, as base64url"),
};
const summaryQuery = {
  statusCount: flag(false, "Adds how many iterations are in each status"),
  representative: flag(true, "Adds the iteration that says most: one that failed, if any did"),
  valueCount: integer("Values of each loop param at most, of the first iterations", { min: 0, max: SAMPLE }, 5),
};

const iterationSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int().meta({ description: "Of the run that the iteration was last run in" }),
    step_id: z.string(),
    iteration_rank: z.string(),
    step_attempt_seq: z.string(),
    leaf_step_instance_ref: z
      .strictObject({
        workflow_id: z.string(),
        workflow_instance_id: z.int(),
        workflow_run_id: z.int(),
        step_id: z.string(),
        step_attempt_id: z.int(),
      })
      .meta({ id: "LeafStepInstanceRef", description: "The attempt itself: where its params, timeline and logs are" }),
    loop_params: z.record(z.string(), z.string()),
    step_runtime_state: stepRuntimeStateSchema,
  })
  .meta({ id: "StepIteration" });

const summarySchema = z
  .strictObject({
    representative_iteration: iterationSchema.optional(),
    count_by_status: z.partialRecord(stepStatusSchema, z.int()).optional(),
    loop_param_values: z.record(z.string(), z.array(z.string())),
  })
  .meta({ id: "StepIterationsSummary" });

export function flattenRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: STEP,
      operationId: "listStepIterations",
      summary: "The iterations of a step that is nested in loops",
      description:
        "One entry an iteration, of the outermost loop first: its newest attempt at the step, up to this run of the instance. Iterations that a restart has left as they were show as an earlier run left them.",
      tag: "view",
      query: listQuery,
      reply: { description: "A page", schema: pageSchema("StepIterationPage", iterationSchema) },
      errors: ["NOT_FOUND"],
    },
    listIterations,
  );
  router.add(
    {
      method: "get",
      path: `${STEP}/iterations/{iterationId}`,
      operationId: "getStepIteration",
      summary: "One iteration of a step that is nested in loops",
      description: "As the list has it.",
      tag: "view",
      reply: { description: "The iteration", schema: iterationSchema },
      errors: ["NOT_FOUND"],
    },
    getIteration,
  );
  router.add(
    {
      method: "get",
      path: `${STEP}/summary`,
      operationId: "getStepIterationsSummary",
      summary: "What the iterations of a nested step come to",
      description: "Counts and the most telling iteration are looked for among all iterations, at one moment.",
      tag: "view",
      query: summaryQuery,
      reply: { description: "The summary", schema: summarySchema },
      errors: ["NOT_FOUND"],
    },
    getSummary,
  );
}

/** @throws NOT_FOUND, BAD_REQUEST */
async function flatOf(call: Call, { sql, reader }: Services): Promise<Flat> {
  const [workflowId, instanceId, runId] = [call.path("workflowId"), call.path("instanceId"), call.path("runId")];
  const stepId = call.path("stepId");
  if (isInlineId(workflowId)) {
    throw badRequest(`[${workflowId}] is the body of a loop`, [
      "workflowId: the workflow around all loops; the inline-path of an iteration begins with it",
    ]);
  }
  const run = await loadRun(sql, workflowId, instanceId, runId);
  if (run === undefined) throw noRun(workflowId, instanceId, runId);
  const loops = loopsAround((await reader.workflow(run)).steps, stepId);
  if (loops === undefined || loops.length === 0) {
    const what = loops === undefined ? "has no such step" : "has the step outside of any loop";
    throw notFound(`Cannot find iterations of step [${stepId}]: workflow [${workflowId}] ${what}.`);
  }
  const level = ({ kind, stepId: loop }: LoopOnWay) => ({
    prefix: bodyPrefix(kind, run.internalId, wholeInstance(run)),
    stepId: loop,
  });
  return {
    ...{ workflowId, instanceId, runId, stepId },
    depth: isUpstream(run.initiator) ? run.initiator.ancestors.length : 0,
    levels: loops.map(level),
    params: [...new Set(loops.flatMap((it) => it.params))],
  };
}

async function listIterations(call: Call, services: Services, query: QueryValues<typeof listQuery>) {
  const { first, last, statuses } = query;
  if ((first === undefined) === (last === undefined)) {
    throw badRequest("A page needs exactly one of the query parameters first and last", [
      `first or last: a number from 1 to ${MAX_PAGE}`,
    ]);
  }
  const flat = await flatOf(call, services);
  const beyond = query.cursor === undefined ? undefined : readCursor(query.cursor, flat);
  const size = first ?? last ?? 0;
  const direction = last === undefined ? "up" : "down";
  const found = await flatPage(services.sql, flat, {
    ...{ statuses, beyond, direction },
    params: readLoopParams(query.loopParams, flat),
    limit: size + 1,
  });
  const more = found.length > size;
  const elements = (direction === "up" ? found.slice(0, size) : found.slice(-size)).map((it) =>
    iterationView(flat, it),
  );
  const [start, end] = [elements.at(0), elements.at(-1)].map((it) => (it ? cursorOf(it.iteration_rank) : null));
  return {
    page_info: {
      ...{ start_cursor: start, end_cursor: end },
      has_previous_page: direction === "up" ? beyond !== undefined : more,
      has_next_page: direction === "up" ? more : beyond !== undefined,
      start_index: null,
    },
    total_count: elements.length,
    elements,
  };
}

const cursorOf = (rank: string): string => Buffer.from(rank).toString("base64url");

function readCursor(cursor: string, { levels }: Flat): readonly number[] {
  const ids = readRank(Buffer.from(cursor, "base64url").toString());
  if (ids?.length === levels.length) return ids;
  throw badRequest(`Invalid query parameter [cursor]: [${cursor}]`, ["cursor: give back a cursor of a page"]);
}

const paramFilterSchema = z.record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()])));

function readLoopParams(given: string | undefined, { params }: Flat): ReadonlyMap<string, readonly string[]> {
  if (given === undefined) return new Map();
  const { data } = paramFilterSchema.safeParse(decoded(given));
  if (data === undefined) {
    throw badRequest("Invalid query parameter [loopParams]", [
      'loopParams: base64url of a JSON object such as {"day": ["1", "2"]}',
    ]);
  }
  const unknown = Object.keys(data).filter((name) => !params.includes(name));
  if (unknown.length > 0) {
    throw badRequest(`No loop around the step has a loop param [${unknown.join("], [")}]`, [
      `loopParams: must be of ${params.join(", ") || "none: they come out of an expression"}`,
    ]);
  }
  return new Map(Object.entries(data).map(([name, values]) => [name, values.map(String)]));
}

function decoded(text: string): unknown {
  try {
    const value = parseJson(Buffer.from(text, "base64url").toString());
    return isJsonObject(value) && !JSON.stringify(value).includes("\\u0000") ? value : undefined;
  } catch {
    return undefined;
  }
}

async function getIteration(call: Call, services: Services) {
  const id = call.path("iterationId");
  const flat = await flatOf(call, services);
  const rank = readIteration(id);
  if (rank?.length !== flat.levels.length) {
    const right = `iterationId: one number a loop from the outside in, joined by -: here ${flat.levels.length}`;
    throw badRequest(`Invalid iteration [${id}]`, [right]);
  }
  const step = await flatStep(services.sql, flat, rank);
  if (step === undefined) throw notFound(`Cannot find iteration [${id}] of step [${flat.stepId}].`);
  return iterationView(flat, step);
}

async function getSummary(call: Call, services: Services, query: QueryValues<typeof summaryQuery>) {
  const { statusCount, representative, valueCount } = query;
  const flat = await flatOf(call, services);
  return services.sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (sql) => {
    const counts = statusCount || representative ? await flatCounts(sql, flat) : [];
    const best = representative ? mostInteresting(counts) : undefined;
    const step = best && (await flatStep(sql, flat, best.rank));
    const page = { statuses: [], params: new Map(), beyond: undefined, direction: "up", limit: SAMPLE } as const;
    const sample = valueCount > 0 ? await flatPage(sql, flat, page) : [];
    return {
      ...(step && { representative_iteration: iterationView(flat, step) }),
      ...(statusCount && { count_by_status: Object.fromEntries(counts.map((it) => [it.status, it.count])) }),
      loop_param_values: valuesOf(flat, sample, valueCount),
    };
  });
}

function valuesOf({ params }: Flat, sample: readonly FlatStep[], most: number): Record<string, readonly string[]> {
  const values = params.map((name) => {
    const all = sample.flatMap((it) => (Object.hasOwn(it.params, name) ? [it.params[name] as string] : []));
    return [name, [...new Set(all)].slice(0, most)] as const;
  });
  return Object.fromEntries(values.filter(([, some]) => some.length > 0));
}

function iterationView({ workflowId, instanceId, stepId, depth }: Flat, step: FlatStep) {
  const { rank, attempt, runId, initiator } = step;
  const ancestors = initiator.ancestors.slice(depth);
  return {
    workflow_id: workflowId,
    workflow_instance_id: instanceId,
    workflow_run_id: ancestors[0]?.run_id ?? runId,
    step_id: stepId,
    iteration_rank: rankText(rank),
    step_attempt_seq: attemptSequence(ancestors, { runId, attemptId: attempt.attemptId }),
    leaf_step_instance_ref: {
      workflow_id: step.workflowId,
      workflow_instance_id: rank.at(-1) as number,
      workflow_run_id: runId,
      step_id: stepId,
      step_attempt_id: attempt.attemptId,
    },
    loop_params: step.params,
    step_runtime_state: stateView(attempt),
  };
}
