import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { connect, type Sql } from "../../src/store/connection.ts";
import { status, up } from "../../src/store/migrate.ts";
import { loadMigrations, type Migration } from "../../src/store/migration.ts";
import * as schema from "../../src/store/schema/index.ts";
import { emptyDatabase, type FreshDatabase, freshDatabase } from "../support/database.ts";

const FIRST: Migration = { id: 0, name: "0000_first", sql: "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);" };
const SECOND: Migration = { id: 1, name: "0001_second", sql: "ALTER TABLE a ADD COLUMN b text;" };
const BROKEN: Migration = { id: 1, name: "0001_broken", sql: "ALTER TABLE a ADD COLUMN c text; SELECT nonsense;" };

describe("migrations", () => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await emptyDatabase();
  });
  afterAll(() => database.close());

  test("run in order, once, and are remembered", async () => {
    const { sql } = database;
    expect(await status(sql, { migrations: [FIRST, SECOND] })).toEqual({
      applied: [],
      pending: ["0000_first", "0001_second"],
    });
    expect(await up(sql, { migrations: [FIRST] })).toEqual(["0000_first"]);
    expect(await up(sql, { migrations: [FIRST, SECOND] })).toEqual(["0001_second"]);
    expect(await up(sql, { migrations: [FIRST, SECOND] })).toEqual([]);
    const { applied, pending } = await status(sql, { migrations: [FIRST, SECOND] });
    expect(applied.map((row) => row.name)).toEqual(["0000_first", "0001_second"]);
    expect(pending).toEqual([]);
  });

  test("are refused when the database is newer than the program", async () => {
    const older = { migrations: [FIRST] };
    await expect(up(database.sql, older)).rejects.toThrow(/newer than this program.*0001_second/);
    await expect(status(database.sql, older)).rejects.toMatchObject({ code: "PRECONDITION_FAILED" });
  });

  test("are refused when an applied one has another content", async () => {
    const changed = { ...FIRST, sql: "CREATE TABLE other (id int)" };
    await expect(up(database.sql, { migrations: [changed, SECOND] })).rejects.toThrow(/another content/);
  });
});

test("a migration that fails leaves the database as it was", async () => {
  const { sql, close } = await emptyDatabase();
  await up(sql, { migrations: [FIRST] });
  await expect(up(sql, { migrations: [FIRST, BROKEN] })).rejects.toThrow(/nonsense/);
  expect((await status(sql, { migrations: [FIRST, SECOND] })).pending).toEqual(["0001_second"]);
  const columns = await sql`SELECT column_name FROM information_schema.columns WHERE table_name = 'a'`;
  expect(columns.map((row) => row.column_name)).toEqual(["id"]);
  await close();
});

test("several nodes that start at once migrate once", async () => {
  const { url, sql, close } = await emptyDatabase();
  const nodes = Array.from({ length: 4 }, () => connect(url, { max: 1 }));
  const done = await Promise.all(nodes.map((node) => up(node)));
  expect(done.flat().sort()).toEqual((await loadMigrations()).map((migration) => migration.name));
  await Promise.all(nodes.map((node) => node.end()));
  expect((await status(sql)).pending).toEqual([]);
  await close();
});

test("a live node of an older release holds a migration back, a dead one doesn't", async () => {
  const { sql, close } = await emptyDatabase();
  await up(sql);
  const known = await loadMigrations();
  const migrations = [...known, { id: known.length, name: "next", sql: "CREATE TABLE next (id int)" }];
  await sql`INSERT INTO node (id, url, version) VALUES ('old-1', 'http://old-1', '0.0.9')`;
  await expect(up(sql, { migrations })).rejects.toThrow(/old-1 \(0\.0\.9\)/);
  await sql`UPDATE node SET heartbeat = now() - interval '11 seconds'`;
  expect(await up(sql, { migrations })).toEqual(["next"]);
  await close();
});

/** Tables, indexes and constraints as Postgres describes them; not what only SQL can say (functions, storage). */
async function describeSchema(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{ line: string }[]>`
    SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, column_default, is_identity) AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s', sequencename, start_value, increment_by) FROM pg_sequences
    WHERE schemaname = 'public'`;
  return rows
    .map((row) => row.line)
    .filter((line) => !line.includes("maestro_migration"))
    .sort();
}

test("the migrations make what the schema of the code says", async () => {
  const [migrated, fresh] = await Promise.all([freshDatabase(), emptyDatabase()]);
  const statements = await generateMigration(generateDrizzleJson({}), generateDrizzleJson(schema));
  for (const statement of statements) await fresh.sql.unsafe(statement);
  const expected = await describeSchema(fresh.sql);
  expect(expected.length).toBeGreaterThan(20);
  // Beyond the tables of the code, a migration of its own may add indexes that only its SQL describes.
  const actual = (await describeSchema(migrated.sql)).filter(
    (line) => expected.includes(line) || !line.startsWith("CREATE INDEX"),
  );
  expect(actual).toEqual([...expected]);
  await Promise.all([migrated.close(), fresh.close()]);
});

test("migrations are numbered without gaps", async () => {
  const ids = (await loadMigrations()).map((migration) => migration.id);
  expect(ids).toEqual(ids.map((_, index) => index));
});
