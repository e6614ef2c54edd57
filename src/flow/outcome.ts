/**
 * Results of evaluations that were made elsewhere, until the flows that asked fetch them. A flow that went on otherwise never
 * does, so what is kept is bounded, in number and in size; what is dropped is evaluated again.
 */
import { LRUCache } from "lru-cache";

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Results kept, and the characters that they have together, about. One alone is kept whatever its size. */
const MOST = 1_000;
const MOST_CHARS = 50_000_000;

export class Outcomes {
  readonly #known: LRUCache<string, Outcome>;
  readonly #most: number;

  constructor(mostChars = MOST_CHARS) {
    this.#most = mostChars;
    this.#known = new LRUCache({ max: MOST, maxSize: mostChars });
  }

  keep(key: string, outcome: Outcome): void {
    const size = "value" in outcome ? charsOf(outcome.value, this.#most) : 1;
    this.#known.set(key, outcome, { size });
  }

  /** Once: it is not kept any longer. */
  take(key: string): Outcome | undefined {
    const known = this.#known.get(key);
    if (known) this.#known.delete(key);
    return known;
  }
}

/** What anything but a text counts as. */
const PLAIN = 8;

/** About as many characters as it has as JSON: 1 to `most`, where counting ends. */
function charsOf(value: unknown, most: number): number {
  let chars = 1;
  const rest: unknown[] = [value];
  while (rest.length > 0 && chars < most) {
    const next = rest.pop();
    if (typeof next === "string") chars += next.length;
    else if (Array.isArray(next)) for (const item of next) rest.push(item);
    else if (typeof next === "object" && next !== null) {
      for (const [name, item] of Object.entries(next)) {
        chars += name.length;
        rest.push(item);
      }
    } else chars += PLAIN;
  }
  return Math.min(chars, most);
}
