/**
 * What was said to the steps of a run, until it is carried out. What is read of the words may be older than what has been done
 * about them since, so a word that is heard once more after that is not followed again.
 */
import type { Word } from "../run/word.ts";

export class Said {
  readonly #open = new Map<string, Set<string>>();
  readonly #carriedOut = new Set<string>();

  /** @returns false when the word was carried out before */
  hear({ stepId, kind, createTime, after = 0 }: Word): boolean {
    if (stepId === undefined) return true;
    const key = `${stepId} ${kind} ${createTime} ${after}`;
    if (this.#carriedOut.has(key)) return false;
    const open = this.#open.get(stepId);
    if (open) open.add(key);
    else this.#open.set(stepId, new Set([key]));
    return true;
  }

  /** What was said to the step is carried out. @returns false when nothing was said to it */
  carriedOut(stepId: string): boolean {
    const open = this.#open.get(stepId);
    if (!open) return false;
    for (const key of open) this.#carriedOut.add(key);
    return this.#open.delete(stepId);
  }
}
