/** A step type of a process as the rest of the program sees it: like any other. */
import { defineStepType, type StepContext, type StepResult, type StepType } from "@maestro/sdk";
import { paramDefinitionsSchema } from "../../definition/parameter.ts";
import type { Operation } from "../protocol.ts";
import { issues } from "../result.ts";
import type { DescribedType } from "./message.ts";
import type { Compile } from "./schema.ts";

/** @throws Error when its name or schema can't be used */
export function stepTypeOf(
  described: DescribedType,
  compile: Compile,
  call: (op: Operation, context: StepContext<unknown>) => Promise<StepResult>,
): StepType {
  const { type, version, title, description, params, defaultParams } = described;
  const { error } = paramDefinitionsSchema.safeParse(defaultParams ?? {});
  if (error) throw new Error(`defaultParams: ${issues(error.issues).join("; ")}`);
  const defined = defineStepType({
    ...{ type, version, title, description, defaultParams },
    params: compile(params),
    start: (context) => call("start", context),
    execute: (context) => call("execute", context),
    terminate: (context) => call("terminate", context),
  });
  return { ...defined, schema: () => params };
}
