/**
 * Takes the values of secrets out of what a plugin says. A value is found as it is and as programs like to write it: in
 * JSON, in a URL, between a shell's quotes, in base64 at any place of what was encoded.
 */
import { isRawNumber } from "../json.ts";

/** What stands for a value. */
export const MASK = "***";

/** Characters of a value at least: anything shorter stands by chance in what has nothing to do with it. */
export const LEAST_SECRET = 6;
/** Bytes of a value at most: in every form it fits into a chunk of a log. */
export const MOST_SECRET = 8 * 1024;

/** From where to where, the end not included. */
type Range = readonly [from: number, to: number];

export class Redactor {
  readonly #forms: readonly string[];

  /** @param values of {@link LEAST_SECRET} characters or more */
  constructor(values: Iterable<string>) {
    this.#forms = [...new Set([...values].flatMap(formsOf))];
  }

  /** A text without any value. */
  text(text: string): string {
    let clean = text;
    // What a mask joins may be a value in its turn.
    for (let ranges = this.#find(clean); ranges.length > 0; ranges = this.#find(clean)) clean = masked(clean, ranges);
    return clean;
  }

  /**
   * A piece of a longer text, that ends where {@link ready} says or where the text does.
   * @param isCut what came before was left out: the piece may begin within a value
   */
  piece(text: string, isCut: boolean): string {
    const least = isCut ? 1 : LEAST_SECRET;
    const first = longest(this.#forms, (form) => overlap(form, text, form.length - 1));
    const from = first < least ? 0 : first;
    const last = longest(this.#forms, (form) => overlap(text, form, form.length - 1));
    const to = text.length - (last < LEAST_SECRET ? 0 : last);
    if (from === 0 && to === text.length) return this.text(text);
    const ranges = [
      ...(from > 0 ? [[0, from] as const] : []),
      ...(to < text.length ? [[to, text.length] as const] : []),
    ];
    return this.text(masked(text, merged([...ranges, ...this.#find(text)])));
  }

  /** How much of a text may be passed on while more may follow: what is left may be the beginning of a value. */
  ready(text: string): number {
    const beginning = longest(this.#forms, (form) => overlap(text, form, form.length - 1));
    const ready = text.length - beginning;
    if (beginning === 0) return ready;
    // Nothing is cut that lies over it: the rest would not be known for a value any more.
    return this.#find(text).find(([from, to]) => from < ready && ready < to)?.[0] ?? ready;
  }

  /** A plugin's answer, or any part of it, as plain data without any value. Numbers that show one become texts. */
  data(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value === "number" || typeof value === "bigint") return this.#number(value, String(value));
    if (isRawNumber(value)) return this.#number(value, value.rawJSON);
    if (Array.isArray(value)) return value.map((item) => this.data(item));
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Date) return this.data(value.toJSON());
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.data(item)]));
  }

  #number(value: unknown, text: string): unknown {
    const clean = this.text(text);
    return clean === text ? value : clean;
  }

  /** Where values stand, in order; those that overlap or touch are one. */
  #find(text: string): readonly Range[] {
    const ranges: Range[] = [];
    for (const form of this.#forms) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) ranges.push([at, at + form.length]);
    }
    return ranges.length > 1 ? merged(ranges) : ranges;
  }
}

function merged(ranges: readonly Range[]): readonly Range[] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

function masked(text: string, ranges: readonly Range[]): string {
  let clean = "";
  let end = 0;
  for (const [from, to] of ranges) {
    clean += text.slice(end, from) + MASK;
    end = to;
  }
  return clean + text.slice(end);
}

const longest = (forms: readonly string[], length: (form: string) => number): number =>
  forms.reduce((most, form) => Math.max(most, length(form)), 0);

/** The most characters, up to `most`, with which the left text ends and the right one begins. */
function overlap(left: string, right: string, most: number): number {
  const start = Math.max(0, left.length - Math.min(most, right.length));
  const first = right.charAt(0);
  for (let at = left.indexOf(first, start); at >= 0; at = left.indexOf(first, at + 1)) {
    if (right.startsWith(left.slice(at))) return left.length - at;
  }
  return 0;
}

function formsOf(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const forms = [
    value,
    json,
    ascii(json),
    url,
    url.replaceAll("%20", "+"),
    value.replaceAll("'", "'\\''"),
    ...[0, 1, 2].map((before) => base64Within(value, before)),
  ];
  const urlSafe = forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return [...forms, ...urlSafe.slice(-3)].filter(({ length }) => length >= LEAST_SECRET);
}

/** As JSON writers have it that keep to ASCII. */
const ascii = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The characters of a base64 text that follow from the value alone. @param before bytes in front of it, modulo 3 */
function base64Within(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  const from = Math.ceil((before * 8) / 6);
  return bytes.toString("base64").slice(from, Math.floor((bytes.length * 8) / 6));
}
