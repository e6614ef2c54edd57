/**
 * Values as they cross SEL's boundary: variables going in, results coming out. Immutable; the interpreter's own
 * representation is private to it.
 */
export type SelValue =
  | { readonly type: "NULL" /** What an unset value would be. */; readonly of?: "STRING" | "MAP" }
  | { readonly type: "STRING"; readonly value: string }
  | { readonly type: "LONG"; readonly value: bigint }
  | { readonly type: "DOUBLE"; readonly value: number }
  | { readonly type: "BOOLEAN"; readonly value: boolean }
  | { readonly type: "STRING_ARRAY"; readonly value: readonly (string | null)[] }
  | { readonly type: "LONG_ARRAY"; readonly value: readonly bigint[] }
  | { readonly type: "DOUBLE_ARRAY"; readonly value: readonly number[] }
  | { readonly type: "BOOLEAN_ARRAY"; readonly value: readonly boolean[] }
  | { readonly type: "MAP"; readonly value: ReadonlyMap<string, SelValue> }
  | HostValue;

/** Host-only values, which the language itself never produces: it refuses them, or unboxes them, when they are read. */
export type HostValue =
  | { readonly type: "LIST"; readonly value: readonly SelValue[] }
  | { readonly type: "BIGDECIMAL"; readonly value: string }
  | { readonly type: "INTEGER"; readonly value: bigint };

/** The nine types (and NULL, from an unset string or map) that an evaluation can return. */
export type SelType = SelValue["type"];

export const NULL_VALUE: SelValue = { type: "NULL" };
