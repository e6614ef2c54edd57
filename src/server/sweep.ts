/** The part of a node that finds, now and then, what no message has told: memory and database are compared. */
import type { EnginePool } from "../flow/pool.ts";
import type { Logger } from "../log.ts";
import { metrics } from "../metric.ts";
import { countRows } from "../store/letter.ts";
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
    countOutbox(store, log);
    timer = setTimeout(sweep, INTERVAL * (0.9 + Math.random() * 0.2));
  };
  sweep();
  return { stop: () => clearTimeout(timer) };
}

const waiting = metrics.gauge(
  "maestro_outbox_waiting_rows",
  "Rows of the outbox that are still to be acted on, by topic, in the whole database; counted every 30 s.",
);
const dead = metrics.gauge(
  "maestro_outbox_dead_letters",
  "Rows of the outbox that were given up, by topic, in the whole database; counted every 30 s.",
);

/** Topics that have had rows: they show 0 when they have none any more. */
const topics = new Set<string>();

function countOutbox({ db }: OpenedDatabase, log: Logger): void {
  countRows(db.sql)
    .then((counts) => {
      for (const topic of topics) for (const gauge of [waiting, dead]) gauge.set(0, { topic });
      for (const count of counts) {
        topics.add(count.topic);
        waiting.set(count.waiting, { topic: count.topic });
        dead.set(count.dead, { topic: count.topic });
      }
    })
    .catch((error) => log.warn("the rows of the outbox are not counted", { error }));
}

/** What an earlier deletion, or the end of the process in the middle of one, has left of deleted workflows. */
function purge({ db }: OpenedDatabase, log: Logger): void {
  purgeDeleted(db.sql).catch((error) => log.warn("the purge of deleted workflows stopped", { error }));
}
