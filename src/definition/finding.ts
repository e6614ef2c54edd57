/** Findings of a validation: one line each, the JSON path first, then what is wrong and what would be right. */

import { isRawNumber } from "../json.ts";

export interface Problem {
  /** JSON path. */
  readonly path: string;
  readonly problem: string;
}

/** Takes a finding. */
export type Report = (path: string, problem: string) => void;

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;

/** The path of a field: `steps.id`, or `params["a b"]` for a key that is no plain word. */
export function at(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(shortened(key))}]`;
  return path === "" ? key : `${path}.${key}`;
}

export const pathOf = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>((path, key) => at(path, typeof key === "number" ? key : String(key)), "");

export type Segment = string | number;

/** `workflow.steps[0].params["a b"]` in parts: what {@link pathOf} joins. Undefined when the text is no such path. */
export function partsOf(path: string): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  const part = /(?:^|\.)([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (part.lastIndex < path.length) {
    const match = part.exec(path);
    if (!match) return undefined;
    const [, plain, index, quoted] = match;
    segments.push(plain ?? (index === undefined ? (JSON.parse(quoted ?? '""') as string) : Number(index)));
  }
  return segments;
}

/** A value as a finding shows it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shortened(value));
  if (Array.isArray(value)) return "a list";
  if (isRawNumber(value)) return shortened(value.rawJSON);
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** A collector; `lines` grows as findings are reported. */
export function collect(): { readonly report: Report; readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { lines, report: (path, problem) => lines.push(path === "" ? problem : `${path}: ${problem}`) };
}
