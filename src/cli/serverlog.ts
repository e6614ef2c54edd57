/** The log of a server that a command runs: on stderr, within a bound. */
import { createLogger, type Logger, type LogStyle } from "../log.ts";
import type { Io } from "./command.ts";

/** Characters that may wait for stderr's reader. What comes beyond them is left out: a server does not fill up for it. */
const MOST_WAITING = 1 << 20;

/** @param most characters that may wait for the reader; default 2^20 */
export function serverLog(io: Io, style: LogStyle, most = MOST_WAITING): Logger {
  let waiting = 0;
  let leftOut = 0;
  const log = createLogger({ ...style, write });

  function write(lines: string): void {
    if (waiting > 0 && waiting + lines.length > most) {
      leftOut += lines.split("\n").length - 1;
      return;
    }
    waiting += lines.length;
    io.log(lines, () => {
      waiting -= lines.length;
      if (leftOut === 0 || waiting > 0) return;
      const missing = leftOut;
      leftOut = 0;
      log.warn("the log is read too slowly, so lines of it were left out", { lines: missing });
    });
  }
  return log;
}
