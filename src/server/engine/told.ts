/** Starts that have stopped other runs: who is told of it. */
import type { EngineEvents } from "../../flow/engine.ts";
import { reportRun, STOPPED_BY_STRATEGY } from "../../flow/report.ts";
import type { Logger } from "../../log.ts";
import type { StartEffects } from "../../store/start.ts";

/** Those that waited have ended with it, and the owners of their parents see to that; the others' owners end them. */
export function told({ stopped, stopping }: StartEffects, log: Logger, events: Pick<EngineEvents, "hint">): void {
  for (const run of stopped) reportRun(log, run, "STOPPED", STOPPED_BY_STRATEGY);
  const hints = [...stopping, ...stopped.flatMap(({ parent }) => parent ?? [])];
  if (hints.length > 0) events.hint(hints);
}
