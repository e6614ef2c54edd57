/** Limits of one evaluation; each has its own error category. */
export interface SelLimits {
  /** UTF-16 units of the sanitized text; a text this long or longer is refused (`limit-length`). */
  readonly length: number;
  /** Completed iterations at which one loop execution is aborted (`limit-loop`). */
  readonly loop: number;
  /** Array size from which `new T[n]` and initialisers are refused (`limit-array`). */
  readonly array: number;
  /** Simultaneous operands (`limit-stack`). */
  readonly stack: number;
  /** Visited nodes (`limit-visit`). */
  readonly visit: number;
  /** Estimated bytes, cumulative over the evaluation (`limit-memory`). */
  readonly memory: number;
  /** Wall time in milliseconds (`timeout`). */
  readonly timeoutMillis: number;
}

/** The server's defaults. */
export const DEFAULT_LIMITS: SelLimits = {
  length: 10_000,
  loop: 25_001,
  array: 25_001,
  stack: 128,
  visit: 100_000_000,
  memory: 100_000_000,
  timeoutMillis: 120_000,
};
