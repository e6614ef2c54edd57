/** What a regular expression is made of, after parsing. */

/** Tests one character (a code point). */
export type CharTest = (code: number) => boolean;

export type AnchorKind = "start" | "end" | "lineStart" | "lineEnd" | "last" | "word" | "notWord" | "previous";

export type Node =
  | { readonly kind: "empty" }
  /** `literal` when it matches this one character only. */
  | { readonly kind: "char"; readonly test: CharTest; readonly literal?: string; readonly cost?: number }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "choice"; readonly items: readonly Node[] }
  | { readonly kind: "capture"; readonly index: number; readonly inner: Node }
  | {
      readonly kind: "repeat";
      readonly inner: Node;
      readonly min: number;
      /** `Infinity` for no bound. */
      readonly max: number;
      readonly mode: "greedy" | "lazy" | "possessive";
    }
  | { readonly kind: "anchor"; readonly anchor: AnchorKind; readonly unix: boolean; readonly unicode: boolean }
  | { readonly kind: "look"; readonly behind: boolean; readonly negative: boolean; readonly inner: Node }
  | { readonly kind: "atomic"; readonly inner: Node }
  | { readonly kind: "back"; readonly group: number; readonly fold: boolean };

export interface Pattern {
  readonly root: Node;
  /** Number of capturing groups, without group 0. */
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

/** The text that a node matches and nothing else, if it is plain text. */
export function plainText(node: Node): string | undefined {
  if (node.kind === "char") return node.literal;
  if (node.kind !== "sequence") return undefined;
  const texts = node.items.map(plainText);
  return texts.length > 0 && texts.every((text) => text !== undefined) ? texts.join("") : undefined;
}

/** Fewest and most UTF-16 units that a node can match. */
export function lengths(node: Node): readonly [min: number, max: number] {
  switch (node.kind) {
    case "empty":
    case "anchor":
    case "look":
      return [0, 0];
    case "char":
      return [1, 2];
    case "back":
      return [0, Number.POSITIVE_INFINITY];
    case "capture":
    case "atomic":
      return lengths(node.inner);
    case "repeat": {
      const [min, max] = lengths(node.inner);
      return [min * node.min, max === 0 || node.max === 0 ? 0 : max * node.max];
    }
    case "sequence":
      return node.items.map(lengths).reduce(([a, b], [min, max]) => [a + min, b + max], [0, 0]);
    case "choice": {
      const all = node.items.map(lengths);
      return [Math.min(...all.map(([min]) => min)), Math.max(...all.map(([, max]) => max))];
    }
  }
}
