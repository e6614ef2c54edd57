/** The API document against what the server takes and answers: examples, recorded requests, and its own replies. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Content, Contract, type Document, type Operation, only, type Parameter } from "../support/contract.ts";
import { apiFixture } from "./fixture.ts";

const root = join(import.meta.dir, "../..");
const compat = resolve(process.env.MAESTRO_COMPAT_DIR ?? join(root, "../shared/compat"));
const isPresent = existsSync(compat);
if (!isPresent) console.warn(`SKIPPED: recorded requests against the API document, since ${compat} is absent`);

const { call } = await apiFixture();
const contract = new Contract((await call("GET", "/openapi.json")).body);
const { document, operations } = contract;

const replyOf = ({ responses }: Operation): Content | undefined =>
  only(Object.entries(responses).find(([status]) => status.startsWith("2"))?.[1].content);
const requestOf = (operationId: string): object =>
  only(operations.find((it) => it.operationId === operationId)?.requestBody?.content)?.schema ?? { not: {} };

describe("the API document", () => {
  test.each(["openapi.json", "openapi-3.0.json"])(
    "is the one in openapi/, %s; bun scripts/openapi.ts writes it",
    async (name) => {
      const stored = JSON.parse(readFileSync(join(root, "openapi", name), "utf8")) as Document;
      const served = (await call("GET", `/${name}`)).body as Document;
      expect({ ...served, info: { ...served.info, version: stored.info.version } }).toEqual(stored);
    },
  );

  test("names every operation once, and the errors of each", () => {
    const ids = operations.map((it) => it.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operationId, responses } of operations) {
      expect([operationId, Object.keys(responses)]).toEqual([
        operationId,
        expect.arrayContaining(["400", "500", "503"]),
      ]);
    }
  });

  test("refers only to schemas that it holds, and holds none that nothing refers to", () => {
    const known = Object.keys(document.components.schemas);
    const referred = new Set(
      [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1] ?? ""),
    );
    expect([...referred].sort()).toEqual(known.sort());
    expect(known.length).toBeGreaterThan(60);
  });

  test("describes every operation and every parameter", () => {
    const missing = operations.flatMap(({ operationId, description, parameters }) => [
      ...(description ? [] : [operationId]),
      ...parameters.filter((it) => !it.description).map((it) => `${operationId} ${it.name}`),
    ]);
    expect(missing).toEqual([]);
  });

  test("has an example of every operation that is valid by its schemas", () => {
    const faults = operations.flatMap((operation) => {
      const contents = [only(operation.requestBody?.content), replyOf(operation)].filter((it) => it !== undefined);
      return contents.flatMap(({ schema, example }) => {
        const problem = example === undefined ? "has no example" : contract.wrong(schema, example);
        return problem === undefined ? [] : [`${operation.operationId}: ${problem}`];
      });
    });
    expect(faults).toEqual([]);
  });

  test("says in OpenAPI 3.0 the same without what 3.1 has brought", async () => {
    const earlier = (await call("GET", "/openapi-3.0.json")).body;
    expect(earlier.openapi).toBe("3.0.3");
    expect(Object.keys(earlier.paths)).toEqual(Object.keys(document.paths));
    expect(Object.keys(earlier.components.schemas)).toEqual(Object.keys(document.components.schemas));
    expect(earlier.components.schemas.PageInfo.properties).toMatchObject({
      start_cursor: { type: "string", nullable: true },
      start_index: { type: "integer", format: "int64", nullable: true, description: expect.any(String) },
    });
    const faults: string[] = [];
    walkSchemas(earlier, (schema, path) => {
      for (const keyword of ["const", "prefixItems", "$defs", "examples"]) {
        if (keyword in schema) faults.push(`${path}: ${keyword}`);
      }
      if (Array.isArray(schema.type) || schema.type === "null") faults.push(`${path}: ${schema.type}`);
      if ("$ref" in schema && Object.keys(schema).length > 1) faults.push(`${path}: a reference and more`);
    });
    expect(faults).toEqual([]);
  });

  test("has what generators trip over nowhere", () => {
    const faults: string[] = [];
    walkSchemas(document, ({ type, format, default: fallback, oneOf, properties, additionalProperties }, path) => {
      if (type === "integer" && format !== "int64") faults.push(`${path}: an integer without format`);
      if (type === "null" && !path.includes("/anyOf/")) faults.push(`${path}: nothing but null`);
      if (fallback !== undefined) faults.push(`${path}: a default`);
      if (Array.isArray(oneOf) && oneOf.some((it) => !("$ref" in (it as object)))) {
        faults.push(`${path}: a branch without a name`);
      }
      if (properties !== undefined && (additionalProperties ?? false) !== false) {
        faults.push(`${path}: an object with properties that is a map, too`);
      }
    });
    expect(faults).toEqual([]);
  });
});

describe("a parameter of a read", () => {
  const reads = operations.filter(({ method, parameters }) => method === "get" && parameters.length > 0);

  test("is refused outside of what the document says of it", async () => {
    const taken: string[] = [];
    for (const { operationId, path, parameters } of reads) {
      for (const parameter of parameters) {
        for (const value of outside(parameter)) {
          const { status } = await call("GET", pathWith(path, parameters, parameter, value));
          if (status !== 400) taken.push(`${operationId} ${parameter.name}=${value.slice(0, 20)}: ${status}`);
        }
      }
    }
    expect(taken).toEqual([]);
  });

  test("is taken at the bounds that the document says", async () => {
    const refused: string[] = [];
    for (const { operationId, path, parameters } of reads) {
      for (const parameter of parameters) {
        for (const value of inside(parameter)) {
          const { status, text } = await call("GET", pathWith(path, parameters, parameter, value));
          if (status !== 200 && status !== 404) refused.push(`${operationId} ${parameter.name}=${value}: ${text}`);
        }
      }
    }
    expect(refused).toEqual([]);
  });
});

/** A path in which one parameter has a value, and each other one that must be there a good one. */
function pathWith(path: string, all: readonly Parameter[], parameter: Parameter, value: string): string {
  const query = new URLSearchParams(parameter.in === "query" ? { [parameter.name]: value } : {});
  const isPage = all.some((it) => it.name === "first");
  if (isPage && !["first", "last"].includes(parameter.name)) query.set("first", "1");
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (parameter.in === "path" && name === parameter.name) return encodeURIComponent(value);
    const schema = all.find((it) => it.name === name)?.schema;
    return schema?.enum?.[0] ?? (schema?.type === "integer" || schema?.pattern ? "1" : "nobody");
  });
  return query.size === 0 ? filled : `${filled}?${query}`;
}

