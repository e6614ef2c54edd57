/** A stream of bytes as lines of UTF-8; bytes that are none read as U+FFFD. */

const FEED = 0x0a;

/** A line is longer than may be. */
export class LongLineError extends Error {}

export interface LinesOptions {
  /** Bytes of a line. */
  readonly most: number;
  /** What is longer is cut there, instead of being an error. Default false. */
  readonly cut?: boolean;
}

export class Lines {
  readonly #most: number;
  readonly #cut: boolean;
  /** The beginning of a line whose end is not there yet. */
  #parts: Buffer[] = [];
  #size = 0;
  /** The rest of a line that was cut is on its way. */
  #skipping = false;

  constructor({ most, cut = false }: LinesOptions) {
    this.#most = most;
    this.#cut = cut;
  }

  /**
   * @returns the lines that are complete now, without their ends
   * @throws LongLineError
   */
  push(bytes: Uint8Array): string[] {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lines: string[] = [];
    let from = 0;
    for (let to = chunk.indexOf(FEED); to !== -1; to = chunk.indexOf(FEED, from)) {
      this.#add(chunk.subarray(from, to));
      const line = this.#take();
      if (line !== undefined) lines.push(line);
      from = to + 1;
    }
    this.#add(Buffer.from(chunk.subarray(from))); // a copy: the stream may use its memory again
    return lines;
  }

  /** What came after the last line's end. */
  rest(): string | undefined {
    return this.#size === 0 ? undefined : this.#take();
  }

  #add(bytes: Buffer): void {
    const room = this.#most - this.#size;
    if (bytes.length > room) {
      if (!this.#cut) throw new LongLineError();
      this.#skipping = true;
    }
    const kept = bytes.subarray(0, room);
    if (kept.length > 0) this.#parts.push(kept);
    this.#size += kept.length;
  }

  #take(): string | undefined {
    const [only = Buffer.alloc(0), ...more] = this.#parts;
    const text = (more.length === 0 ? only : Buffer.concat(this.#parts)).toString("utf8");
    const isCut = this.#skipping;
    this.#parts = [];
    this.#size = 0;
    this.#skipping = false;
    return isCut ? `${text}…` : text;
  }
}
