/**
 * The state of one evaluation: variables, literal boxes, meters. Created per evaluation, never shared, never reused;
 * nothing outlives it. It decides nothing about the language; it charges, and stops the evaluation when a limit or the
 * budget is reached.
 *
 * Invariant: whatever may grow with the program's data is charged here before it is allocated.
 */
import type { Box } from "./box.ts";
import { BudgetExceeded, type Position, SelError } from "./error.ts";
import type { SelLimits } from "./limit.ts";
import type { SelValue } from "./value.ts";

/** Functions of `params`, answered synchronously. */
export interface SelExtension {
  /**
   * @returns the answer.
   * @throws ExtensionRequest to have the caller of `evaluate` fetch it; any other error fails the evaluation with
   * category `ext`.
   */
  call(method: string, args: readonly string[]): SelValue;
}

export interface EvaluateOptions {
  /**
   * Looked up when the program first reads the name (`params.x` asks each time). May call `evaluate` itself.
   * What it throws reaches the caller of `evaluate` unchanged.
   */
  readonly variables: (name: string) => SelValue | undefined;
  readonly extension?: SelExtension;
  readonly limits?: Partial<SelLimits>;
  /** Epoch milliseconds: what `System.currentTimeMillis()` and `new DateTime()` say. */
  readonly now: number;
  /** Seed of `Math.random()` and `UUID.randomUUID()`. */
  readonly seed: number;
  /** Stop with {@link BudgetExceeded} after so many visited nodes (built-in work counts too). */
  readonly budget?: { readonly visits: number };
  /** A monotonic clock in milliseconds. Without it the timeout is enforced by counting work alone. */
  readonly clock?: () => number;
}

/** Units of work that stand for a millisecond of wall time: the timeout of an evaluation without a clock. */
const WORK_PER_MILLI = 20_000;
/** How often the clock is looked at. */
const CLOCK_STRIDE = 65_536;
/** Estimated bytes that go with a visit of the inline budget: allocating takes time too. */
const BYTES_PER_VISIT = 64;
/** Growth by `+=` is not part of upstream's estimate; it is bounded by this, or by a larger memory limit. */
const GROWTH_LIMIT = 100_000_000;
/** Marks what must reach the caller of `evaluate` as it is. */
export class Passing {
  constructor(readonly cause: unknown) {}
}

export class Context {
  visits = 0;
  /** `visits` at which {@link pause} is to be called. */
  stopAt = 0;
  memory = 0;
  /** The limit, or less while a budget holds: see {@link outOfMemory}. */
  readonly memoryLimit: number;
  readonly arrayLimit: number;
  readonly loopLimit: number;
  readonly stackLimit: number;
  /** Results of statements that nothing has popped yet (sel.md §2.4, the quirk of `for`). */
  left = 0;
  /** Where the operation that runs now stands in the text. */
  at: Position | undefined = undefined;
  /** The value of the last expression statement, `return` or `throw`. */
  result: Box | undefined = undefined;
  readonly slots: (Box | undefined)[];
  readonly literals: (Box | undefined)[];
  private work = 0;
  private growth = 0;
  private random: number;
  private readonly started: number;
  private readonly limits: SelLimits;

  constructor(
    readonly options: EvaluateOptions,
    limits: SelLimits,
    slots: number,
    literals: number,
  ) {
    this.limits = limits;
    const budget = options.budget?.visits ?? Number.POSITIVE_INFINITY;
    this.memoryLimit = Math.min(limits.memory, budget * BYTES_PER_VISIT);
    this.arrayLimit = limits.array;
    this.loopLimit = limits.loop;
    this.stackLimit = limits.stack;
    this.slots = new Array<Box | undefined>(slots).fill(undefined);
    this.literals = literals === 0 ? NONE : new Array<Box | undefined>(literals).fill(undefined);
    this.random = options.seed >>> 0;
    this.started = options.clock?.() ?? 0;
    this.stopAt = this.nextStop();
  }

  private nextStop(): number {
    const budget = this.options.budget?.visits;
    let stop = Math.min(this.limits.visit, this.limits.timeoutMillis * WORK_PER_MILLI - this.work);
    if (budget !== undefined) stop = Math.min(stop, budget - this.work);
    return this.options.clock === undefined ? stop : Math.min(stop, this.visits + CLOCK_STRIDE);
  }

  /** Called when `visits` has reached `stopAt`. Returns when the evaluation may go on. */
  pause(): void {
    const { budget, clock } = this.options;
    if (budget !== undefined && this.visits + this.work >= budget.visits)
      throw new BudgetExceeded("inline budget used up");
    if (this.visits >= this.limits.visit) {
      throw new SelError(
        "limit-visit",
        `more than ${this.limits.visit} operations`,
        undefined,
        "do less, or in fewer loops",
      );
    }
    const elapsed = clock === undefined ? 0 : clock() - this.started;
    if (elapsed >= this.limits.timeoutMillis || this.visits + this.work >= this.limits.timeoutMillis * WORK_PER_MILLI) {
      throw new SelError("timeout", `took longer than ${this.limits.timeoutMillis} ms`);
    }
    this.stopAt = this.nextStop();
  }

  visit(count: number): void {
    this.visits += count;
    if (this.visits >= this.stopAt) this.pause();
  }

  /** Charges work of a built-in that is not a visited node: `units` of about ten nanoseconds. */
  toil(units: number): void {
    this.work += units;
    this.stopAt -= units;
    if (this.visits >= this.stopAt) this.pause();
  }

  /** Adds to the memory estimate. */
  charge(bytes: number): void {
    this.memory += bytes;
    if (this.memory >= this.memoryLimit) this.outOfMemory();
  }

  /** Refuses an allocation that the estimate would not have room for; charges nothing. */
  reserve(bytes: number): void {
    if (this.memory + bytes >= this.memoryLimit) this.outOfMemory();
  }

  /** Charges what upstream's estimate leaves out, against a limit of its own. */
  grow(bytes: number): void {
    this.growth += bytes;
    const limit = this.memoryLimit < this.limits.memory ? this.memoryLimit : Math.max(this.memoryLimit, GROWTH_LIMIT);
    if (this.growth >= limit) this.outOfMemory();
  }

  private outOfMemory(): never {
    if (this.memoryLimit < this.limits.memory) throw new BudgetExceeded("inline budget of memory used up");
    const message = `needs more memory than ${this.memoryLimit} bytes`;
    throw new SelError("limit-memory", message, undefined, "build smaller strings, arrays and maps");
  }

  /** A uniform number in [0, 1), the same sequence for the same seed (mulberry32, two words for 53 bits). */
  nextRandom(): number {
    return (this.nextWord() * 2097152 + (this.nextWord() >>> 11)) / 9007199254740992;
  }

  nextWord(): number {
    this.random = (this.random + 0x6d2b79f5) >>> 0;
    let t = this.random;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** Asks the caller for a variable. What the caller throws passes through unchanged. */
  variable(name: string): SelValue | undefined {
    try {
      return this.options.variables(name);
    } catch (cause) {
      throw new Passing(cause);
    }
  }
}

const NONE: (Box | undefined)[] = [];
