import { type JsonObject, parseJson } from "../../src/json.ts";

/** Recorded expressions with what the original evaluator made of them, one JSON object a line. */
export async function vectors(name: "language" | "hostile" | "reference"): Promise<readonly JsonObject[]> {
  const text = await Bun.file(new URL(`./vectors/${name}.jsonl`, import.meta.url)).text();
  return text
    .trim()
    .split("\n")
    .map((line) => parseJson(line) as JsonObject);
}
