/** The nearest of the known words to a misspelt one. */
import { shown } from "./finding.ts";

/** Edits (insert, delete, replace, swap of neighbours) between two words, or `limit + 1` when there are more. */
function edits(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    before = last;
    last = current;
  }
  return last[to.length] ?? limit + 1;
}

/** The known word that a misspelt one is close to: up to a third of its letters may differ, case and `-` for `_` do not count. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const plain = word.toLowerCase().replaceAll("-", "_");
  const limit = Math.max(1, Math.floor(plain.length / 3));
  let best: string | undefined;
  let bestEdits = limit + 1;
  for (const candidate of known) {
    const count = edits(plain, candidate.toLowerCase().replaceAll("-", "_"), limit);
    if (count < bestEdits) {
      best = candidate;
      bestEdits = count;
    }
  }
  return best;
}

/** Says that a value is none of an enum's, with the nearest one. */
export function notOneOf(input: unknown, values: readonly string[]): string {
  if (input === undefined) return `is required, one of ${values.join(", ")}`;
  const near = typeof input === "string" ? closest(input, values) : undefined;
  return `${shown(input)} is not one of ${values.join(", ")}${near ? `; did you mean "${near}"?` : ""}`;
}
