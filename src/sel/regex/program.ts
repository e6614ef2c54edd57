/** Compiles a pattern to instructions for the matcher. */
import { SelError } from "../error.ts";
import { type AnchorKind, type CharTest, lengths, type Node, type Pattern, plainText } from "./node.ts";

export type Instruction =
  /** `cost` is what the test costs beyond a step. */
  | { readonly op: "char"; readonly test: CharTest; readonly cost: number }
  /** Continue at `first`; when that fails at `second`. `id` numbers the splits. */
  | { readonly op: "split"; first: number; second: number; readonly id: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "save"; readonly slot: number }
  /** Remembers where an iteration began, to notice that it made no progress. */
  | { readonly op: "mark"; readonly slot: number }
  | { readonly op: "again"; readonly slot: number; readonly loop: number; exit: number }
  | { readonly op: "anchor"; readonly anchor: AnchorKind; readonly unix: boolean; readonly unicode: boolean }
  /** The sub-program starts at the next instruction and ends with `done`; `next` follows it. */
  | {
      readonly op: "look";
      readonly behind: boolean;
      readonly negative: boolean;
      readonly min: number;
      readonly max: number;
      next: number;
    }
  | { readonly op: "atomic"; next: number }
  | { readonly op: "back"; readonly group: number; readonly fold: boolean }
  | { readonly op: "done" };

export interface RegexProgram {
  readonly code: readonly Instruction[];
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
  /** Capture slots (two per group) and then marks. */
  readonly slots: number;
  readonly splits: number;
  /** A failed state stays failed whatever was captured: false with back references. */
  readonly memo: boolean;
  /** Set when the whole pattern is plain text. */
  readonly plain: string | undefined;
}

const MAX_SIZE = 50_000;

class Compiler {
  readonly code: Instruction[] = [];
  splits = 0;
  slots: number;
  memo = true;

  constructor(groups: number) {
    this.slots = 2 * (groups + 1);
  }

  private push<T extends Instruction>(instruction: T): T {
    if (this.code.length >= MAX_SIZE)
      throw new SelError("argument", "the regular expression is too large", undefined, "use smaller repetitions");
    this.code.push(instruction);
    return instruction;
  }

  private split(): Extract<Instruction, { op: "split" }> {
    return this.push({ op: "split", first: this.code.length + 1, second: -1, id: this.splits++ });
  }

  emit(node: Node): void {
    switch (node.kind) {
      case "empty":
        return;
      case "char":
        this.push({ op: "char", test: node.test, cost: node.cost ?? 0 });
        return;
      case "sequence":
        for (const item of node.items) this.emit(item);
        return;
      case "choice":
        return this.choice(node.items);
      case "capture":
        this.push({ op: "save", slot: node.index * 2 });
        this.emit(node.inner);
        this.push({ op: "save", slot: node.index * 2 + 1 });
        return;
      case "repeat":
        return this.repeat(node);
      case "anchor":
        this.push({ op: "anchor", anchor: node.anchor, unix: node.unix, unicode: node.unicode });
        return;
      case "look": {
        const [min, max] = node.behind ? lengths(node.inner) : [0, 0];
        const look = this.push({ op: "look", behind: node.behind, negative: node.negative, min, max, next: -1 });
        this.sub(node.inner);
        look.next = this.code.length;
        return;
      }
      case "atomic": {
        const atomic = this.push({ op: "atomic", next: -1 });
        this.sub(node.inner);
        atomic.next = this.code.length;
        return;
      }
      case "back":
        this.memo = false;
        this.push({ op: "back", group: node.group, fold: node.fold });
    }
  }

  private sub(inner: Node): void {
    this.emit(inner);
    this.push({ op: "done" });
  }

  private choice(items: readonly Node[]): void {
    const jumps: Extract<Instruction, { op: "jump" }>[] = [];
    for (const item of items.slice(0, -1)) {
      const split = this.split();
      this.emit(item);
      jumps.push(this.push({ op: "jump", to: -1 }));
      split.second = this.code.length;
    }
    this.emit(items[items.length - 1] as Node);
    for (const jump of jumps) jump.to = this.code.length;
  }

  private repeat(node: Extract<Node, { kind: "repeat" }>): void {
    if (node.mode === "possessive") return this.emit({ kind: "atomic", inner: { ...node, mode: "greedy" } });
    const start = this.code.length;
    for (let i = 0; i < node.min; i++) {
      this.emit(node.inner);
      if (this.code.length === start) return;
    }
    if (node.max === Number.POSITIVE_INFINITY) return this.star(node);
    const exits: Extract<Instruction, { op: "split" }>[] = [];
    for (let i = node.min; i < node.max; i++) {
      exits.push(this.split());
      this.emit(node.inner);
    }
    for (const exit of exits) this.aim(exit, node.mode === "lazy", this.code.length);
  }

  /** Points a split whose body follows it at its exit. */
  private aim(split: Extract<Instruction, { op: "split" }>, lazy: boolean, exit: number): void {
    split.second = lazy ? split.first : exit;
    if (lazy) split.first = exit;
  }

  private star(node: Extract<Node, { kind: "repeat" }>): void {
    const loop = this.code.length;
    const split = this.split();
    if (lengths(node.inner)[0] > 0) {
      this.emit(node.inner);
      this.push({ op: "jump", to: loop });
    } else {
      const slot = this.slots++;
      this.push({ op: "mark", slot });
      this.emit(node.inner);
      this.push({ op: "again", slot, loop, exit: this.code.length + 1 });
    }
    this.aim(split, node.mode === "lazy", this.code.length);
  }
}

export function compileRegex(pattern: Pattern): RegexProgram {
  const compiler = new Compiler(pattern.groups);
  compiler.emit(pattern.root);
  compiler.code.push({ op: "done" });
  const { code, slots, splits, memo } = compiler;
  return { code, groups: pattern.groups, names: pattern.names, slots, splits, memo, plain: plainText(pattern.root) };
}
