/** `replaceAll` and `split` with Java's rules. */
import { SelError } from "../error.ts";
import { Matcher, type Meter } from "./match.ts";
import { parsePattern } from "./parse.ts";
import { compileRegex, type RegexProgram } from "./program.ts";

/** What building a result may cost: called with the size that it has reached, in UTF-16 units. */
export interface Room extends Meter {
  reserve(bytes: number): void;
}

/** Longer patterns are refused: a program's own text is shorter, and parsing takes memory. */
const MAX_PATTERN = 10_000;

function argument(message: string, hint?: string): never {
  throw new SelError("argument", message, undefined, hint);
}

/** Compiled patterns: pure functions of their text, short and few. */
const compiled = new Map<string, RegexProgram>();
const MAX_COMPILED = 256;
const MAX_KEPT = 100;

function program(pattern: string, room: Room): RegexProgram {
  room.toil(pattern.length * 4);
  if (pattern.length > MAX_PATTERN) argument("the regular expression is too long");
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = compileRegex(parsePattern(pattern));
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  if (pattern.length <= MAX_KEPT && made.code.length <= MAX_KEPT) compiled.set(pattern, made);
  return made;
}

type Piece = string | number;

function groupNumber(text: string, index: number, groups: number): readonly [group: number, end: number] {
  let group = Number(text[index]);
  if (group > groups) argument(`the replacement names group ${group}, which does not exist`);
  let end = index + 1;
  for (; /\d/.test(text[end] ?? ""); end++) {
    const more = group * 10 + Number(text[end]);
    if (more > groups) break;
    group = more;
  }
  return [group, end];
}

/** A replacement's pieces: text, and numbers of groups. */
function pieces(replacement: string, { groups, names }: RegexProgram, room: Room): Piece[] {
  room.toil(replacement.length);
  room.reserve(16 * replacement.length);
  const out: Piece[] = [];
  for (let i = 0; i < replacement.length; ) {
    const unit = replacement[i] as string;
    const next = replacement[i + 1];
    if (unit === "\\") {
      if (next === undefined)
        throw new SelError("argument", "the replacement ends with a backslash", undefined, "double it");
      out.push(next);
      i += 2;
    } else if (unit !== "$") {
      out.push(unit);
      i++;
    } else if (next === "{") {
      const name = /^\{([A-Za-z][A-Za-z0-9]*)\}/.exec(replacement.slice(i + 1))?.[1];
      const group = name === undefined ? undefined : names.get(name);
      if (group === undefined) throw new SelError("argument", "the replacement names a group that does not exist");
      out.push(group);
      i += (name?.length ?? 0) + 3;
    } else if (next !== undefined && next >= "0" && next <= "9") {
      const [group, end] = groupNumber(replacement, i + 1, groups);
      out.push(group);
      i = end;
    } else {
      throw new SelError(
        "argument",
        "a $ in the replacement must be followed by a group",
        undefined,
        "write \\\\$ for a dollar",
      );
    }
  }
  return out;
}

/** Fills replacements in; without groups the same match has the same replacement, which is made once. */
class Filler {
  private match: string | undefined;
  private made = "";

  fill(parts: readonly Piece[], matcher: Matcher, groups: number, before: number, room: Room): string {
    const match = matcher.group(0) ?? "";
    if (groups === 0 && match === this.match) return this.made;
    let size = 0;
    for (const part of parts) size += typeof part === "string" ? part.length : matcher.groupLength(part);
    room.reserve(32 + 2 * (before + size));
    room.toil(parts.length);
    let made = "";
    for (const part of parts) made += typeof part === "string" ? part : (matcher.group(part) ?? "");
    this.match = match;
    this.made = made;
    return made;
  }
}

/** @throws SelError argument for a bad pattern or replacement. */
export function replaceAll(text: string, pattern: string, replacement: string, room: Room): string {
  const code = program(pattern, room);
  const matcher = new Matcher(code, text, room);
  let parts: Piece[] | undefined;
  let out = "";
  let done = 0;
  const filler = new Filler();
  for (let from = 0; from <= text.length && matcher.find(from); from = next(matcher)) {
    parts ??= pieces(replacement, code, room);
    if (matcher.start > done) out += text.slice(done, matcher.start);
    out += filler.fill(parts, matcher, code.groups, out.length, room);
    done = matcher.end;
    room.reserve(32 + 2 * out.length);
  }
  return done === 0 && parts === undefined ? text : out + text.slice(done);
}

function next(matcher: Matcher): number {
  return matcher.end === matcher.start ? matcher.end + 1 : matcher.end;
}

/** @param limit as in Java: at most so many parts; 0 drops trailing empty parts; negative keeps them. */
export function split(text: string, pattern: string, limit: number, room: Room): string[] {
  const matcher = new Matcher(program(pattern, room), text, room);
  const out: string[] = [];
  let size = 0;
  let done = 0;
  const add = (part: string): void => {
    size += 32 + 2 * part.length;
    room.reserve(size);
    out.push(part);
  };
  for (let from = 0; from <= text.length && matcher.find(from); from = next(matcher)) {
    if (limit > 0 && out.length >= limit - 1) break;
    if (done === 0 && matcher.start === 0 && matcher.end === 0) continue;
    add(text.slice(done, matcher.start));
    done = matcher.end;
  }
  if (done === 0) return [text];
  add(text.slice(done));
  if (limit === 0) while (out.length > 0 && out[out.length - 1] === "") out.pop();
  return out;
}