function outside({ schema }: Parameter): readonly string[] {
  if (schema.enum || schema.pattern || schema.type === "boolean") return ["nonsense"];
  if (schema.maxLength !== undefined) return ["x".repeat(schema.maxLength + 1)];
  if (schema.type !== "integer") return [];
  const { minimum, maximum } = schema;
  return [
    "nonsense",
    "1.5",
    ...[(minimum ?? Number.NaN) - 1, (maximum ?? Number.NaN) + 1].filter(Number.isFinite).map(String),
  ];
}

function inside({ schema }: Parameter): readonly string[] {
  if (schema.enum) return schema.enum;
  if (schema.pattern) return ["latest", "1"];
  if (schema.type === "boolean") return ["true", "false"];
  if (schema.type !== "integer") return schema.maxLength === undefined ? [] : ["x".repeat(schema.maxLength)];
  return [schema.minimum ?? 0, schema.maximum ?? Number.MAX_SAFE_INTEGER].map(String);
}

/** Every object of a document that may be a schema, with its place; properties of examples are none. */
function walkSchemas({ components, paths }: Document, visit: (schema: Record<string, unknown>, path: string) => void) {
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || path.endsWith("/example")) return;
    if (!path.endsWith("/properties")) visit(value as Record<string, unknown>, path);
    for (const [key, item] of Object.entries(value)) walk(item, `${path}/${key}`);
  };
  walk(components.schemas, "");
  walk(paths, "");
}

/** Definitions in a folder, parsed. */
function definitionsIn(folder: string): readonly (readonly [file: string, value: unknown])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(json|ya?ml)$/.test(file) && basename(file) !== "package.json")
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      return [file, file.endsWith(".json") ? JSON.parse(text) : Bun.YAML.parse(text)] as const;
    });
}

describe("requests that the server takes are valid by the document", () => {
  const push = requestOf("createWorkflow");
  const put = requestOf("putJobTemplate");
  const isTemplate = (file: string): boolean => file === "template/nap.yaml";

  test("every example", () => {
    const files = definitionsIn(join(root, "examples"));
    expect(files.length).toBeGreaterThan(8);
    expect(
      files
        .map(([file, value]) => [file, contract.wrong(isTemplate(file) ? put : push, value)])
        .filter(([, problem]) => problem !== undefined),
    ).toEqual([]);
  });

  test.skipIf(!isPresent)("every sample definition", async () => {
    const taken: string[] = [];
    const faults: string[] = [];
    for (const [file, value] of definitionsIn(join(compat, "samples"))) {
      if ((await call("PUT", "/api/v3/workflows/actions/validate", value)).status !== 200) continue;
      taken.push(file);
      const problem = contract.wrong(push, value);
      if (problem !== undefined) faults.push(`${file}: ${problem}`);
    }
    expect(faults).toEqual([]);
    expect(taken.length).toBeGreaterThan(10);
  });

  test.skipIf(!isPresent)("every recorded request that was answered with success", () => {
    const faults = recorded().flatMap(({ file, method, path, body, ok }) => {
      const operation = contract.find(method, path);
      const content = operation?.requestBody && only(operation.requestBody.content);
      if (!ok || content === undefined || body === undefined) return [];
      const problem = contract.wrong(content.schema, body);
      return problem === undefined ? [] : [`${file} ${method} ${path}: ${problem}`];
    });
    expect(faults).toEqual([]);
  });
});

interface Recorded {
  readonly file: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly ok: boolean;
}

interface Step {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly expect?: { readonly status?: number };
}

function recorded(): readonly Recorded[] {
  return definitionsIn(join(compat, "golden")).flatMap(([file, conversation]) =>
    ((conversation as { readonly steps: readonly Step[] }).steps ?? []).map(
      ({ method, path, body, expect: answer }) => ({
        file,
        method: method?.toLowerCase() ?? "",
        path: path?.split("?")[0] ?? "",
        body,
        ok: (answer?.status ?? 0) < 300,
      }),
    ),
  );
}
