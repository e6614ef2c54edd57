/**
 * The constraints that validators may name, as one table: what each applies to, its attributes, and its test. They mean
 * what Jakarta Bean Validation and Hibernate Validator say; null passes all but the ones about null and emptiness.
 */
import { isJsonObject, isRawNumber, type Json, stringifyJson } from "../json.ts";
import type { Meter } from "../sel/regex/match.ts";
import { compareDecimals, decimalOf, digitCounts, readDecimal, signOf } from "./decimal.ts";
import { fullMatch } from "./pattern.ts";
import type { ParamType } from "./type.ts";

/** What an attribute's literal must be: `integer`, `decimal` and `text` arrive as texts, `flags` as regex letters. */
export type AttributeKind = "integer" | "decimal" | "text" | "boolean" | "flags";

export type Attributes = Readonly<Record<string, string | undefined>>;

/** What a constraint looks at; where a type has such things inside, each of them is looked at. */
export type Target = "any" | "number" | "text" | "boolean" | "sized" | "array";

export interface ConstraintType {
  readonly target: Target;
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  readonly required?: readonly string[];
  /** How to write it. */
  readonly example: string;
  /** Whether null is tested, too. */
  readonly nulls?: boolean;
  /** The end of a sentence: "must …". */
  message(attributes: Attributes): string;
  test(value: NonNullable<Json> | null, attributes: Attributes, meter: Meter): boolean;
  /** Checks the attributes once. @throws SelError for a bad pattern */
  check?(attributes: Attributes, meter: Meter): void;
}

const plain = (
  target: Target,
  example: string,
  message: string,
  test: (value: Json) => boolean,
  nulls = false,
): ConstraintType => ({ target, attributes: {}, example, message: () => message, test, nulls });

const sizeOf = (value: Json): number | undefined => {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return isJsonObject(value) && !isRawNumber(value) ? Object.keys(value).length : undefined;
};

const isBlank = (value: string): boolean => {
  for (let at = 0; at < value.length; at++) if (value.charCodeAt(at) > 32) return false;
  return true;
};

const sign = (name: string, message: string, fits: (sign: number) => boolean): ConstraintType =>
  plain("number", `@${name}`, message, (value) => {
    const decimal = decimalOf(value);
    return decimal !== undefined && fits(signOf(decimal));
  });

/** Whether a number compares with a bound as asked; no number fails. */
function compares(value: Json, bound: string | undefined, fits: (order: number) => boolean): boolean {
  const number = decimalOf(value);
  const limit = readDecimal(bound ?? "0");
  return number !== undefined && limit !== undefined && fits(compareDecimals(number, limit));
}

const bound = (kind: "integer" | "decimal", example: string, side: "greater" | "less"): ConstraintType => ({
  target: "number",
  attributes: { value: kind, ...(kind === "decimal" && { inclusive: "boolean" }) },
  required: ["value"],
  example,
  message: ({ value, inclusive }) => `must be ${side} than ${inclusive === "false" ? "" : "or equal to "}${value}`,
  test: (value, attributes) =>
    compares(value, attributes.value, (order) => {
      if (order === 0) return attributes.inclusive !== "false";
      return side === "greater" ? order > 0 : order < 0;
    }),
});

const between = (size: number | undefined, { min = "0", max }: Attributes): boolean => {
  if (size === undefined) return false;
  return (
    compares(size, min, (order) => order >= 0) && (max === undefined || compares(size, max, (order) => order <= 0))
  );
};

const sizes = (target: Target, what: string, example: string): ConstraintType => ({
  target,
  attributes: { min: "integer", max: "integer" },
  example,
  message: ({ min = "0", max }) =>
    max === undefined ? `${what} must be at least ${min}` : `${what} must be between ${min} and ${max}`,
  test: (value, attributes) => between(sizeOf(value), attributes),
});

