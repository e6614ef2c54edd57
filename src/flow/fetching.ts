/**
 * Evaluations that ask other runs: the answers are read from the store, and the evaluation is made again with them, until
 * it asks for nothing more. Its clock, its seed and what it sees of its own run are the same each time.
 *
 * Bounded: how often an evaluation asks, how many characters its answers have together, and how many evaluations hold
 * answers at a time; the others wait for their turn. What the store can't answer for good is the expression's own error;
 * while the database is away the evaluation waits, as the flow's rows do.
 */
import { type Clock, pause } from "../clock.ts";
import { MaestroError, toErrorData } from "../error.ts";
import { LOOP_SIZE_LIMIT } from "../param/scope.ts";
import {
  type Asked,
  type ChildAnswer,
  childQuestion,
  isChildCall,
  type ParamQuestion,
  type ParamRows,
} from "../run/child.ts";
import type { EvaluationJob, EvaluationSetting } from "../run/evaluation.ts";
import { evaluateJob } from "../run/evaluation.ts";
import { BudgetExceeded, ExtensionRequest } from "../sel/index.ts";

export interface FetchingOptions extends EvaluationSetting {
  /** Nodes that one evaluation may visit on this thread. */
  readonly inlineVisits: number;
  /** Carries a job out on the evaluation thread. Rejects with what the evaluation threw. */
  elsewhere(job: EvaluationJob): Promise<unknown>;
  /** Rejects with what the question fails with for good. */
  fetch(question: ParamQuestion): Promise<ParamRows>;
}

/** Answers of one evaluation. */
const MOST_ANSWERS = 100;
/** Evaluations that hold answers at a time. */
const MOST_AT_ONCE = 8;
/** Characters of answers with which an evaluation is tried on this thread. */
const SMALL = 10_000;

/** What an evaluation in a step asks about a step of its run. */
export type About = (stepId: string) => Asked;

export class Fetching {
  readonly #options: FetchingOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: FetchingOptions) {
    this.#options = options;
  }

  /**
   * @param request what the first pass has asked for; undefined: there was none, only too much to do for this thread
   * @param about undefined: not in a step
   */
  async carryOut(job: EvaluationJob, about: About | undefined, request?: ExtensionRequest): Promise<unknown> {
    if (request) return this.#inTurn(() => this.#answered(job, about, request));
    try {
      return await this.#options.elsewhere(job);
    } catch (error) {
      if (!(error instanceof ExtensionRequest)) throw error;
      return this.#inTurn(() => this.#answered(job, about, error));
    }
  }

  async #answered(job: EvaluationJob, about: About | undefined, first: ExtensionRequest): Promise<unknown> {
    const answers: ChildAnswer[] = [];
    let room = this.#options.loops?.maxChars ?? LOOP_SIZE_LIMIT;
    for (let request = first; ; ) {
      const { answer, chars } = await this.#answer(request, about, answers.length, room);
      answers.push(answer);
      room -= chars;
      try {
        return await this.#evaluate({ ...job, answers });
      } catch (error) {
        if (!(error instanceof ExtensionRequest)) throw error;
        request = error;
      }
    }
  }

  async #answer({ method, args }: ExtensionRequest, about: About | undefined, count: number, room: number) {
    const call = { method, args };
    try {
      if (count >= MOST_ANSWERS) throw new Error(`an evaluation may ask other runs ${MOST_ANSWERS} times at most`);
      if (!isChildCall(call)) throw new Error("it has no answer here");
      if (about === undefined) throw new Error("it works inside a step only");
      const { question, ...shape } = childQuestion(call.method, call.args, about(call.args[0]), room);
      const { rows, chars } = await this.#options.fetch(question);
      if (rows === undefined) throw new Error(tooLarge(chars, room, this.#options.loops?.maxChars ?? LOOP_SIZE_LIMIT));
      return { answer: { ...call, ...shape, rows }, chars };
    } catch (error) {
      return { answer: { ...call, error: toErrorData(error).message }, chars: 0 };
    }
  }

  /** On this thread while that is little work, or else with the full limits. */
  async #evaluate(job: EvaluationJob): Promise<unknown> {
    const size = (job.answers ?? []).reduce((sum, { rows }) => sum + (rows?.length ?? 0), 0);
    if (size > SMALL) return this.#options.elsewhere(job);
    try {
      return evaluateJob(job, this.#options, { visits: this.#options.inlineVisits });
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      return this.#options.elsewhere(job);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

const tooLarge = (chars: number, room: number, most: number): string =>
  `its values have ${chars} characters as JSON; ${room < most ? `${room} are left of ` : ""}the limit` +
  ` for what an evaluation reads of other runs is ${most}`;

/** Between two attempts to ask a database that is away, ms: from the first to the last. */
const BACKOFF = { first: 100, last: 5_000 } as const;

/** Asks until the database answers: only failures for good come through. */
export function patiently<Q, A>(clock: Clock, ask: (question: Q) => Promise<A>): (question: Q) => Promise<A> {
  return async (question) => {
    for (let wait: number = BACKOFF.first; ; wait = Math.min(wait * 2, BACKOFF.last)) {
      try {
        return await ask(question);
      } catch (error) {
        if (!(error instanceof MaestroError && error.retryable)) throw error;
        await pause(clock, wait);
      }
    }
  };
}
