/** Ending on signals: the first asks for an orderly end, the second does not wait for it. */
import type { Io } from "./command.ts";

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process with what a shell expects of it. */
export function firstSignal(io: Io): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  io.onSignal((signal) => {
    count += 1;
    if (count > 1) io.exit(signal === "SIGINT" ? 130 : 143);
    resolve();
  });
  return promise;
}
