/** What a user of the generated types writes: push, start, wait, read. The argument is the server's address. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Run = components["schemas"]["WorkflowInstance"];
type Step = components["schemas"]["StepInstance"];

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" });
const header = { user: "generated" };
const workflowId = "typescript-client";

/** The answer's body; a refusal ends the program with what the server said. */
function must<T>({ data, error }: { readonly data?: T | undefined; readonly error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const pushed = must(
  await client.POST("/api/v3/workflows", {
    params: { header },
    body: {
      properties: { owner: "generated", run_strategy: "PARALLEL" },
      workflow: {
        id: workflowId,
        params: { day: { type: "LONG", value: 20260301 } },
        steps: [
          { step: { id: "first", type: "NoOp", transition: { successors: { second: "day > 0" } } } },
          { step: { id: "second", type: "NoOp" } },
        ],
      },
    },
  }),
);
const version: number = pushed.workflow_definition.metadata.workflow_version_id;

const started = must(
  await client.POST("/api/v3/workflows/{workflowId}/versions/{version}/actions/start", {
    params: { header, path: { workflowId, version: String(version) } },
    body: { initiator: { type: "manual" }, run_params: { day: { type: "LONG", value: 20260302 } } },
  }),
);
const instanceId: number = started.workflow_instance_id;

const run: Run = must(
  await client.GET("/api/v3/workflows/{workflowId}/instances/{instanceId}/runs/{run}", {
    params: { path: { workflowId, instanceId, run: "latest" }, query: { wait: 30 } },
  }),
);
const steps: readonly Step[] = must(
  await client.GET("/api/v3/workflows/{workflowId}/instances/{instanceId}/steps", {
    params: { path: { workflowId, instanceId } },
  }),
);
const listed = must(await client.GET("/api/v3/runs", { params: { query: { workflow_id: workflowId, limit: 1 } } }));

console.log(JSON.stringify({ version, status: run.status, steps: steps.length, listed: listed.elements.length }));
