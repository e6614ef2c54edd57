/** Time as an argument: the engine runs on this, so that a test or a simulator can hold the clock. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls back once, at or soon after the instant (epoch ms); an instant in the past means as soon as possible. */
  at(time: number, callback: () => void): Timer;
}

/** `setTimeout` holds at most 2^31−1 ms; longer waits are made of several. */
const LONGEST_WAIT = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, callback) {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const arm = (): void => {
      const wait = Math.max(0, time - Date.now());
      handle = setTimeout(wait > LONGEST_WAIT ? arm : callback, Math.min(wait, LONGEST_WAIT));
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};
