/** What a job reports of its outputs, taken with care: bad input is told to the job, where it can be mended. Pure. */
import type { Artifacts } from "../definition/timeline.ts";
import { badRequest } from "../error.ts";
import { isJsonObject, type JsonObject, stringifyJson } from "../json.ts";
import type { Params } from "../param/type.ts";
import { own } from "../record.ts";
import type { Reported } from "../step/model.ts";
import { DYNAMIC_OUTPUT, signalsProblem } from "../step/signal.ts";
import { MAX_OUTPUTS, mixedParams } from "./output.ts";

/** Artifacts that the engine reads, and a job may write. All others whose name begins so are the engine's, or a runtime's. */
const OPEN = new Set([DYNAMIC_OUTPUT, "maestro_retry"]);
const PREFIX = "maestro_";

/**
 * @param params parameters with their types, or plain values
 * @throws MaestroError BAD_REQUEST
 */
export function readReport(params: JsonObject, artifacts: JsonObject): Reported {
  const reported = { params: mixedParams(params), artifacts: readArtifacts(artifacts) };
  const empty = Object.keys(params).length + Object.keys(artifacts).length === 0;
  if (empty)
    throw badRequest("There are no outputs in the request", ["params, artifacts: one of them must hold something"]);
  const size = stringifyJson(onceOf(reported.params)).length + stringifyJson(artifacts).length;
  if (size > MAX_OUTPUTS) {
    throw badRequest(`The outputs have ${size} characters, more than ${MAX_OUTPUTS}`, [
      "params and artifacts count together, each value once; leave long texts where the job keeps its files",
    ]);
  }
  return { params: onceOf(reported.params), artifacts: reported.artifacts };
}

/** A value that follows from the result is not stored beside it; in a MAP it says the types of the entries. */
const onceOf = (params: Params): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, param]) => {
      if (param.type === "MAP") return [name, param];
      const { value: _, ...rest } = param;
      return [name, rest];
    }),
  );

function readArtifacts(artifacts: JsonObject): Artifacts {
  for (const [name, artifact] of Object.entries(artifacts)) {
    if (name.startsWith(PREFIX) && !OPEN.has(name)) {
      throw badRequest(`Artifact [${name}] is not for jobs to write`, [
        `artifacts.${name}: a name that begins with ${PREFIX} must be one of ${[...OPEN].join(", ")}`,
      ]);
    }
    if (!isJsonObject(artifact)) throw badRequest(`Artifact [${name}] must be an object`);
  }
  const retryable = (own(artifacts, "maestro_retry") as JsonObject | undefined)?.retryable;
  if (retryable !== undefined && typeof retryable !== "boolean") {
    throw badRequest("Artifact [maestro_retry.retryable] must be true or false");
  }
  const problem = signalsProblem(artifacts as Artifacts);
  if (problem !== undefined) throw badRequest(problem);
  return artifacts as Artifacts;
}
