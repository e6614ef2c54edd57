/** Timeouts of workflows and steps, once their texts can be read. */
import { isInterpolated, type ParsableLong, parseTimeout } from "../definition/duration.ts";
import { badRequest } from "../error.ts";

/**
 * Milliseconds; undefined when none is written.
 * @param interpolate turns a text with `${param}` into its final text; a text without `$` does not reach it
 * @throws MaestroError BAD_REQUEST when it is no duration, or out of range
 */
export function timeoutOf(
  timeout: ParsableLong | undefined,
  owner: string,
  interpolate: (text: string) => string,
): number | undefined {
  if (timeout === undefined) return undefined;
  const found = parseTimeout(typeof timeout === "string" && isInterpolated(timeout) ? interpolate(timeout) : timeout);
  if ("problem" in found) throw badRequest(`timeout of ${owner}: ${found.problem}`);
  return found.value;
}
