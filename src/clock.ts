/** Time and chance as an argument: the engine runs on this, so that a test or a simulator can hold both. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since some instant, never set back: for measuring. */
  elapsed(): number;
  /** Calls back once, at or soon after the instant (epoch ms); an instant in the past means as soon as possible. */
  at(time: number, callback: () => void): Timer;
  /** Calls back once, so many milliseconds from now, whatever becomes of the time of day. */
  after(delay: number, callback: () => void): Timer;
  /** Calls back once, in a turn of the event loop of its own: what has come in by then goes first. */
  soon(callback: () => void): Timer;
  /** In [0, 1). */
  random(): number;
}

/** `setTimeout` holds at most 2^31−1 ms; longer waits are made of several. */
const LONGEST_WAIT = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  at(time, callback) {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      const wait = Math.max(0, time - Date.now());
      handle = setTimeout(wait > LONGEST_WAIT ? arm : callback, Math.min(wait, LONGEST_WAIT));
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
  after(delay, callback) {
    const handle = setTimeout(callback, delay);
    return { cancel: () => clearTimeout(handle) };
  },
  soon(callback) {
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
  random: () => Math.random(),
};

/** Resolves in a later turn of the event loop. */
export const nextTurn = (clock: Clock): Promise<void> => new Promise((resolve) => clock.soon(resolve));

export const pause = (clock: Clock, delay: number): Promise<void> =>
  new Promise((resolve) => clock.after(delay, resolve));
