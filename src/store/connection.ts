/**
 * Connections to Postgres, with the store's view of its types: `bigint` as a JS number (what the schema keeps there is
 * within ±2^53), `json` and `jsonb` as their raw text in both directions (`parseJson` and `stringifyJson` keep numbers
 * faithful). Other types are as postgres.js has them.
 */
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { MaestroError } from "../error.ts";
import { stringifyJson } from "../json.ts";

/** A pool of connections, as tagged templates. */
export type Sql = postgres.Sql<{ bigint: number }>;
/** A piece of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;
/** What statements inside `sql.begin` run on. */
export type Transaction = postgres.TransactionSql<{ bigint: number }>;

/** One pool in both forms: tagged templates for batches, drizzle for prepared point queries. */
export interface Database {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  /** The most connections that are open at a time. */
  readonly max: number;
  /** What `pg_stat_activity` calls us. Default: `maestro`. */
  readonly name?: string;
  /** Seconds without a statement after which a connection is closed. Default: never. */
  readonly idleSeconds?: number;
}

/** The oldest Postgres that the statements run on, as `server_version_num` counts. */
const MIN_VERSION = 150_000;
const CLOSE_TIMEOUT_S = 5;

const TYPES = {
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
  json: {
    to: 114,
    from: [114, 3802],
    serialize: (value: unknown) => (typeof value === "string" ? value : stringifyJson(value)),
    parse: (text: string) => text,
  },
};

/**
 * Opens nothing yet: a connection is made when a statement needs one, and again when it is lost.
 *
 * @param url `postgres://…`. Beside libpq's parameters: `host=/directory` for a Unix socket; `prepare=false` (or
 *   `pgbouncer=true`) for a pooler in transaction mode, which also turns pipelining off.
 */
export function connect(url: string, { max, name = "maestro", idleSeconds }: ConnectionOptions): Sql {
  const { target, socketDir, isPooled } = readUrl(url);
  return postgres(target, {
    max,
    ...(socketDir === undefined ? {} : { path: `${socketDir}/.s.PGSQL.5432` }),
    ...(isPooled ? { prepare: false, max_pipeline: 0 } : {}),
    connect_timeout: 10,
    max_lifetime: null,
    ...(idleSeconds === undefined ? {} : { idle_timeout: idleSeconds }),
    backoff: (retries: number) => Math.min(0.02 * 2 ** retries, 1),
    connection: {
      application_name: name,
      // Statements are few and prepared; planning them anew for every call costs more than running them, and so does
      // compiling those of which Postgres expects too much.
      ...(isPooled ? {} : { plan_cache_mode: "force_generic_plan", jit: "off" }),
    },
    onnotice: () => {},
    types: TYPES as unknown as { bigint: postgres.PostgresType<number> },
  });
}

/** A pool for the store; drizzle gets the same one, whose parsers it changes only for dates (they come as text). */
export function openDatabase(url: string, options: ConnectionOptions): Database {
  const sql = connect(url, options);
  return { sql, orm: drizzle(sql), close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }) };
}

/** @throws PRECONDITION_FAILED when the server is older than Postgres 15. */
export async function checkServer(sql: Sql): Promise<void> {
  const [row] = await sql<{ number: string; name: string }[]>`
    SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS name`;
  if (row && Number(row.number) >= MIN_VERSION) return;
  throw new MaestroError(
    "PRECONDITION_FAILED",
    `The database server is Postgres ${row?.name}; maestro needs Postgres 15 or newer. ` +
      "Upgrade the server, or leave --database-url out to use the embedded Postgres.",
  );
}

interface Target {
  /** The URL without the parameters that only we know. */
  readonly target: string;
  readonly socketDir: string | undefined;
  readonly isPooled: boolean;
}

function readUrl(text: string): Target {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badUrl();
  }
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw badUrl();
  const host = url.searchParams.get("host") ?? undefined;
  const isPooled = url.searchParams.get("prepare") === "false" || url.searchParams.get("pgbouncer") === "true";
  for (const name of ["host", "prepare", "pgbouncer"]) url.searchParams.delete(name);
  if (isPooled) url.searchParams.delete("max_pipeline");
  if (host !== undefined && !host.startsWith("/")) url.hostname = host;
  return { target: url.href, socketDir: host?.startsWith("/") ? host : undefined, isPooled };
}

function badUrl(): MaestroError {
  return new MaestroError(
    "BAD_REQUEST",
    "The database URL is not a Postgres URL. Right would be: postgres://user:password@host:5432/database",
  );
}