const ATOMS = /^[\w!#$%&'*+/=?^`{|}~\u0080-\uffff-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u0080-\uffff-]+)*$/;
const DOMAIN = /^[a-z0-9\u0080-\uffff](?:[a-z0-9\u0080-\uffff-]*[a-z0-9\u0080-\uffff])?$/i;

/** As Hibernate Validator sees it, without comments and quoted local parts; the empty text passes. */
function isEmail(value: string): boolean {
  if (value === "") return true;
  if (value.length > 320) return false;
  const at = value.lastIndexOf("@");
  const [local, domain] = [value.slice(0, at), value.slice(at + 1)];
  if (at < 1 || local.length > 64 || domain.length > 255 || !ATOMS.test(local)) return false;
  return domain.split(".").every((label) => label.length <= 63 && DOMAIN.test(label));
}

function isUrl(value: string, { protocol, host, port }: Attributes): boolean {
  if (value === "") return true;
  if (value.length > 65_536 || !/^[a-z][a-z0-9+.-]*:\/\//i.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  const [, given = ""] = /:(\d+)$/.exec(value.split("/")[2] ?? "") ?? [];
  return (
    (!protocol || url.protocol === `${protocol}:`) &&
    (!host || url.hostname === host) &&
    (port === undefined || port === "-1" || (url.port || given) === port)
  );
}

const textual = (value: Json, test: (text: string) => boolean): boolean => typeof value === "string" && test(value);

export const CONSTRAINTS: Readonly<Record<string, ConstraintType>> = {
  NotNull: plain("any", "@NotNull", "must not be null", (value) => value !== null, true),
  Null: plain("any", "@Null", "must be null", (value) => value === null, true),
  NotEmpty: plain("sized", "@NotEmpty", "must not be empty", (value) => (sizeOf(value) ?? 0) > 0, true),
  NotBlank: plain("text", "@NotBlank", "must not be blank", (value) => textual(value, (text) => !isBlank(text)), true),
  AssertTrue: plain("boolean", "@AssertTrue", "must be true", (value) => value === true),
  AssertFalse: plain("boolean", "@AssertFalse", "must be false", (value) => value === false),
  Min: bound("integer", "@Min(1)", "greater"),
  Max: bound("integer", "@Max(100)", "less"),
  DecimalMin: bound("decimal", '@DecimalMin("0.5")', "greater"),
  DecimalMax: bound("decimal", '@DecimalMax(value = "0.5", inclusive = false)', "less"),
  Positive: sign("Positive", "must be greater than 0", (it) => it > 0),
  PositiveOrZero: sign("PositiveOrZero", "must be greater than or equal to 0", (it) => it >= 0),
  Negative: sign("Negative", "must be less than 0", (it) => it < 0),
  NegativeOrZero: sign("NegativeOrZero", "must be less than or equal to 0", (it) => it <= 0),
  Digits: {
    target: "number",
    attributes: { integer: "integer", fraction: "integer" },
    required: ["integer", "fraction"],
    example: "@Digits(integer = 5, fraction = 2)",
    message: ({ integer, fraction }) => `must have at most ${integer} digits before the point and ${fraction} after it`,
    test(value, { integer, fraction }) {
      const decimal = decimalOf(value);
      if (!decimal) return false;
      const counts = digitCounts(decimal);
      return counts.integer <= Number(integer) && counts.fraction <= Number(fraction);
    },
  },
  Size: sizes("sized", "its size", "@Size(min = 1, max = 10)"),
  Length: sizes("text", "its length", "@Length(min = 1, max = 10)"),
  Range: {
    target: "number",
    attributes: { min: "integer", max: "integer" },
    example: "@Range(min = 1, max = 10)",
    message: ({ min = "0", max = "9223372036854775807" }) => `must be between ${min} and ${max}`,
    test: (value, { min = "0", max = "9223372036854775807" }) =>
      compares(value, min, (order) => order >= 0) && compares(value, max, (order) => order <= 0),
  },
  Pattern: {
    target: "text",
    attributes: { regexp: "text", flags: "flags" },
    required: ["regexp"],
    example: '@Pattern(regexp = "[a-z]+")',
    message: ({ regexp = "" }) => `must match "${regexp}"`,
    test: (value, { regexp = "", flags = "" }, meter) =>
      textual(value, (text) => fullMatch(regexp, flags, meter)(text)),
    check: ({ regexp = "", flags = "" }, meter) => void fullMatch(regexp, flags, meter),
  },
  Email: plain("text", "@Email", "must be an email address", (value) => textual(value, isEmail)),
  URL: {
    target: "text",
    attributes: { protocol: "text", host: "text", port: "integer" },
    example: "@URL",
    message: () => "must be a URL",
    test: (value, attributes) => textual(value, (text) => isUrl(text, attributes)),
  },
  UniqueElements: plain("array", "@UniqueElements", "must only have different elements", (value) => {
    return Array.isArray(value) && new Set(value.map((item) => stringifyJson(item))).size === value.length;
  }),
};

/** Names that are known and can't be used: an evaluation must give the same answer whenever it is made. */
export const CLOCKED: ReadonlySet<string> = new Set(["Past", "PastOrPresent", "Future", "FutureOrPresent"]);

/** Whether a constraint looks at a value of the type itself, at each thing inside, or has nothing to look at. */
export function reach(target: Target, type: ParamType): "whole" | "each" | undefined {
  switch (target) {
    case "any":
      return "whole";
    case "sized":
      return type === "STRING" || sizedInside(type) ? "whole" : undefined;
    case "array":
      return type.endsWith("_ARRAY") ? "whole" : undefined;
    case "boolean":
      return inside(type, "BOOLEAN");
    case "text":
      return inside(type, "STRING");
    case "number":
      return inside(type, "LONG") ?? inside(type, "DOUBLE") ?? inside(type, "STRING");
  }
}

const sizedInside = (type: ParamType): boolean => type.endsWith("_ARRAY") || type === "MAP" || type === "STRING_MAP";

function inside(type: ParamType, element: string): "whole" | "each" | undefined {
  if (type === element) return "whole";
  return type === `${element}_ARRAY` || type === `${element}_MAP` ? "each" : undefined;
}
