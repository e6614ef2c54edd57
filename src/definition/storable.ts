/** Texts that the database can keep. */
import { isRawNumber, type Json } from "../json.ts";
import { at } from "./finding.ts";

/** The text can be kept in a text column: it has no NUL and no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

const PROBLEM = "holds a NUL character or half a surrogate pair; leave it out";

/** The first text that can't be kept, as a line `path: problem`. */
export function unstorableText(value: Json, path = ""): string | undefined {
  const where = path === "" ? "body" : path;
  if (typeof value === "string") return isStorable(value) ? undefined : `${where}: ${PROBLEM}`;
  if (typeof value !== "object" || value === null || isRawNumber(value)) return undefined;
  for (const [key, item] of Object.entries(value) as readonly (readonly [string, Json])[]) {
    if (!isStorable(key)) return `${where}: a key ${PROBLEM}`;
    const found = unstorableText(item, at(path, Array.isArray(value) ? Number(key) : key));
    if (found !== undefined) return found;
  }
  return undefined;
}
