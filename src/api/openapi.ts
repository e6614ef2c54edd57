/** The API's description in OpenAPI 3.1, from the endpoints themselves. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ErrorCode } from "../error.ts";
import { Components, type JsonSchema } from "./component.ts";
import type { Endpoint } from "./endpoint.ts";
import { HTTP_STATUS } from "./error.ts";
import { EXAMPLES } from "./example.ts";
import { PATH, type Parameter, pathNames, USER } from "./parameter.ts";
import { errorSchema, problemSchema } from "./schema/common.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

const TAGS = [
  { name: "workflow", description: "Definitions, their versions and properties" },
  { name: "run", description: "Workflow instances and their runs" },
  { name: "step", description: "Attempts at steps" },
  { name: "log", description: "What attempts print" },
  { name: "queue", description: "Dead letters: work that was announced and given up" },
  { name: "control", description: "Breakpoints, permits, templates" },
  { name: "signal", description: "Signals" },
  { name: "system", description: "The server itself" },
];

const ERRORS: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAUTHORIZED: "The request does not say who sends it",
  FORBIDDEN: "Not for who sends it",
  BAD_REQUEST: "The request is not right: `message` says what, `errors` where and what would be",
  NOT_FOUND: "There is no such thing",
  REQUEST_TIMEOUT: "Not done in time",
  CONFLICT: "Something else is under way",
  PRECONDITION_FAILED: "The state at hand does not allow it",
  UNPROCESSABLE_ENTITY: "Not possible for this kind of thing",
  INTERNAL_ERROR: "The server failed",
  UNAVAILABLE: "The server can't do it now, as when its database is away: the same request may succeed later",
};

const STEP_TOKEN = {
  type: "http",
  scheme: "bearer",
  description: "Of an attempt at a step, for its job alone: a script has it in MAESTRO_STEP_TOKEN",
};

/** Beyond what an endpoint names. */
const ALWAYS: readonly ErrorCode[] = ["BAD_REQUEST", "INTERNAL_ERROR", "UNAVAILABLE"];

/** @param version of the program */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): OpenApiDocument {
  const components = new Components();
  const described = endpoints.map((endpoint) => [endpoint, operationOf(endpoint, components)] as const);
  const { schemas, resolve } = components.finish();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [{ path, method }, operation] of described) {
    const methods = paths[path] ?? {};
    methods[method] = resolve(operation);
    paths[path] = methods;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Maestro",
      version,
      description: "Workflow orchestrator; wire-compatible with Netflix Maestro's REST API v3.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
    tags: TAGS,
    paths,
    components: { schemas, securitySchemes: { stepToken: STEP_TOKEN } },
  } as OpenApiDocument;
}

function operationOf(endpoint: Endpoint, components: Components): JsonSchema {
  const { operationId, summary, description, tag, reply, body } = endpoint;
  const example = EXAMPLES[operationId];
  return {
    operationId,
    summary,
    description,
    tags: [tag],
    ...(endpoint.bearer === true && { security: [{ stepToken: [] }] }),
    parameters: parametersOf(endpoint, components),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          [body.contentType ?? "application/json"]: {
            schema: components.input(body.schema),
            ...(example?.request !== undefined && { example: example.request }),
          },
        },
      },
    }),
    responses: {
      [reply.status ?? 200]: {
        description: reply.description,
        ...(reply.schema && {
          content: {
            [reply.contentType ?? "application/json"]: {
              schema: components.output(reply.schema),
              ...(example?.reply !== undefined && { example: example.reply }),
            },
          },
        }),
      },
      ...errorsOf(endpoint, components),
      ...refusalsOf(endpoint, components),
    },
  };
}

/** What is wrong with a request before its endpoint sees it. */
function refusalsOf({ method, body, errors = [] }: Endpoint, components: Components) {
  const content = { "application/problem+json": { schema: components.output(problemSchema) } };
  const forbidden = errors.includes("FORBIDDEN") && { "application/json": { schema: components.output(errorSchema) } };
  const door = "The header Host or Origin is none that the server answers to";
  return {
    403: {
      description: forbidden ? `${ERRORS.FORBIDDEN}; or: ${door}` : door,
      content: { ...content, ...forbidden },
    },
    ...(body && { 413: { description: "The body is longer than the server takes", content } }),
    ...(method !== "get" && { 415: { description: "The body is not of the type that the endpoint takes", content } }),
  };
}

function parametersOf({ path, query, caller }: Endpoint, components: Components): readonly JsonSchema[] {
  const shown = (name: string, place: string, required: boolean, { schema, description }: Parameter<unknown>) => ({
    name,
    in: place,
    required,
    schema: components.input(schema),
    description,
  });
  return [
    ...pathNames(path).map((name) => shown(name, "path", true, PATH[name])),
    ...Object.entries(query ?? {}).map(([name, parameter]) => {
      const { description, otherwise, isRequired = false } = parameter;
      const hasDefault = !isRequired && otherwise !== undefined && !Array.isArray(otherwise);
      return shown(name, "query", isRequired, {
        ...parameter,
        description: hasDefault ? `${description}. Default: ${otherwise}` : description,
      });
    }),
    ...(caller === true ? [shown("user", "header", true, USER)] : []),
  ];
}

function errorsOf({ errors }: Endpoint, components: Components): Readonly<Record<string, unknown>> {
  const codes = [...new Set([...ALWAYS, ...(errors ?? [])])];
  const entries = codes.map((code) => [
    HTTP_STATUS[code],
    {
      description: ERRORS[code] ?? code,
      content: {
        "application/json": { schema: components.output(errorSchema) },
        ...(code === "BAD_REQUEST" && { "application/problem+json": { schema: components.output(problemSchema) } }),
      },
    },
  ]);
  return Object.fromEntries(entries);
}
