/** What a job reports of its outputs. */
import { z } from "zod";
import { artifactSchema } from "../../definition/timeline.ts";
import { instant, mapOf, open, text } from "../../definition/wire.ts";

/** Upstream's request. Whose outputs they are says the token. */
export const outputDataRequestSchema = open({
  params: mapOf(z.unknown()).optional().meta({
    description:
      "By param of the step: a parameter (`type`, and `value` or `evaluated_result`), or a plain value, which gets the type that it shows",
  }),
  artifacts: mapOf(artifactSchema).optional().meta({
    description:
      "`maestro_retry` ends the retries of an attempt that fails, `maestro_dynamic_output` names signals; any other name must not begin with `maestro_`",
  }),
  workflow_id: text.optional().meta({ description: "Of the attempt's run; refused when it is another's" }),
  external_job_type: text.optional().meta({ description: "Not looked at" }),
  external_job_id: text.optional().meta({ description: "Not looked at" }),
  created_time: instant.optional().meta({ description: "Not looked at" }),
}).meta({ id: "StepOutputDataRequest", description: "Further keys are not looked at" });
