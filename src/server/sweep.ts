/** The part of a node that finds, now and then, what no message has told: memory and database are compared. */
import type { EnginePool } from "../flow/pool.ts";
import type { Logger } from "../log.ts";
import { purgeDeleted } from "../store/workflow.ts";
import type { OpenedDatabase } from "./database.ts";
import type { Part } from "./part.ts";

/** Memory is compared with the database this often, ms, give or take a tenth. */
const INTERVAL = 30_000;

export function startSweeping(pool: EnginePool, store: OpenedDatabase, log: Logger): Part {
  let timer: ReturnType<typeof setTimeout>;
  const sweep = (): void => {
    pool.sweep();
    purge(store, log);
    timer = setTimeout(sweep, INTERVAL * (0.9 + Math.random() * 0.2));
  };
  sweep();
  return { stop: () => clearTimeout(timer) };
}

/** What an earlier deletion, or the end of the process in the middle of one, has left of deleted workflows. */
function purge({ db }: OpenedDatabase, log: Logger): void {
  purgeDeleted(db.sql).catch((error) => log.warn("the purge of deleted workflows stopped", { error }));
}
