/** Tags: read as a name or an object, written as an object with the attributes beside the name. */
import { z } from "zod";
import type { ParamTag } from "../param/type.ts";
import { caseless, type Fields, open, spellings, text } from "./wire.ts";

export const TAG_NAMESPACES = [
  "SYSTEM",
  "RUNTIME",
  "JOB_TEMPLATE",
  "NOTEBOOK_TEMPLATE",
  "USER_DEFINED",
  "PLATFORM",
] as const;

export type TagNamespace = (typeof TAG_NAMESPACES)[number];

export interface Tag extends ParamTag {
  readonly name: string;
  readonly namespace?: TagNamespace | undefined;
  /** Set by the server only; ignored on input. */
  readonly permit?: number | undefined;
}

/** A literal `attributes` object is flattened; a `permit` of the client is dropped. */
function flatten(fields: Fields): Fields {
  if (!("permit" in fields) && !("attributes" in fields)) return fields;
  const { permit: _, attributes, ...rest } = fields;
  return typeof attributes === "object" && !Array.isArray(attributes) ? { ...attributes, ...rest } : { ...rest };
}

const tagObject = open({ name: text, namespace: caseless(TAG_NAMESPACES).optional() }, flatten);

export const tagSchema: z.ZodType<Tag> = z
  .preprocess((value) => (typeof value === "string" ? { name: value } : value), tagObject)
  .meta({ id: "Tag", description: "Read as a name, or an object with a name and attributes; written as an object" });

spellings.add(tagSchema, { takes: [{ type: "string" }] });

export const tagListSchema = z.array(tagSchema);
