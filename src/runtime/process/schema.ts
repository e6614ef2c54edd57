/** Params checked by the JSON Schema that a process gave for them. */
import type { Ajv2020, ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { own } from "../../record.ts";

/**
 * Defaults are filled in. Formats and keywords that the standard doesn't name are remarks, and what a value without a
 * `type` may be is not guessed at.
 */
const OPTIONS = { strict: false, allErrors: true, useDefaults: true, validateFormats: false } as const;

/** Findings that are told of one value. */
const MOST_FOUND = 10;

export type Compile = (schema: JsonObject) => z.ZodType;

/** Loaded by those threads alone that have such a plugin: it is large. */
export async function loadCompiler(): Promise<Compile> {
  const module = await import("ajv/dist/2020.js");
  return (schema) => checked(new module.Ajv2020(OPTIONS), schema);
}

/** @throws Error when it is no JSON Schema */
function checked(ajv: Ajv2020, schema: JsonObject): z.ZodType {
  const validate: ValidateFunction = ajv.compile(schema as object);
  return z.unknown().transform((given, context) => {
    const value = approximate(given);
    if (validate(value)) return exact(value, given);
    for (const error of (validate.errors ?? []).slice(0, MOST_FOUND)) {
      const { path, message } = finding(error);
      context.issues.push({ code: "custom", path, message, input: given });
    }
    return z.NEVER;
  });
}

/** A copy in which integers that JSON Schema's numbers are too small for are numbers. */
function approximate(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(approximate);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, approximate(item)]));
}

/** The copy, with those integers as they were given. */
function exact(value: unknown, given: unknown): unknown {
  if (typeof given === "bigint") return given;
  if (Array.isArray(value) && Array.isArray(given)) return value.map((item, index) => exact(item, given[index]));
  if (!isJsonObject(value) || !isJsonObject(given)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exact(item, own(given, key))]));
}

function finding({ instancePath, keyword, params, message = "is not valid" }: ErrorObject): {
  readonly path: string[];
  readonly message: string;
} {
  const path = instancePath.split("/").slice(1).map(plain);
  switch (keyword) {
    case "required":
      return { path: [...path, String(params.missingProperty)], message: "is required" };
    case "additionalProperties":
      return { path: [...path, String(params.additionalProperty)], message: "is unknown" };
    case "enum":
      return { path, message: `must be one of ${JSON.stringify(params.allowedValues)}` };
    default:
      return { path, message };
  }
}

/** A segment of a JSON pointer (RFC 6901). */
const plain = (segment: string): string => segment.replaceAll("~1", "/").replaceAll("~0", "~");
