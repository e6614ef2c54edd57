/**
 * Files that grow, passed on as log chunks. One timer looks after all of them and rests when there are none; a file is
 * open only while it is read, so that hundreds of attempts hold no descriptors.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

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
  emit(offset: number, bytes: Buffer): void;
}

export class FileFollower {
  readonly #options: FollowOptions;
  readonly #stop: () => void;
  #offset: number;
  #stopped = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#offset = options.offset;
    this.#stop = options.ticker.add(() => void this.#read(false, CHUNKS_A_LOOK));
  }

  /** Passes on what is left of a complete file, as fast as the receiver takes it. */
  async end(): Promise<void> {
    while (!this.#stopped && this.#read(true, CHUNKS_A_LOOK)) await Bun.sleep(this.#options.ready() ? 0 : LOG_INTERVAL);
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
        if (!this.#readChunk(file, Math.min(MAX_CHUNK, size - this.#offset), isComplete)) return false;
      }
      return this.#offset < size;
    } catch {
      return false; // the disk's trouble is not the step's: the log ends here
    } finally {
      closeSync(file);
    }
  }

  #readChunk(file: number, length: number, isComplete: boolean): boolean {
    const buffer = Buffer.allocUnsafe(length);
    const read = readSync(file, buffer, 0, length, this.#offset);
    const isEnd = isComplete && read < MAX_CHUNK;
    const use = isEnd ? read : wholeCharacters(buffer, read);
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

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
