/** What the compiler knows while it walks a tree: slots of names and of literals, and how the program is checked. */
import type { Box } from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";

/** Evaluates an expression. */
export type Code = (cx: Context) => Box;

/** What running a statement came to. */
export type Signal = 0 | 1 | 2 | 3 | 4 | 5;
export const NOTHING: Signal = 0;
/** The statement has a value: `cx.result`. */
export const VALUE: Signal = 1;
export const BREAK: Signal = 2;
export const CONTINUE: Signal = 3;
export const RETURN: Signal = 4;
export const THROWN: Signal = 5;

/** Runs a statement. */
export type Run = (cx: Context) => Signal;

export class Scope {
  private readonly slots = new Map<string, number>();
  literals = 0;
  /** The most operands that any expression holds at once. */
  deepest = 0;
  /** Bounds what statements can leave behind on the operand stack. */
  statements = 0;

  /** @param checked whether every push is compared with the limit: only for programs that may reach it. */
  constructor(readonly checked: boolean) {}

  get size(): number {
    return this.slots.size;
  }

  slot(name: string): number {
    const slot = this.slots.get(name) ?? this.slots.size;
    this.slots.set(name, slot);
    return slot;
  }

  /**
   * Notes that an operand is pushed when `depth` others are there, and charges the visits that come before it.
   * @returns what to run before the push, or undefined when the visits are all and the caller charges them itself.
   */
  push(depth: number): ((cx: Context) => void) | undefined {
    this.deepest = Math.max(this.deepest, depth + 1);
    if (!this.checked) return undefined;
    return (cx) => {
      if (depth + 1 + cx.left > cx.stackLimit) {
        throw new SelError(
          "limit-stack",
          `more than ${cx.stackLimit} operands at once`,
          undefined,
          "split the expression with variables",
        );
      }
    };
  }
}

/** Adds visits; inlined by hand where it matters. */
export function visit(cx: Context, count: number): void {
  cx.visits += count;
  if (cx.visits >= cx.stopAt) cx.pause();
}
