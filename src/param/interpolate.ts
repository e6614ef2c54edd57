/**
 * Interpolation of literal text: `${name}` and `$name` insert a param's evaluated value, a run of `$` escapes.
 *
 * For a run of n dollars in front of a reference: n odd gives (n−1)/2 dollars and the value, n even gives n/2 dollars
 * and the reference as it is; elsewhere ceil(n/2) dollars. Inserted text is data and never scanned again.
 */

const REFERENCE = /(\$+)(?:\{([a-zA-Z][-_./a-zA-Z0-9]*)\}|([a-zA-Z][_a-zA-Z0-9]*))?/g;

/** @param lookup the text of a param; throws for a name that it does not know. */
export function interpolate(template: string, lookup: (name: string) => string): string {
  if (!template.includes("$")) return template;
  return template.replace(REFERENCE, (match, dollars: string, braced?: string, bare?: string) => {
    const count = dollars.length;
    const name = braced ?? bare;
    if (name === undefined) return "$".repeat(Math.ceil(count / 2));
    if (count % 2 === 1) return "$".repeat((count - 1) / 2) + lookup(name);
    return "$".repeat(count / 2) + match.slice(count);
  });
}

/** Names that a text would insert, each once, in order of first sight. */
export function textReferences(template: string): readonly string[] {
  if (!template.includes("$")) return [];
  const names = new Set<string>();
  for (const [, dollars = "", braced, bare] of template.matchAll(REFERENCE)) {
    const name = braced ?? bare;
    if (name !== undefined && dollars.length % 2 === 1) names.add(name);
  }
  return [...names];
}

/** Text that interpolates to exactly the given data: every dollar doubled. */
export function escapeText(data: string): string {
  return data.includes("$") ? data.replaceAll("$", "$$$$") : data;
}
