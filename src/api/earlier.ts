/**
 * The API's description in OpenAPI 3.0.3, for generators that read no later one. Of what is new in 3.1 the document has
 * null as a type and descriptions beside references; everything else is the same in both.
 */
import type { JsonSchema } from "./component.ts";
import type { OpenApiDocument } from "./openapi.ts";

export const earlierDocument = (document: OpenApiDocument): object => ({
  ...(earlier(document) as object),
  openapi: "3.0.3",
});

function earlier(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(earlier);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, key === "example" ? item : earlier(item)]);
  return withReferenceAlone(withNullable(Object.fromEntries(entries)));
}

const isNull = (schema: JsonSchema): boolean => schema.type === "null";

/** @throws Error for a choice of several schemas and null, which 3.0 can't say */
function withNullable(schema: JsonSchema): JsonSchema {
  const { type, anyOf, ...rest } = schema;
  if (Array.isArray(type) && type.includes("null")) {
    const [only, more] = type.filter((it) => it !== "null");
    if (more === undefined) return { ...rest, type: only, nullable: true };
  } else if (!Array.isArray(anyOf) || !anyOf.some(isNull)) {
    return schema;
  } else {
    const [only, more] = anyOf.filter((it) => !isNull(it));
    if (more === undefined) return { ...only, ...rest, nullable: true };
  }
  throw new Error(`OpenAPI 3.0 has no schema for ${JSON.stringify(schema)}`);
}

/** In 3.0 a reference stands alone. */
function withReferenceAlone(schema: JsonSchema): JsonSchema {
  const { $ref, ...rest } = schema;
  return typeof $ref !== "string" || Object.keys(rest).length === 0 ? schema : { allOf: [{ $ref }], ...rest };
}
