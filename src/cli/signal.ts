/** Ending on signals: the first asks for an orderly end, a second one does not wait for it. */
import { EXIT, type Io } from "./command.ts";

/**
 * What comes within this time of the first signal is the first signal, ms: npx and `bun run` pass signals on that the
 * program has had already, as a member of their process group.
 */
const SAME_SIGNAL = 500;

/** Aborted at the first SIGINT, SIGTERM or SIGHUP, which is its reason. A second one, more than half a second later, ends the process. */
export function firstSignal(io: Pick<Io, "onSignal" | "exit">, now = () => performance.now()): AbortSignal {
  const first = new AbortController();
  let since: number | undefined;
  io.onSignal((signal) => {
    since ??= now();
    if (now() - since > SAME_SIGNAL) io.exit(EXIT[signal]);
    first.abort(signal);
  });
  return first.signal;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
