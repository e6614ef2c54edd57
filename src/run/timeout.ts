/** Timeouts of workflows and steps, once their texts can be read. */
import { type ParsableLong, parseDuration } from "../definition/duration.ts";
import { badRequest } from "../error.ts";

const LONGEST = 120 * 86_400_000;

/**
 * Milliseconds; undefined when none is written.
 * @param interpolate turns a text with `${param}` into its final text
 * @throws MaestroError BAD_REQUEST
 */
export function timeoutOf(
  timeout: ParsableLong | undefined,
  owner: string,
  interpolate: (text: string) => string,
): number | undefined {
  if (timeout === undefined) return undefined;
  const text = typeof timeout === "string" && timeout.includes("$") ? interpolate(timeout) : timeout;
  const found = parseDuration(text, "seconds");
  if ("problem" in found) throw badRequest(`timeout of ${owner}: ${found.problem}`);
  if (found.value > 0 && found.value <= LONGEST) return found.value;
  throw badRequest(`timeout of ${owner} must be above 0 and at most 120 days, and is ${found.value} ms`);
}
