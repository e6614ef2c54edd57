/** How often and how soon a process that has ended is replaced. An answer to a call makes a new beginning. */

/** Milliseconds before a process that has ended is replaced; twice as long after each further end. */
const FIRST_PAUSE = 100;
/** Ends without an answer between them after which it is not replaced any more. */
const MOST_ENDS = 5;
/** Milliseconds after which a call makes it be tried once more. */
export const DOWN_FOR = 30_000;
/** Processes that may end while they have a call before it is not made again. */
export const MOST_TRIES = 3;

/**
 * @param ends how many have ended since the last answer to a call
 * @returns milliseconds until the next one is started; undefined: it is given up until {@link DOWN_FOR} has passed
 */
export function pauseAfter(ends: number): number | undefined {
  return ends >= MOST_ENDS ? undefined : FIRST_PAUSE * 2 ** (ends - 1);
}
