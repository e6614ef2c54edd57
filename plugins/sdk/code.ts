/** Fields of settings that hold a program's text: a host leaves their text alone, and gives params another way. */
import { z } from "zod";
import type { JsonObject } from "./json.ts";

/** Marks the field in the JSON Schema of the settings. */
const MARK = "x-maestro-code";

/**
 * A field of code. References in its text are not replaced; what it may refer to is in `start`'s `context.code`. A byte
 * order mark is taken off, and lines end with `\n` alone, so that the text is read on every system as it was written.
 */
export const code = (description: string) =>
  z
    .string()
    .min(1)
    .meta({ [MARK]: true, description })
    .transform((text) => text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"));

/** Names of the fields of code that settings with this JSON Schema have. */
export function codeFields(schema: JsonObject): readonly string[] {
  const fields = (schema.properties ?? {}) as JsonObject;
  return Object.entries(fields).flatMap(([name, field]) =>
    (field as JsonObject | null)?.[MARK] === true ? [name] : [],
  );
}
