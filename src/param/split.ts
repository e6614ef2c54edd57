/** Names that reach into another step or a signal: `step__param`, `signal__param`. */

/** Between a step's (or signal's) name and its param's. Neither may contain it. */
export const SEPARATOR = "__";

/**
 * All ways to read a name as `owner__param`; none if it has no separator. Three underscores can be read in two ways
 * (`a_` and `b`, or `a` and `_b`): the caller decides by what exists.
 */
export function splitName(name: string): readonly (readonly [owner: string, param: string])[] {
  if (!name.includes(SEPARATOR)) return [];
  const splits: [string, string][] = [];
  for (let at = name.indexOf(SEPARATOR, 1); at >= 0; at = name.indexOf(SEPARATOR, at + 1)) {
    const owner = name.slice(0, at);
    const param = name.slice(at + SEPARATOR.length);
    if (param !== "" && !owner.includes(SEPARATOR) && !param.includes(SEPARATOR)) splits.push([owner, param]);
  }
  return splits;
}
