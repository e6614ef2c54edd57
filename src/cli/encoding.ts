/** The bytes of a file as text. */

export interface Undecodable {
  readonly problem: string;
  /** What could be read before it. */
  readonly before: string;
}

/** Without the byte order mark; line ends stay as they are. */
export function decodeText(bytes: Uint8Array): string | Undecodable {
  const [first, second] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // A text that begins with ASCII has a NUL in each of its first units.
  const isWide = isMarked || (first === 0) !== (second === 0);
  if (bytes.length > 1 && isWide) return { problem: "the file is UTF-16; save it as UTF-8", before: "" };
  try {
    return decodePart(bytes, false);
  } catch {
    const end = validLength(bytes);
    const byte = (bytes[end] ?? 0).toString(16).padStart(2, "0");
    const problem = `the file is not UTF-8: the byte 0x${byte} can't stand here; save it as UTF-8`;
    return { problem, before: decodePart(bytes.subarray(0, end), true) };
  }
}

const decodePart = (bytes: Uint8Array, stream: boolean): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream });

/** Bytes before the first that is not UTF-8. */
function validLength(bytes: Uint8Array): number {
  let valid = 0;
  let broken = bytes.length;
  while (broken - valid > 1) {
    const middle = (valid + broken) >> 1;
    try {
      decodePart(bytes.subarray(0, middle), true);
      valid = middle;
    } catch {
      broken = middle;
    }
  }
  return valid;
}
