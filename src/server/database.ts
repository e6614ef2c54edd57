/** The node's database: the embedded one or the one that the configuration names, checked and migrated. */
import type { Logger } from "../log.ts";
import { checkServer, type Database, openDatabase } from "../store/connection.ts";
import { type EmbeddedOptions, startEmbedded } from "../store/embedded/embedded.ts";
import { Leases } from "../store/lease.ts";
import { up } from "../store/migrate.ts";
import type { Config } from "./config.ts";

export interface OpenedDatabase {
  readonly db: Database;
  /** For further connections. Holds a password. */
  readonly url: string;
  /** How many groups flows are spread over: what the first node of the database asked for, or more. */
  readonly groups: number;
  stop(): Promise<void>;
}

/** Connections of the HTTP side. */
const CONNECTIONS = 8;

/**
 * @param options for the embedded database
 * @throws MaestroError that says what is in the way and what to do
 */
export async function openStore(
  config: Config,
  log: Logger,
  options: Pick<EmbeddedOptions, "scratch" | "giveUp">,
): Promise<OpenedDatabase> {
  const { dataDir, databaseUrl } = config;
  const embedded = databaseUrl === undefined ? await startEmbedded({ dataDir, log, ...options }) : undefined;
  const url = databaseUrl ?? embedded?.url ?? "";
  const db = openDatabase(url, { max: CONNECTIONS, name: "maestro api" });
  const stop = async (): Promise<void> => {
    await db.close();
    await embedded?.stop();
  };
  try {
    await checkServer(db.sql);
    const done = await up(db.sql, { isAlone: embedded !== undefined });
    if (done.length > 0) log.info("database migrated", { migrations: done.join(", ") });
    const leases = new Leases(db.sql);
    // The directory is locked, so every node that owned groups has died: no need to wait for the end of its lease.
    if (embedded) await leases.releaseEverything();
    return { db, url, groups: await leases.ensureGroups(config.groups), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
