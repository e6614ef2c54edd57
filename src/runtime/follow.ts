/**
 * Files that grow, passed on as log chunks: their beginning as it comes, and, of those that grow beyond a limit, their end
 * when they are complete. What is between is left out, and given back to the disk while the file grows. One timer looks
 * after all of them and rests when there are none; a file is open only while it is read, so that hundreds of attempts
 * hold no descriptors.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { freeRange } from "./hole.ts";

/** Bytes of a chunk at most. */
export const MAX_CHUNK = 32 * 1024;
/** Milliseconds between looks: the age of output at most, when nothing holds it back. */
export const LOG_INTERVAL = 100;
/** Chunks of one file in one look, so that a noisy step does not starve others. */
const CHUNKS_A_LOOK = 16;

/** What looks after growing things. */
export class Ticker {
  readonly #items = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Calls `look` every {@link LOG_INTERVAL} until the returned function is called. */
  add(look: () => void): () => void {
    this.#items.add(look);
    this.#timer ??= setInterval(() => {
      for (const item of [...this.#items]) item();
    }, LOG_INTERVAL);
    return () => this.#remove(look);
  }

  #remove(look: () => void): void {
    this.#items.delete(look);
    if (this.#items.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

export interface FollowOptions {
  readonly path: string;
  /** Where to go on, in bytes. */
  readonly offset: number;
  readonly ticker: Ticker;
  /** False while the receiver is behind. */
  ready(): boolean;
  /** How many bytes more are passed on before the rest is left out but for its end. */
  room(): number;
  /** Bytes of the end that are passed on however long the file is. */
  readonly tail: number;
  /** How many of these bytes are passed on while more may follow them; the rest is read again. */
  whole(bytes: Buffer): number;
  emit(offset: number, bytes: Buffer): void;
  /** So many bytes after `offset` are left out. */
  skip(offset: number, bytes: number): void;
}

/** Milliseconds between looks whether the receiver has caught up. */
const CATCH_UP = 10;
/** Bytes of what will be left out that a file may hold before they are given back to the disk. */
const SPARE = 4 << 20;

export class FileFollower {
  readonly #options: FollowOptions;
  readonly #stop: () => void;
  #offset: number;
  /** What comes before is not on the disk any more, or is not known not to be. */
  #freed = 0;
  #stopped = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#offset = options.offset;
    this.#stop = options.ticker.add(() => void this.#read(false, CHUNKS_A_LOOK));
  }

  /** Passes on what is left of a complete file, as fast as the receiver takes it, or its end. */
  async end(): Promise<void> {
    while (!this.#stopped && this.#read(true, CHUNKS_A_LOOK)) await Bun.sleep(this.#options.ready() ? 0 : CATCH_UP);
    this.close();
  }

  close(): void {
    this.#stopped = true;
    this.#stop();
  }

  /** @returns whether something may be left. */
  #read(isComplete: boolean, limit: number): boolean {
    if (!this.#options.ready()) return true;
    const file = tryOpen(this.#options.path);
    if (file === undefined) return false;
    try {
      const size = fstatSync(file).size;
      for (let count = 0; this.#offset < size && count < limit; count++) {
        const left = size - this.#offset;
        const isTail = isComplete && left <= this.#options.tail;
        if (!isTail && this.#options.room() <= 0 && !this.#leaveOut(file, size, isComplete)) return false;
        if (!this.#options.ready()) return true;
        if (!this.#readChunk(file, Math.min(MAX_CHUNK, size - this.#offset), isComplete)) return false;
      }
      return this.#offset < size;
    } catch {
      return false; // the disk's trouble is not the step's: the log ends here
    } finally {
      closeSync(file);
    }
  }

  /**
   * Goes on at the end of a complete file; of one that still grows, gives the disk back what will be left out.
   *
   * @returns whether there is something to pass on
   */
  #leaveOut(file: number, size: number, isComplete: boolean): boolean {
    const from = Math.max(this.#offset, this.#freed);
    const to = size - this.#options.tail;
    if (!isComplete) {
      if (to - from > SPARE && freeRange(this.#options.path, from, to)) this.#freed = to;
      return false;
    }
    const next = to + startOfCharacter(file, to);
    this.#options.skip(this.#offset, next - this.#offset);
    this.#offset = next;
    return true;
  }

  #readChunk(file: number, length: number, isComplete: boolean): boolean {
    const buffer = Buffer.allocUnsafe(length);
    const read = readSync(file, buffer, 0, length, this.#offset);
    const isEnd = isComplete && read < MAX_CHUNK;
    const use = isEnd ? read : this.#options.whole(buffer.subarray(0, wholeCharacters(buffer, read)));
    if (use === 0) return false;
    this.#options.emit(this.#offset, buffer.subarray(0, use));
    this.#offset += use;
    return true;
  }
}

/** Length without the beginning of a UTF-8 character at the end. */
function wholeCharacters(bytes: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) return length;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? length - back : length;
  }
  return length;
}

/** Bytes from the position to the next that begins a UTF-8 character. */
function startOfCharacter(file: number, position: number): number {
  const bytes = Buffer.alloc(4);
  const read = readSync(file, bytes, 0, bytes.length, position);
  let skip = 0;
  while (skip < Math.min(3, read) && ((bytes[skip] as number) & 0xc0) === 0x80) skip++;
  return skip;
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
