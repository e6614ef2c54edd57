/** Categories of failure, independent of the implementation. */
export type SelCategory =
  | "parse"
  | "type"
  | "unsupported"
  | "null"
  | "index"
  | "arithmetic"
  | "number-format"
  | "argument"
  | "control-flow"
  | "thrown"
  | "invalid-return-type"
  | "ext"
  | "limit-loop"
  | "limit-array"
  | "limit-length"
  | "limit-stack"
  | "limit-visit"
  | "limit-memory"
  | "timeout"
  | "fatal";

/** A place in a program's text: `offset` in UTF-16 units from 0, `line` and `column` from 1. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Why an expression could not be parsed or evaluated. */
export class SelError extends Error {
  override readonly name = "SelError";

  constructor(
    readonly category: SelCategory,
    message: string,
    /** Where in the sanitized source; absent when the failure has no place (a limit on the whole text). */
    readonly position?: Position,
    /** What would be right, in one sentence. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** The evaluation used up its inline budget: run it again elsewhere with full limits. Not a failure of the program. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
}

/**
 * Thrown by an extension that has no answer at hand. It ends the evaluation and reaches the caller of `evaluate`
 * unchanged, who fetches the answer and evaluates again with the same clock and seed.
 */
export class ExtensionRequest extends Error {
  override readonly name = "ExtensionRequest";

  constructor(
    readonly method: string,
    readonly args: readonly string[],
  ) {
    super(`needs ${method}(${args.join(", ")})`);
  }
}
