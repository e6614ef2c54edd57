/** The API document against what the server takes and answers: examples, recorded requests, and its own replies. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Content, Contract, type Document, type Operation, only } from "../support/contract.ts";
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
  test("is the one in openapi/; bun scripts/openapi.ts writes it", () => {
    const stored = JSON.parse(readFileSync(join(root, "openapi/openapi.json"), "utf8")) as Document;
    const { version } = stored.info;
    expect({ ...document, info: { ...document.info, version } }).toEqual(stored);
  });

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

  test("has what generators trip over nowhere", () => {
    const faults: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      const { type, format, default: fallback, oneOf } = value as Readonly<Record<string, unknown>>;
      const isSchema = !path.endsWith("/properties") && !path.includes("/example");
      if (isSchema && type === "integer" && format !== "int64") faults.push(`${path}: an integer without format`);
      if (isSchema && type === "null" && !path.includes("/anyOf/")) faults.push(`${path}: nothing but null`);
      if (isSchema && fallback !== undefined) faults.push(`${path}: a default`);
      if (isSchema && Array.isArray(oneOf) && oneOf.some((it) => !("$ref" in (it as object)))) {
        faults.push(`${path}: a branch without a name`);
      }
      for (const [key, item] of Object.entries(value)) walk(item, `${path}/${key}`);
    };
    walk(document.components.schemas, "");
    walk(document.paths, "");
    expect(faults).toEqual([]);
  });
});

/** Definitions in a folder, parsed. */
function definitionsIn(folder: string): readonly (readonly [file: string, value: unknown])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(json|ya?ml)$/.test(file))
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      return [file, file.endsWith(".json") ? JSON.parse(text) : Bun.YAML.parse(text)] as const;
    });
}

describe("requests that the server takes are valid by the document", () => {
  const push = requestOf("createWorkflow");

  test("every example", () => {
    const files = definitionsIn(join(root, "examples"));
    expect(files.length).toBeGreaterThan(8);
    expect(
      files.map(([file, value]) => [file, contract.wrong(push, value)]).filter(([, problem]) => problem !== undefined),
    ).toEqual([]);
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
