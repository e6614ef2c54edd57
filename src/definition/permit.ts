/** A limit for a tag, as a request sets it. */
import { z } from "zod";
import type { JsonObject } from "../json.ts";
import { parseWire } from "./parse.ts";
import { RANGE } from "./range.ts";
import { integer, open, text } from "./wire.ts";

export interface TagPermitRequest {
  readonly tag: string;
  /** Attempts that may run at a time; 0: none. */
  readonly maxAllowed: number;
  /** What else the request says. */
  readonly extra: JsonObject;
}

/** Characters of a tag: as many as a path may hold. */
const LONGEST_TAG = 512;

const fields = open({
  tag: text
    .pipe(z.string().max(LONGEST_TAG))
    .refine((tag) => tag.trim() !== "", "must not be blank")
    .meta({ description: "Any text: a tag of steps, or `maestro_` and a workflow's id, which all its steps have" }),
  max_allowed: integer(RANGE.permits).prefault(0).meta({ description: "0: no step with the tag starts" }),
  timeline: z.never("is written by the server; leave it out").optional(),
});

export const tagPermitRequestSchema = fields.meta({
  id: "TagPermitRequest",
  description: "Further keys are kept, and answered beside these",
});

/** @throws BAD_REQUEST */
export function parseTagPermitRequest(json: unknown): TagPermitRequest {
  const { tag, max_allowed, timeline: _, ...extra } = parseWire(fields, json, "Invalid tag permit request");
  return { tag, maxAllowed: max_allowed, extra: extra as JsonObject };
}
