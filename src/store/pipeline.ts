/**
 * A transaction on a connection of its own, its statements sent together: they cost one round trip. When one fails,
 * Postgres refuses the later ones, and the commit at the end becomes a rollback.
 */
import postgres from "postgres";
import type { Sql } from "./connection.ts";

export type Reserved = postgres.ReservedSql<{ bigint: number }>;

/** What a failed transaction is worth trying again for. */
export type Failure =
  /** Not by itself: the same rows would fail again. */
  | "permanent"
  /** The connection works, the transaction lost a race or met a shortage. */
  | "transient"
  /** The connection is gone; the transaction may have committed. */
  | "lost";

/** Classes of SQLSTATE that pass: transaction rollback, resources, operator intervention, system error, lock not available. */
const TRANSIENT = /^(08|40|53|57|58|55P03|25006|25P03)/;
const LOST = /^(CONNECTION_|CONNECT_TIMEOUT|ERR_SOCKET|ERR_STREAM|Connection|E[A-Z]{3,}$)/;

export function failureOf(error: unknown): Failure {
  if (error instanceof postgres.PostgresError) {
    if (error.severity === "FATAL" || error.severity === "PANIC" || error.code.startsWith("08")) return "lost";
    return TRANSIENT.test(error.code) ? "transient" : "permanent";
  }
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && LOST.test(code) ? "lost" : "permanent";
}

/** Classes of SQLSTATE that a row's content may cause: cardinality, data, integrity, limits, our own. Or not Postgres' at all. */
const DATA = /^(21|22|23|54|P0)|^[A-Z_]{6,}$/;

/** What was sent would be refused again. A fault of the database, not of a row, ends when an operator has mended it. */
export function isRefusal(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return failureOf(error) === "permanent" && (typeof code !== "string" || DATA.test(code));
}

/** Tries of a transaction in a row that end for a passing reason; between them, {@link pauseOf}. */
const TRIES = 8;

/** Milliseconds to wait before try number `tries` + 1: 10 ms doubled up to a second, with jitter. @param chance in [0, 1) */
export const pauseOf = (tries: number, chance: number): number => Math.min(10 * 2 ** tries, 1000) * (0.5 + chance / 2);

/**
 * Runs a whole transaction, from BEGIN to COMMIT, or a statement that is one; again when it fails for a passing reason.
 * When the connection is lost at the commit, it may have committed and is run again all the same: `work` must recognise
 * its own rows.
 */
export async function untilPassed<T>(work: () => PromiseLike<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries + 1 >= TRIES || failureOf(error) === "permanent") throw error;
      await Bun.sleep(pauseOf(tries, Math.random()));
    }
  }
}

/** {@link untilPassed} on a connection of its own, which `work` brings from BEGIN to COMMIT. */
export const transact = <T>(sql: Sql, work: (line: Reserved) => Promise<T>): Promise<T> =>
  untilPassed(() => once(sql, work));

async function once<T>(sql: Sql, work: (line: Reserved) => Promise<T>): Promise<T> {
  const line = await sql.reserve();
  try {
    const result = await work(line);
    line.release();
    return result;
  } catch (error) {
    // A lost connection goes back to its pool by itself.
    if (failureOf(error) !== "lost")
      await line`ROLLBACK`.then(
        () => line.release(),
        () => {},
      );
    throw error;
  }
}
