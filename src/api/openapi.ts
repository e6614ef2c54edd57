/** The API's description in OpenAPI 3.1, from the endpoints themselves. */
import type { OpenAPIHono } from "@hono/zod-openapi";

export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

const TAGS = [
  { name: "workflow", description: "Definitions, their versions and properties" },
  { name: "run", description: "Workflow instances and their runs" },
  { name: "step", description: "Attempts at steps" },
  { name: "log", description: "What attempts print" },
  { name: "control", description: "Breakpoints, permits, templates" },
  { name: "signal", description: "Signals" },
  { name: "system", description: "The server itself" },
];

/** @param version of the program */
export function openApiDocument(app: OpenAPIHono, version: string): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Maestro",
      version,
      description: "Workflow orchestrator; wire-compatible with Netflix Maestro's REST API v3.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    tags: TAGS,
    servers: [{ url: "/" }],
  });
  const schemas = document.components?.schemas ?? {};
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, components: { schemas: sorted } };
}
