/** Reading a start request: the rules beyond its wire shape. What its params evaluate to is the engine's part. */
import { at, collect, type Report } from "../definition/finding.ts";
import type { Initiator } from "../definition/initiator.ts";
import { DEFAULT_LIMITS } from "../definition/limit.ts";
import { parseWire } from "../definition/parse.ts";
import { checkParams, checkTags } from "../definition/rule/param.ts";
import type { Tag } from "../definition/tag.ts";
import type { Artifact } from "../definition/timeline.ts";
import { badRequest, MaestroError } from "../error.ts";
import { isUuid } from "../id.ts";
import { RESERVED_PARAM_NAMES } from "../param/order.ts";
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import type { Call } from "./call.ts";
import type { RunCommand, StartReply, StartRequest } from "./port.ts";
import { startRequestSchema } from "./schema/run.ts";
import type { Services } from "./service.ts";

const INVALID = "Invalid workflow start request";
const MAX_PARAMS = 128;
interface WireStartRequest {
  readonly initiator: Initiator;
  readonly request_time?: number | undefined;
  readonly request_id?: string | undefined;
  readonly runtime_tags?: readonly Tag[] | undefined;
  readonly run_params?: ParamDefinitions | undefined;
  readonly artifacts?: Readonly<Record<string, Artifact>> | undefined;
  readonly persist_failed_run?: boolean | undefined;
}

/** Has the engine make a run. @throws MaestroError as the engine decides */
export function startRun(call: Call, { engine, outage }: Services, command: RunCommand): Promise<StartReply> {
  return engine
    .start(command, (is) => call.evaluating(is))
    .catch((error) => {
      if (error instanceof MaestroError && error.code === "UNAVAILABLE") outage.begun(error);
      throw error;
    });
}

/**
 * @param now epoch ms, for a request without a time
 * @throws BAD_REQUEST with one detail per finding
 */
export function parseStartRequest(json: unknown, user: string, now: number): StartRequest {
  const request = parseWire(startRequestSchema, json, INVALID) as WireStartRequest;
  const { report, lines } = collect();
  checkInitiator(request.initiator, report);
  checkTags(request.runtime_tags, "runtime_tags", DEFAULT_LIMITS, report);
  checkRunParams(request.run_params, "run_params", report);
  if (request.request_id !== undefined && !isUuid(request.request_id)) {
    report("request_id", "is not a UUID; write one such as 4f3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e6f");
  }
  if (lines.length > 0) throw badRequest(INVALID, lines);
  const { initiator } = request;
  return {
    initiator: initiator.type === "MANUAL" ? { ...initiator, user } : initiator,
    requestTime: request.request_time ?? now,
    requestId: request.request_id?.toLowerCase(),
    runtimeTags: request.runtime_tags,
    runParams: request.run_params,
    artifacts: request.artifacts,
    persistFailedRun: request.persist_failed_run ?? false,
  };
}

function checkInitiator({ type }: Initiator, report: Report): void {
  if (type === "MANUAL" || type === "TIME" || type === "SIGNAL") return;
  report("initiator.type", `${type} runs are started by steps only; use MANUAL`);
}

/** Params that a request brings. */
export function checkRunParams(params: ParamDefinitions | undefined, path: string, report: Report): void {
  const entries = Object.entries(params ?? {});
  if (entries.length > MAX_PARAMS) report(path, `has ${entries.length} params; at most ${MAX_PARAMS} are allowed`);
  checkParams(params, path, DEFAULT_LIMITS, report);
  for (const [name, param] of entries) {
    if (RESERVED_PARAM_NAMES.has(name)) report(at(path, name), "this name is reserved");
    checkSource(param, at(path, name), report);
  }
}

function checkSource(param: ParamDefinition, path: string, report: Report): void {
  if (param.source !== undefined)
    report(at(path, "source"), "the source of a param is set by the server; leave it out");
  if (param.type !== "MAP" || param.value === undefined) return;
  for (const [name, nested] of Object.entries(param.value as ParamDefinitions)) {
    checkSource(nested, at(at(path, "value"), name), report);
  }
}
