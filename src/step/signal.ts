/** Signals that a job has decided to announce: its artifact `maestro_dynamic_output`, read. Pure. */
import { checkMaestroName } from "../definition/id.ts";
import type { SignalValue } from "../definition/signal.ts";
import type { Artifact, Artifacts } from "../definition/timeline.ts";
import { badRequest, toErrorData } from "../error.ts";
import { isJsonObject, isRawNumber, type Json, type JsonObject, jsonToLong } from "../json.ts";
import { own } from "../record.ts";

export const DYNAMIC_OUTPUT = "maestro_dynamic_output";

/** As the step shows it. */
export interface SignalOutput {
  readonly name: string;
  readonly params?: Readonly<Record<string, SignalValue>>;
  readonly payload?: JsonObject;
}

/**
 * One for each MAP param of `signal_outputs`: its entry `name` names the signal, texts and integers are the signal's
 * params, every other entry is payload.
 * @throws MaestroError BAD_REQUEST with the place of what can't be a signal
 */
export function dynamicSignals(artifact: Artifact): readonly SignalOutput[] {
  const { signal_outputs: outputs } = artifact as JsonObject;
  if (outputs === undefined || outputs === null) return [];
  const path = `${DYNAMIC_OUTPUT}.signal_outputs`;
  if (!Array.isArray(outputs)) throw wrong(path, "must be a list of MAP params");
  return outputs.map((output, index) => signalOf(output, `${path}[${index}]`));
}

function signalOf(output: Json, path: string): SignalOutput {
  const values = valuesOf(output);
  if (!values)
    throw wrong(path, 'must be a MAP param such as {"type": "MAP", "value": {"name": {"type": "STRING", …}}}');
  const name = own(values, "name");
  if (typeof name !== "string") throw wrong(`${path}.name`, "must be a text, the signal's name");
  const problem = checkMaestroName(name);
  if (problem) throw wrong(`${path}.name`, problem);
  const params: [string, SignalValue][] = [];
  const payload: [string, Json][] = [];
  for (const [key, value] of Object.entries(values)) {
    if (key === "name") continue;
    if (typeof value === "string") params.push([key, value]);
    else if (typeof value === "number" || isRawNumber(value)) params.push([key, integer(value, `${path}.${key}`)]);
    else payload.push([key, value]);
  }
  return {
    name,
    ...(params.length > 0 && { params: Object.fromEntries(params) }),
    ...(payload.length > 0 && { payload: Object.fromEntries(payload) }),
  };
}

function integer(value: Exclude<SignalValue, string>, path: string): SignalValue {
  if (jsonToLong(value) !== undefined) return value;
  throw wrong(path, "must be an integer of 64 bits: a signal's params are texts and integers");
}

/** Of a MAP param, as it was evaluated or as its literal says. */
function valuesOf(output: Json): JsonObject | undefined {
  if (!isJsonObject(output) || String(output.type).toUpperCase() !== "MAP") return undefined;
  if (isJsonObject(output.evaluated_result)) return output.evaluated_result;
  return isJsonObject(output.value) ? literalOf(output.value) : undefined;
}

const literalOf = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, entryOf(entry)]));

function entryOf(entry: Json): Json {
  if (!isJsonObject(entry)) return entry;
  if (entry.evaluated_result !== undefined) return entry.evaluated_result;
  return isJsonObject(entry.value) && String(entry.type).toUpperCase() === "MAP"
    ? literalOf(entry.value)
    : (entry.value ?? null);
}

/** Why the signals of an attempt can't be announced; undefined: they can, or there are none. */
export function signalsProblem(artifacts: Artifacts): string | undefined {
  const artifact = own(artifacts, DYNAMIC_OUTPUT);
  try {
    if (artifact) dynamicSignals(artifact);
    return undefined;
  } catch (error) {
    return toErrorData(error).message;
  }
}

/** What a step shows of its signals. */
export function signalsView(artifacts: Artifacts): Readonly<Record<string, unknown>> {
  const artifact = own(artifacts, DYNAMIC_OUTPUT);
  if (!artifact || signalsProblem(artifacts) !== undefined) return {};
  const outputs = dynamicSignals(artifact);
  const { info } = artifact as JsonObject;
  return { ...(outputs.length > 0 && { outputs }), ...(isJsonObject(info) && { info }) };
}

const wrong = (path: string, what: string) => badRequest(`The artifact [${path}] ${what}`);
