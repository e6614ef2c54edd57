/** What jobs report of their outputs while they run. */
import { pause } from "../../clock.ts";
import { parseWire } from "../../definition/parse.ts";
import { conflict, MaestroError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import { readReport } from "../../runtime/report.ts";
import type { TokenRef } from "../../runtime/token.ts";
import { isTerminal } from "../../step/status.ts";
import { loadAttemptStatus } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { outputDataRequestSchema } from "../schema/output.ts";
import type { Services } from "../service.ts";

const PATH = "/api/v3/output-data";
/** After each try at the owner of a step, ms: a run changes hands in less than their sum, unless a node has died. */
const WAITS = [50, 100, 200, 400, 800];

export function outputRoutes(router: Router): void {
  router.add(
    {
      method: "put",
      path: PATH,
      operationId: "putOutputData",
      summary: "Report outputs of a step's job, from within the job",
      description:
        "The job proves itself with the token that its runtime gave it. The outputs are merged into the step's params when the job has ended: below what it puts out otherwise, name by name. A later report replaces an earlier one whole. A param that the step does not have fails the step at its end. Refused with 409 once the job has ended, or is to.",
      tag: "step",
      bearer: true,
      body: { schema: outputDataRequestSchema },
      reply: { description: "Stored" },
      errors: ["UNAUTHORIZED", "FORBIDDEN", "CONFLICT"],
    },
    putOutputData,
  );
}

async function putOutputData(call: Call, services: Services): Promise<Response> {
  const attempt = attemptOf(call, services);
  const body = parseWire(outputDataRequestSchema, await call.body(), "Invalid output data");
  const reported = readReport((body.params ?? {}) as JsonObject, (body.artifacts ?? {}) as JsonObject);
  const { groupId, uuid } = attempt;
  const report = { groupId, uuid, workflowId: body.workflow_id, reported };
  for (const wait of WAITS) {
    switch (await services.engine.report(report)) {
      case "stored":
        return new Response(null);
      case "foreign":
        throw new MaestroError("FORBIDDEN", `The token is of no attempt of workflow [${report.workflowId}].`);
      case "late":
        throw tooLate(attempt);
      case "unknown":
        await checkUnderWay(attempt, services);
        await pause(services.clock, wait);
    }
  }
  const message = "The owner of the step can't be reached; send this request again in a moment.";
  throw new MaestroError("UNAVAILABLE", message, { retryable: true });
}

/** @throws UNAUTHORIZED, FORBIDDEN */
function attemptOf({ context }: Call, { engine }: Services): TokenRef {
  const [, token] = /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "") ?? [];
  if (token === undefined) {
    throw new MaestroError("UNAUTHORIZED", "The request needs the token of the job's attempt.", {
      details: ["send the header Authorization: Bearer TOKEN; a script has it in MAESTRO_STEP_TOKEN"],
    });
  }
  const attempt = engine.readToken(token);
  if (attempt === undefined) throw new MaestroError("FORBIDDEN", "The token is none that this server has issued.");
  return attempt;
}

/** No owner has the attempt: if it has not ended, its run is between two owners. @throws CONFLICT */
async function checkUnderWay(attempt: TokenRef, { sql }: Services): Promise<void> {
  const status = await loadAttemptStatus(sql, attempt);
  if (status === undefined || isTerminal(status)) throw tooLate(attempt);
}

const tooLate = ({ uuid }: TokenRef): MaestroError =>
  conflict(`The outputs come too late: the job of attempt ${uuid} has ended, or is being ended.`);
