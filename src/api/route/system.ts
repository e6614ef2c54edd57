/** The server about itself: liveness, readiness, metrics, version, step types, and its own documentation. */
import { z } from "zod";
import { metrics } from "../../metric.ts";
import { docsPage } from "../docs.ts";
import { earlierDocument } from "../earlier.ts";
import type { Router } from "../endpoint.ts";
import type { OpenApiDocument } from "../openapi.ts";
import type { Services } from "../service.ts";

const status = z.strictObject({ status: z.string(), problems: z.array(z.string()).optional() }).meta({ id: "Health" });

const stepType = z
  .strictObject({
    type: z.string(),
    runnable: z.boolean().meta({ description: "false: accepted in definitions; a run of it fails with the reason" }),
    title: z.string().optional(),
    description: z.string().optional(),
    schema: z.looseObject({}).optional().meta({ description: "JSON Schema of the MAP param named after the type" }),
    defaultParams: z.looseObject({}).optional(),
  })
  .meta({ id: "StepType" });

/** @param document the API's own description, made when it is first asked for */
export function systemRoutes(router: Router, document: () => OpenApiDocument): void {
  healthRoutes(router);
  router.add(
    {
      method: "get",
      path: "/version",
      operationId: "getVersion",
      summary: "The program's version",
      description: "As the command line's `version` prints it.",
      tag: "system",
      local: true,
      reply: { description: "The version", schema: z.strictObject({ version: z.string() }).meta({ id: "Version" }) },
    },
    (_call, { config }) => ({ version: config.version }),
  );
  router.add(
    {
      method: "get",
      path: "/api/v3/step-types",
      operationId: "listStepTypes",
      summary: "Step types that a definition may name",
      description: "Names are read in any case.",
      tag: "system",
      local: true,
      reply: { description: "Built-in ones, and those of plugins", schema: z.array(stepType) },
    },
    (_call, { engine }) => engine.stepTypes(),
  );
  router.add(
    {
      method: "get",
      path: "/openapi.json",
      operationId: "getOpenApi",
      summary: "This document",
      description: "OpenAPI 3.1, made from the endpoints that the server has.",
      tag: "system",
      local: true,
      reply: { description: "OpenAPI 3.1", schema: z.looseObject({}) },
    },
    () => document(),
  );
  router.add(
    {
      method: "get",
      path: "/openapi-3.0.json",
      operationId: "getEarlierOpenApi",
      summary: "This document for generators that read no later OpenAPI than 3.0",
      description: "OpenAPI 3.0.3 with the same operations and schemas.",
      tag: "system",
      local: true,
      reply: { description: "OpenAPI 3.0.3", schema: z.looseObject({}) },
    },
    () => earlierDocument(document()),
  );
  router.add(
    {
      method: "get",
      path: "/docs",
      operationId: "getDocs",
      summary: "The API reference as a page",
      description: "The document as one page without anything from elsewhere.",
      tag: "system",
      local: true,
      reply: { description: "HTML", schema: z.string(), contentType: "text/html" },
    },
    () => new Response(docsPage(document()), { headers: { "content-type": "text/html; charset=utf-8" } }),
  );
}

function healthRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: "/livez",
      operationId: "getLiveness",
      summary: "Whether the process answers",
      description: "Looks at nothing but itself: 200 as long as the process answers.",
      tag: "system",
      local: true,
      reply: { description: "It does", schema: status },
    },
    () => ({ status: "ok" }),
  );
  router.add(
    {
      method: "get",
      path: "/readyz",
      operationId: "getReadiness",
      summary: "Whether the server can take work: its database answers and its engine owns flows",
      description: "503 with the problems when the database takes no write, or the engine owns no flows.",
      tag: "system",
      local: true,
      reply: { description: "It can", schema: status },
      errors: ["UNAVAILABLE"],
    },
    readiness,
  );
  router.add(
    {
      method: "get",
      path: "/metrics",
      operationId: "getMetrics",
      summary: "Metrics in Prometheus' text format",
      description: "Counters, gauges and histograms of this node.",
      tag: "system",
      local: true,
      reply: { description: "Metrics", schema: z.string(), contentType: "text/plain" },
    },
    () => new Response(metrics.print(), { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } }),
  );
}

async function readiness(_call: unknown, { readiness, engine }: Services) {
  const { ready, problems } = engine.health();
  const problem = await readiness.problem();
  const all = problem === undefined ? problems : [...problems, problem];
  if (ready && all.length === 0) return { status: "ok" };
  return Response.json({ status: "unavailable", problems: all }, { status: 503 });
}
