/**
 * A backtracking matcher that remembers which states have failed, so that it never tries one twice: time is linear in
 * the size of the program times the length of the text. Back references make states depend on what was captured; such
 * programs are not remembered, and pay for their steps twenty times over. Every step is charged.
 *
 * It does not parse patterns and knows nothing of boxes.
 */
import { namedSet, vertical, word } from "./charset.ts";
import type { Instruction, RegexProgram } from "./program.ts";

/** What the matcher asks of the evaluation that it runs in. */
export interface Meter {
  toil(units: number): void;
  grow(bytes: number): void;
}

const UNSET = -1;
const BATCH = 512;
const CHUNK_BITS = 1 << 15;

/** The states that are known to fail: one bit for each split at each index, in chunks made as needed. */
class Failed {
  private readonly chunks = new Map<number, Uint32Array>();
  private touched: number[] = [];

  constructor(private readonly meter: Meter) {}

  /** @returns whether the state was there already. */
  add(state: number): boolean {
    const key = Math.floor(state / CHUNK_BITS);
    const chunk = this.chunks.get(key) ?? this.makeChunk(key);
    const bit = state - key * CHUNK_BITS;
    const mask = 1 << (bit & 31);
    const known = chunk[bit >>> 5] as number;
    if ((known & mask) !== 0) return true;
    if (known === 0) this.touched.push(state - (bit & 31));
    chunk[bit >>> 5] = known | mask;
    return false;
  }

  private makeChunk(key: number): Uint32Array {
    this.meter.grow(CHUNK_BITS / 8);
    const chunk = new Uint32Array(CHUNK_BITS / 32);
    this.chunks.set(key, chunk);
    return chunk;
  }

  clear(): void {
    if (this.touched.length === 0) return;
    for (const state of this.touched) {
      const key = Math.floor(state / CHUNK_BITS);
      const chunk = this.chunks.get(key);
      if (chunk !== undefined) chunk[(state - key * CHUNK_BITS) >>> 5] = 0;
    }
    this.touched = [];
  }
}

const unicodeWord = namedSet("word", true);

export class Matcher {
  /** Start and end of group 0, 1, …, or -1; then loop marks. */
  private slots: Int32Array;
  private readonly failed: Failed;
  private steps = 0;
  /** Alternatives: instruction and index; or ~slot and its former value. */
  private readonly stack: number[] = [];
  private last = 0;

  constructor(
    private readonly program: RegexProgram,
    private readonly text: string,
    private readonly meter: Meter,
  ) {
    this.slots = new Int32Array(program.slots).fill(UNSET);
    this.failed = new Failed(meter);
  }

  get start(): number {
    return this.slots[0] as number;
  }

  get end(): number {
    return this.slots[1] as number;
  }

  /** The text of a group, undefined when it took no part. */
  group(index: number): string | undefined {
    const start = this.slots[index * 2] as number;
    const end = this.slots[index * 2 + 1] as number;
    return start < 0 || end < 0 ? undefined : this.text.slice(start, end);
  }

  groupLength(index: number): number {
    return (this.slots[index * 2] as number) < 0
      ? 0
      : Math.max(0, (this.slots[index * 2 + 1] as number) - (this.slots[index * 2] as number));
  }

  /** Looks for the next match, from `from` on. */
  find(from: number): boolean {
    const { plain } = this.program;
    if (plain !== undefined) return this.findPlain(plain, from);
    this.failed.clear();
    for (let at = from; at <= this.text.length; at++) {
      this.slots.fill(UNSET);
      this.stack.length = 0;
      const end = this.run(0, at, this.failed, 0);
      if (end >= 0) {
        this.slots[0] = at;
        this.slots[1] = end;
        this.last = end;
        this.settle();
        return true;
      }
    }
    this.settle();
    return false;
  }

  private findPlain(plain: string, from: number): boolean {
    const at = this.text.indexOf(plain, from);
    this.steps += 2 + (((at < 0 ? this.text.length : at) - from) >> 4);
    this.settle();
    if (at < 0) return false;
    this.slots[0] = at;
    this.slots[1] = at + plain.length;
    this.last = at + plain.length;
    return true;
  }

  private settle(): void {
    if (this.steps === 0) return;
    const steps = this.steps;
    this.steps = 0;
    this.meter.toil(this.program.memo ? steps : steps * 20);
  }

  private step(): void {
    if (++this.steps >= BATCH) this.settle();
    // Alternatives that pile up are memory too.
    if ((this.stack.length & 0xffff) === 0xffff) this.meter.grow(1 << 19);
  }

  private set(slot: number, value: number): void {
    this.stack.push(~slot, this.slots[slot] as number);
    this.slots[slot] = value;
  }

