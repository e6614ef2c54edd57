/**
 * Request bodies: read up to a limit, decoded strictly, refused when they nest too deep or hold what the database
 * cannot keep. Numbers stay whole.
 */

import { unstorableText } from "../definition/storable.ts";
import type { Schema } from "../definition/text/declared.ts";
import type { TextError } from "../definition/text/read.ts";
import { badRequest } from "../error.ts";
import { hasRepeatedKey, type Json, MAX_DEPTH, outlineOf, parseJson } from "../json.ts";
import { Problem } from "./error.ts";

/** Keeps nothing between texts. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * @param limit bytes
 * @param isDefinition a key that stands twice in an object is refused; elsewhere the last one counts
 * @throws BAD_REQUEST, or {@link Problem} 413 when the body is longer; what lies beyond the limit is not read
 */
export async function readJson(request: Request, limit: number, isDefinition = false): Promise<Json> {
  const text = await readText(request, limit);
  if (text.trim() === "") throw badRequest("The request needs a JSON body", ["the body is empty"]);
  const outline = outlineOf(text);
  if (outline.depth > MAX_DEPTH) {
    throw badRequest("The body is nested too deep", [`at most ${MAX_DEPTH} levels are allowed`]);
  }
  const value = parse(text);
  if (isDefinition && hasRepeatedKey(outline, value)) await refuseRepeatedKeys(text);
  const isSuspect = /\\u(0000|[dD][89a-fA-F])/.test(text) || !text.isWellFormed();
  if (isSuspect) refuseUnstorable(value);
  return value;
}

/** @param schema where it declares a text, a plain scalar is one @throws as {@link readJson}, with the places of findings */
export async function readYaml(request: Request, limit: number, schema: Schema): Promise<Json> {
  const text = await readText(request, limit);
  if (text.trim() === "") throw badRequest("The request needs a YAML body", ["the body is empty"]);
  const { readYamlText, TextError } = await import("../definition/text/read.ts");
  let value: Json;
  try {
    value = readYamlText(text.replace(/^\ufeff/, ""), schema).value;
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw badRequest("The body is not YAML that can be read", placesOf(error));
  }
  refuseUnstorable(value);
  return value;
}

/** @throws BAD_REQUEST */
function refuseUnstorable(value: Json): void {
  const unstorable = unstorableText(value);
  if (unstorable !== undefined) throw badRequest("The body holds a text that cannot be stored", [unstorable]);
}

const placesOf = ({ problems }: TextError): readonly string[] =>
  problems.map(({ path = "body", message, span }) => `${path}: line ${span.line}, column ${span.column}: ${message}`);

/**
 * A body of announced length is read whole, in one step: Bun takes nothing beyond that length for a part of it, fails
 * when the client leaves before its end, and refuses a request that says to come in chunks as well. Any other body is
 * counted while it comes.
 *
 * @param limit bytes
 * @throws BAD_REQUEST when it is not UTF-8, or {@link Problem} 413 when it is longer
 */
export async function readText(request: Request, limit: number): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > limit) throw tooLong(limit);
  const bytes = announced <= limit ? await request.bytes() : await readCounting(request, limit);
  if (bytes.byteLength > limit) throw tooLong(limit);
  try {
    return utf8.decode(bytes);
  } catch {
    throw badRequest("The body is not UTF-8", ["send the JSON text encoded as UTF-8"]);
  }
}

async function readCounting(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLong(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLong = (limit: number): Problem =>
  new Problem(413, `The body is longer than ${limit} bytes; send less.`, { connection: "close" });

function parse(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw badRequest("The body is not JSON", [error instanceof Error ? error.message : String(error)]);
  }
}

/** @throws BAD_REQUEST with both places of each key that stands twice */
async function refuseRepeatedKeys(text: string): Promise<void> {
  const { readJsonText, TextError } = await import("../definition/text/read.ts");
  try {
    readJsonText(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw badRequest("A key of the body stands twice", placesOf(error));
  }
}
