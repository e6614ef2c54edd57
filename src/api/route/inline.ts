/** Where the bodies of loops are: the workflow id of a body from the way to it, and the way from the id. */
import { z } from "zod";
import { type Ancestor, isInline, isUpstream } from "../../definition/initiator.ts";
import { nestedSteps, type Step, stepIdOf, stepOf } from "../../definition/step.ts";
import { isStorable } from "../../definition/storable.ts";
import { badRequest, notFound } from "../../error.ts";
import { type Json, parseJson } from "../../json.ts";
import { bodyHash, bodyPrefix, isInlineId, wholeInstance } from "../../run/inline.ts";
import type { Run } from "../../run/model.ts";
import { loadRun } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { text } from "../parameter.ts";
import type { Services } from "../service.ts";
import { noRun } from "./run.ts";

const BASE = "/api/v3/workflows";
/** Hops of a way: more than runs may be nested deep. */
const MOST = 20;

const id = z.string().min(1).max(512).refine(isStorable, "holds a NUL");
const hopSchema = z
  .object({
    workflow_id: id.optional().meta({ description: "May be left out after a loop's step: it follows from the way" }),
    instance_id: z.int().min(1),
    run_id: z.int().min(0).optional().meta({ description: "0 or absent: the latest" }),
    step_id: id.nullable().optional().meta({ description: "Absent in the last hop: the hop's own workflow" }),
    step_attempt_id: z.int().min(0).optional(),
    sync: z.boolean().optional(),
  })
  .meta({ id: "InlineHop" });
const waySchema = z.array(hopSchema).min(1).max(MOST).meta({ id: "InlineWay" });
type Hop = z.infer<typeof hopSchema>;

const hopReplySchema = z
  .strictObject({
    workflow_id: z.string(),
    instance_id: z.int(),
    run_id: z.int(),
    step_id: z.string().optional(),
    step_attempt_id: z.int(),
    sync: z.boolean().optional(),
  })
  .meta({ id: "InlinePathHop" });
const inlineIdSchema = z.string().meta({ id: "InlineWorkflowId" });

const SUMMARY = "The workflow id of a loop's body, from the way to the loop";
const DESCRIPTION =
  "The way leads from a run through the steps that have started other runs: after a loop's step the next hop is an iteration. The iterations need not be there yet.";