  /** Runs from an instruction until `done`; `base` is where this run's stack starts. @returns the index reached, or -1. */
  private run(first: number, from: number, failed: Failed, base: number): number {
    const { code, memo } = this.program;
    let pc = first;
    let at = from;
    for (;;) {
      this.step();
      const instruction = code[pc] as Instruction;
      let next = -1;
      switch (instruction.op) {
        case "char": {
          this.steps += instruction.cost;
          const unit = this.text.codePointAt(at);
          if (unit !== undefined && instruction.test(unit)) {
            next = pc + 1;
            at += unit > 0xffff ? 2 : 1;
          }
          break;
        }
        case "split":
          if (memo && failed.add(at * this.program.splits + instruction.id)) break;
          this.stack.push(instruction.second, at);
          next = instruction.first;
          break;
        case "jump":
          next = instruction.to;
          break;
        case "save":
        case "mark":
          this.set(instruction.slot, at);
          next = pc + 1;
          break;
        case "again":
          next = this.slots[instruction.slot] === at ? instruction.exit : instruction.loop;
          break;
        case "anchor":
          if (this.holds(instruction, at)) next = pc + 1;
          break;
        case "look":
        case "atomic":
        case "back": {
          const end = this.special(instruction, pc, at);
          if (end < 0) break;
          at = end;
          next = instruction.op === "back" ? pc + 1 : instruction.next;
          break;
        }
        case "done":
          return at;
      }
      if (next < 0) {
        next = this.backtrack(base);
        if (next < 0) return -1;
        at = this.resumeAt;
      }
      pc = next;
    }
  }

  /** Instructions that look further than one character. @returns where they end, or -1. */
  private special(
    instruction: Extract<Instruction, { op: "look" | "atomic" | "back" }>,
    pc: number,
    at: number,
  ): number {
    switch (instruction.op) {
      case "look":
        return this.look(instruction, pc + 1, at) ? at : -1;
      case "atomic":
        return this.isolated(pc + 1, at, true);
      case "back":
        return this.repeated(instruction, at);
    }
  }

  private resumeAt = 0;

  private backtrack(base: number): number {
    const { stack } = this;
    while (stack.length > base) {
      const value = stack.pop() as number;
      const key = stack.pop() as number;
      if (key >= 0) {
        this.resumeAt = value;
        return key;
      }
      this.slots[~key] = value;
    }
    return -1;
  }

  /** Runs a sub-program that is not entered again by backtracking; captures stay when `keep`. */
  private isolated(pc: number, at: number, keep: boolean): number {
    const base = this.stack.length;
    const before = this.slots.slice();
    const end = this.run(pc, at, new Failed(this.meter), base);
    this.stack.length = base;
    if (end >= 0 && keep) {
      const after = this.slots;
      for (let slot = 0; slot < after.length; slot++) {
        if (before[slot] !== after[slot]) this.stack.push(~slot, before[slot] as number);
      }
    } else {
      this.slots = before;
    }
    return end;
  }

  private look(look: Extract<Instruction, { op: "look" }>, pc: number, at: number): boolean {
    if (!look.behind) return this.isolated(pc, at, !look.negative) >= 0 !== look.negative;
    for (let back = look.min; back <= Math.min(look.max, at); back++) {
      if (this.endsAt(pc, at - back, at)) return !look.negative;
    }
    return look.negative;
  }

  /** Whether the sub-program can match exactly from `from` to `to`. */
  private endsAt(pc: number, from: number, to: number): boolean {
    const base = this.stack.length;
    const before = this.slots.slice();
    const failed = new Failed(this.meter);
    let end = this.run(pc, from, failed, base);
    while (end >= 0 && end !== to) {
      const next = this.backtrack(base);
      end = next < 0 ? -1 : this.run(next, this.resumeAt, failed, base);
    }
    this.stack.length = base;
    if (end < 0) this.slots = before;
    return end >= 0;
  }

  private repeated({ group, fold }: Extract<Instruction, { op: "back" }>, at: number): number {
    const captured = group > this.program.groups ? undefined : this.group(group);
    if (captured === undefined) return -1;
    this.steps += captured.length;
    const found = this.text.slice(at, at + captured.length);
    const same = fold ? found.toLowerCase() === captured.toLowerCase() : found === captured;
    return same ? at + captured.length : -1;
  }

  private holds({ anchor, unix, unicode }: Extract<Instruction, { op: "anchor" }>, at: number): boolean {
    const { length } = this.text;
    switch (anchor) {
      case "start":
        return at === 0;
      case "end":
        return at === length;
      case "previous":
        return at === this.last;
      case "lineStart":
        return at === 0 || (at < length && this.breakEndsAt(at, unix));
      case "lineEnd":
        return at === length || this.breakStartsAt(at, unix);
      case "last":
        return at === length || (this.breakStartsAt(at, unix) && at + this.breakLength(at) === length);
      case "word":
        return this.isWord(at - 1, unicode) !== this.isWord(at, unicode);
      case "notWord":
        return this.isWord(at - 1, unicode) === this.isWord(at, unicode);
    }
  }

  private isWord(at: number, unicode: boolean): boolean {
    const code = this.text.charCodeAt(at);
    return !Number.isNaN(code) && (unicode ? unicodeWord(code) : word(code));
  }

  private isBreak(at: number, unix: boolean): boolean {
    const code = this.text.charCodeAt(at);
    return unix ? code === 10 : code !== 11 && code !== 12 && vertical(code);
  }

  private breakLength(at: number): number {
    return this.text.startsWith("\r\n", at) ? 2 : 1;
  }

  private breakStartsAt(at: number, unix: boolean): boolean {
    if (!this.isBreak(at, unix)) return false;
    return unix || !(this.text[at] === "\n" && this.text[at - 1] === "\r");
  }

  private breakEndsAt(at: number, unix: boolean): boolean {
    if (!this.isBreak(at - 1, unix)) return false;
    return unix || !(this.text[at - 1] === "\r" && this.text[at] === "\n");
  }
}
