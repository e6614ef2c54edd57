/** The `params.*` functions: what the scope knows is answered here, the rest asks a narrow port. */
import { type Json, longToJson } from "../json.ts";
import { ExtensionRequest, type SelExtension, type SelValue } from "../sel/index.ts";
import { toSel } from "./literal.ts";
import { type EvaluationContext, type StepScope, stepParam } from "./scope.ts";
import type { ParamType } from "./type.ts";

const text = (value: string): SelValue => ({ type: "STRING", value });
const long = (value: number): SelValue => ({ type: "LONG", value: BigInt(value) });

/** The functions as SEL calls them. `step` is absent while workflow params are evaluated. */
export function selExtension(context: EvaluationContext, step?: StepScope): SelExtension {
  let ids = 0;
  const outside = context.extension;
  return {
    call(method, args) {
      const [a = "", b = "", c = ""] = args;
      switch (`${method}/${args.length}`) {
        case "getFromInstance/1":
          return instanceField(context, a, step === undefined);
        case "getFromStep/1":
          return stepField(step, a);
        case "getFromStep/2":
          return fromStep(step, a, b);
        case "getFromSignal/1":
          return outside.getFromTrigger(a);
        case "getFromSignal/2":
          return outside.getFromSignal(a, b);
        case "getFromSignalOrDefault/3":
          return orDefault(() => outside.getFromSignal(a, b), c);
        case "getFromSignalDependency/2":
          return outside.getFromSignalDependency(dependencyIndex(a), b);
        case "getFromForeach/3":
          return outside.getFromForeach(a, b, c);
        case "getFromSubworkflow/3":
          return outside.getFromSubworkflow(a, b, c);
        case "nextUniqueId/0":
          return { type: "LONG", value: outside.nextUniqueId(ids++) };
        case "getExecutionEnvironment/0":
          return text(outside.getExecutionEnvironment());
        default:
          throw new Error(`params has no function ${method} with ${args.length} arguments`);
      }
    },
  };
}

function orDefault(ask: () => SelValue, otherwise: string): SelValue {
  try {
    return ask();
  } catch (error) {
    if (error instanceof ExtensionRequest) throw error;
    return text(otherwise);
  }
}

function dependencyIndex(argument: string): number {
  if (!/^\d+$/.test(argument)) throw new Error(`[${argument}] is not the index of a signal dependency`);
  return Number(argument);
}

function instanceField({ instance }: EvaluationContext, field: string, workflowLevel: boolean): SelValue {
  switch (field) {
    case "INITIATOR_TIMEZONE":
      return text(instance.initiator_timezone ?? "");
    case "INITIATOR_TYPE":
      return text(instance.initiator_type);
    case "INITIATOR_RUNNER_NAME":
      if (instance.initiator_type === "MANUAL") return text(instance.initiator_runner_name ?? "");
      throw new Error("INITIATOR_RUNNER_NAME is known for MANUAL runs only");
    case "RUN_POLICY":
      return text(instance.run_policy);
    case "workflow_id":
      return text(instance.workflow_id);
    case "workflow_instance_id":
      return idOrEmpty(instance.workflow_instance_id);
    case "workflow_run_id":
      return idOrEmpty(instance.workflow_run_id);
    case "owner":
    case "FIRST_TIME_TRIGGER_TIMEZONE":
      if (!workflowLevel) throw new Error(`${field} is known to workflow params only`);
      return text((field === "owner" ? instance.owner : instance.first_time_trigger_timezone) ?? "");
    default:
      throw new Error(`an instance has no field [${field}]`);
  }
}

function idOrEmpty(id: number | undefined): SelValue {
  return id === undefined ? text("") : long(id);
}

function stepField(step: StepScope | undefined, field: string): SelValue {
  if (!step) throw new Error("getFromStep with one argument works inside a step only");
  const { facts } = step;
  switch (field) {
    case "step_id":
      return text(facts.step_id);
    case "step_instance_uuid":
      return text(facts.step_instance_uuid);
    case "step_type_info":
      return text(facts.step_type_info);
    case "step_instance_id":
      return long(facts.step_instance_id);
    case "step_attempt_id":
      return long(facts.step_attempt_id);
    case "MAESTRO_STEP_ERROR_RETRIES":
      return long(facts.error_retries);
    default:
      throw new Error(`a step has no field [${field}]`);
  }
}

function fromStep(step: StepScope | undefined, stepId: string, name: string): SelValue {
  const finished = step?.finished(stepId);
  if (!finished) throw new Error(`step [${stepId}] is not a finished step of this run`);
  if (name === "MAESTRO_STEP_STATUS") return text(finished.status);
  if (name === "MAESTRO_STEP_END_TIME") {
    if (finished.end_time === undefined) throw new Error(`step [${stepId}] has no end time`);
    return long(finished.end_time);
  }
  const param = stepParam(finished.params, name);
  if (param?.evaluated_result === undefined) throw new Error(`step [${stepId}] has no evaluated param [${name}]`);
  return toSel(param.type, param.evaluated_result);
}

/** A value of an extension as an evaluated result with its type. */
export function typedResult(value: SelValue): { readonly type: ParamType; readonly result: Json } {
  if (value.type === "LONG") return { type: "LONG", result: longToJson(value.value) };
  if (value.type === "STRING") return { type: "STRING", result: value.value };
  throw new Error(`a signal param is a STRING or a LONG, not a ${value.type}`);
}
