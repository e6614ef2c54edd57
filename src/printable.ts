/**
 * Texts from elsewhere (ids, owners, a script's messages) may hold characters that a terminal obeys. On their way to one
 * they are shown escaped, as `\\x1b` and `\\u202e`.
 */

/** Control characters, those that change the direction of text, halves of surrogate pairs, and other ends of lines. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

function shown(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0).toString(16);
  return code.length < 3 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
}

/** A text of one or more lines. */
export const printable = (text: string): string =>
  text.replace(OBEYED, (it) => (it === "\n" || it === "\t" ? it : shown(it)));

/** A text that has to stay on its line, and in its column. */
export const inLine = (text: string): string => text.replace(OBEYED, shown);
