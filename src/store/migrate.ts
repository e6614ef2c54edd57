/**
 * Schema migrations: the files of `drizzle/`, inside the program.
 *
 * Each runs in a transaction that first takes the advisory lock and looks at what is applied, so several nodes may start
 * at once, also behind a transaction-mode pooler; what was applied is kept in `maestro_migration` with its hash.
 */
import { MaestroError } from "../error.ts";
import type { Sql, Transaction } from "./connection.ts";
import { loadMigrations, type Migration } from "./migration.ts";

export interface MigrationStatus {
  readonly applied: readonly { readonly id: number; readonly name: string; readonly appliedAt: string }[];
  /** Names, in the order in which `up` would run them. */
  readonly pending: readonly string[];
}

export interface UpOptions {
  /** No other node can use the database: it's embedded. Otherwise live nodes are looked for before the schema changes. */
  readonly isAlone?: boolean;
  /** Default: those of this program. */
  readonly migrations?: readonly Migration[];
}

interface Applied {
  readonly id: number;
  readonly name: string;
  readonly hash: string;
  readonly appliedAt: string;
}

/** Any number that nothing else in the database locks: "maestro" in ASCII, cut to fit. */
const LOCK = 0x6d_61_65_73;
/** A node whose heartbeat is older has lost its groups. */
const LEASE = "10 seconds";

/** @throws as {@link up} does, apart from live nodes. Changes nothing. */
export async function status(sql: Sql, options: Pick<UpOptions, "migrations"> = {}): Promise<MigrationStatus> {
  const migrations = options.migrations ?? (await loadMigrations());
  const [table] = await sql`SELECT to_regclass('maestro_migration') AS name`;
  const applied = table?.name === null ? [] : await readApplied(sql);
  check(applied, migrations);
  return { applied, pending: migrations.slice(applied.length).map((migration) => migration.name) };
}

/**
 * Brings the schema up to date. A migration that fails leaves the database as it was before that one.
 *
 * @returns the names of the migrations that this call ran
 * @throws PRECONDITION_FAILED when the database is newer than this program, when a migration that was applied has another
 *   content here, or when a live node still runs on the older schema
 */
export async function up(sql: Sql, options: UpOptions = {}): Promise<readonly string[]> {
  const migrations = options.migrations ?? (await loadMigrations());
  const done: string[] = [];
  for (;;) {
    const name = await sql.begin((transaction) => runNext(transaction, migrations, options.isAlone ?? false));
    if (name === undefined) return done;
    done.push(name);
  }
}

async function runNext(
  transaction: Transaction,
  migrations: readonly Migration[],
  isAlone: boolean,
): Promise<string | undefined> {
  await transaction`SELECT pg_advisory_xact_lock(${LOCK})`;
  await transaction`
    CREATE TABLE IF NOT EXISTS maestro_migration (
      id integer PRIMARY KEY, name text NOT NULL, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
  const applied = await readApplied(transaction);
  check(applied, migrations);
  const next = migrations[applied.length];
  if (!next) return undefined;
  if (!isAlone) await checkNodes(transaction, next);
  await transaction.unsafe(next.sql);
  await transaction`
    INSERT INTO maestro_migration (id, name, hash) VALUES (${next.id}, ${next.name}, ${hashOf(next)})`;
  return next.name;
}

async function readApplied(sql: Sql | Transaction): Promise<Applied[]> {
  return sql<Applied[]>`
    SELECT id, name, hash, applied_at::text AS "appliedAt" FROM maestro_migration ORDER BY id`;
}

function check(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const row of applied) {
    const known = migrations[row.id];
    if (!known) {
      throw new MaestroError(
        "PRECONDITION_FAILED",
        `The database is newer than this program: it has the migration ${row.name}, which this release doesn't know. ` +
          "Run the newer maestro release, or restore a backup from before its first start. Nothing was changed.",
      );
    }
    if (hashOf(known) !== row.hash) {
      throw new MaestroError(
        "PRECONDITION_FAILED",
        `The migration ${row.name} was applied with another content than this program's ${known.name}: the database ` +
          "belongs to another line of releases. Use the release that made it, or an empty database. Nothing was changed.",
      );
    }
  }
}

/** A node that lives has brought the schema to what it knows; so while something is pending, it is an older one. */
async function checkNodes(transaction: Transaction, next: Migration): Promise<void> {
  const [table] = await transaction`SELECT to_regclass('node') AS name`;
  if (table?.name === null) return;
  const nodes = await transaction<{ id: string; version: string }[]>`
    SELECT id, version FROM node WHERE heartbeat > now() - ${LEASE}::interval ORDER BY id`;
  if (nodes.length === 0) return;
  throw new MaestroError(
    "PRECONDITION_FAILED",
    `The schema needs the migration ${next.name}, but nodes of an older release are still running: ` +
      `${nodes.map((node) => `${node.id} (${node.version})`).join(", ")}. Stop them (one that was killed counts as ` +
      `running for ${LEASE}), then start this one again. Nothing was changed.`,
  );
}

function hashOf(migration: Migration): string {
  return new Bun.CryptoHasher("sha256").update(migration.sql.replaceAll("\r\n", "\n")).digest("hex");
}
