/** Regular expressions of validators: Java's syntax, on the matcher of the expression language, every step charged. */
import { Matcher, type Meter } from "../sel/regex/match.ts";
import { parsePattern } from "../sel/regex/parse.ts";
import { compileRegex, type RegexProgram } from "../sel/regex/program.ts";

/** Compiled patterns that are kept. */
const KEPT = 100;
/** Longer ones are compiled each time. */
const LONGEST_KEPT = 2_000;
/** Units that compiling one character costs. */
const COMPILING = 20;

const programs = new Map<string, RegexProgram>();

/**
 * Whether a whole text matches, as a function.
 * @param flags letters as in `(?i)`
 * @throws SelError argument for a bad pattern
 */
export function fullMatch(pattern: string, flags: string, meter: Meter): (text: string) => boolean {
  const program = programOf(pattern, flags, meter);
  return (text) => {
    meter.toil(1 + (text.length >> 4));
    return new Matcher(program, text, meter).find(0);
  };
}

function programOf(pattern: string, flags: string, meter: Meter): RegexProgram {
  const key = `${flags}/${pattern}`;
  const known = programs.get(key);
  if (known) return known;
  meter.toil(COMPILING * (pattern.length + 1));
  const lead = flags === "" ? "" : `(?${flags})`;
  // On its own first: what is wrong with it is told of the pattern as it was written.
  parsePattern(lead + pattern);
  const program = compileRegex(parsePattern(`${lead}\\A(?:${closed(pattern, flags)})\\z`));
  if (pattern.length <= LONGEST_KEPT) {
    if (programs.size >= KEPT) programs.clear();
    programs.set(key, program);
  }
  return program;
}

/** Ends what the pattern may have left open to its end: a quotation, and a comment of the flag x. */
function closed(pattern: string, flags: string): string {
  const quoted = pattern.lastIndexOf("\\Q") > pattern.lastIndexOf("\\E") ? `${pattern}\\E` : pattern;
  return flags.includes("x") ? `${quoted}\n` : quoted;
}