export function inlineRoutes(router: Router): void {
  const reply = { description: "The workflow id, as a JSON text", schema: inlineIdSchema };
  router.add(
    {
      method: "get",
      path: `${BASE}/instances/inline-workflow-id`,
      operationId: "getInlineWorkflowId",
      summary: SUMMARY,
      description: DESCRIPTION,
      tag: "run",
      query: { path: text("The way as JSON: an array of hops, as `findInlineWorkflowId` takes it") },
      reply,
      errors: ["NOT_FOUND"],
    },
    async (_call, services, { path }) => inlineIdAt(services, wayOf(parsed(path))),
  );
  router.add(
    {
      method: "post",
      path: `${BASE}/instances/inline-workflow-id`,
      operationId: "findInlineWorkflowId",
      summary: SUMMARY,
      description: DESCRIPTION,
      tag: "run",
      body: { schema: waySchema },
      reply,
      errors: ["NOT_FOUND"],
    },
    async (call, services) => inlineIdAt(services, wayOf(await call.body())),
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/instances/{instanceId}/inline-path`,
      operationId: "getInlinePath",
      summary: "The way to an iteration of a loop",
      description:
        "From the nearest run that is no iteration: the steps that have led to it, and the iteration itself.",
      tag: "run",
      reply: {
        description: "The hops, from the outside to the inside",
        schema: z.array(hopReplySchema).meta({ id: "InlinePath" }),
      },
      errors: ["NOT_FOUND"],
    },
    inlinePath,
  );
}

async function inlinePath(call: Call, { sql }: Services) {
  const [workflowId, instanceId] = [call.path("workflowId"), call.path("instanceId")];
  const run = await loadRun(sql, workflowId, instanceId, "latest");
  if (run === undefined) throw noRun(workflowId, instanceId, "latest");
  const { initiator } = run;
  if (!isInline(initiator) || !isUpstream(initiator)) {
    throw badRequest(`The run [${workflowId}][${instanceId}] is no iteration of a loop`, [
      "workflowId: the workflow id of a loop's body, as artifacts of loops name it",
    ]);
  }
  const from = initiator.ancestors.findLastIndex((hop) => !isInlineId(hop.workflow_id));
  const own = { workflow_id: workflowId, instance_id: instanceId, run_id: 0, step_attempt_id: 0 };
  return [...initiator.ancestors.slice(from), own];
}

/** The body of a GET, where upstream has it, never gets here. */
function parsed(path: string | undefined): Json {
  if (path === undefined) {
    const right = "send it as the query parameter path, or POST it as the body: the body of a GET is not read";
    throw badRequest("The request has no way to a loop", [right]);
  }
  try {
    return parseJson(path);
  } catch (error) {
    throw badRequest("Invalid query parameter [path]", [`path: ${error instanceof Error ? error.message : error}`]);
  }
}

function wayOf(json: Json): readonly Hop[] {
  const { data, error } = waySchema.safeParse(json);
  if (data !== undefined) return data;
  throw badRequest(
    "The way to the loop is not good",
    error.issues.map(({ path, message }) => `path${path.map(keyText).join("")}: ${message}`),
  );
}

const keyText = (key: PropertyKey): string => (typeof key === "number" ? `[${key}]` : `.${String(key)}`);

/** Where the way has come to: a run, or a loop's body around which the run is, whether or not it has iterations. */
interface Place {
  readonly workflowId: string;
  readonly run: Run;
  readonly steps: readonly Step[];
}

async function inlineIdAt({ sql, reader }: Services, way: readonly Hop[]): Promise<string> {
  let body: Place | undefined;
  for (const [index, hop] of way.entries()) {
    const at = await placeOf(index, hop, body);
    if (hop.step_id == null) {
      if (index < way.length - 1) throw badHop(index, "step_id", "only the last hop may do without it");
      if (isInlineId(at.workflowId)) return at.workflowId;
      throw badHop(index, "step_id", "must be the id of a loop's step: the way leads into no loop");
    }
    const step = at.steps.find((it) => stepIdOf(it) === hop.step_id);
    const kind = step && stepOf(step).kind;
    if (step !== undefined && (kind === "foreach" || kind === "while")) {
      const prefix = bodyPrefix(kind, at.run.internalId, wholeInstance(at.run));
      const workflowId = prefix + bodyHash(hop.step_id, hop.instance_id, at.workflowId);
      body = { workflowId, run: at.run, steps: nestedSteps(step) };
    } else if (kind === "subworkflow" && index < way.length - 1) body = undefined;
    else throw badHop(index, "step_id", step ? "is no loop's step" : `workflow [${at.workflowId}] has no such step`);
  }
  return (body as Place).workflowId;

  async function placeOf(index: number, hop: Hop, inside: Place | undefined): Promise<Place> {
    const { workflow_id: workflowId, instance_id: instanceId, run_id: runId } = hop;
    if (inside !== undefined) {
      if (workflowId === undefined || workflowId === inside.workflowId) return inside;
      throw badHop(index, "workflow_id", `must be [${inside.workflowId}], or left out`);
    }
    if (workflowId === undefined) throw badHop(index, "workflow_id", "is needed: no loop's step comes before it");
    const run = await loadRun(sql, workflowId, instanceId, runId || "latest");
    if (run === undefined) throw notFound(noRun(workflowId, instanceId, runId || "latest").message);
    return { workflowId, run, steps: (await reader.workflow(run)).steps };
  }
}

const badHop = (index: number, field: keyof Ancestor, right: string) =>
  badRequest("The way to the loop is not good", [`path[${index}].${field}: ${right}`]);
