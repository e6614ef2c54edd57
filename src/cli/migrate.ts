/** `maestro migrate …`: the database's schema, without a server. */

import type { Sql } from "../store/connection.ts";
import { type Arguments, JSON_OPTION, type OptionSpec } from "./argument.ts";
import { type Command, EXIT, type Io } from "./command.ts";
import { printJson, table } from "./output.ts";
import { serverLog } from "./serverlog.ts";
import { configOf, settingOptions } from "./setting.ts";

const OPTIONS: readonly OptionSpec[] = [
  { ...JSON_OPTION, summary: "Print JSON" },
  ...settingOptions("--database-url", "--data-dir", "--config"),
];

const statusCommand: Command = {
  name: "migrate status",
  summary: "Show which migrations the database has",
  positionals: [],
  options: OPTIONS,
  examples: ["migrate status", "migrate status --database-url postgres://user@db/maestro"],
  run: (args, io) =>
    withDatabase(args, io, async (sql) => {
      const { status } = await import("../store/migrate.ts");
      const { applied, pending } = await status(sql);
      if (args.has(JSON_OPTION)) printJson(io, { applied, pending }, 2);
      else {
        const rows = [...applied.map((it) => [it.name, it.appliedAt]), ...pending.map((name) => [name, "pending"])];
        io.out(table(["MIGRATION", "APPLIED"], rows));
      }
    }),
};

const upCommand: Command = {
  name: "migrate up",
  summary: "Bring the database's schema up to date",
  positionals: [],
  options: OPTIONS,
  examples: ["migrate up", "migrate up --database-url postgres://user@db/maestro"],
  detail: "`serve` does the same when it starts. It is refused while a node of an older release is running.",
  run: (args, io) =>
    withDatabase(args, io, async (sql, isAlone) => {
      const { up } = await import("../store/migrate.ts");
      const done = await up(sql, { isAlone });
      if (args.has(JSON_OPTION)) printJson(io, { applied: done }, 2);
      else for (const name of done) io.out(name);
      if (done.length === 0) io.err("The schema is up to date.");
    }),
};

/** The named database, or the embedded one, which is started for it: no server may have it meanwhile. */
async function withDatabase(
  args: Arguments,
  io: Io,
  work: (sql: Sql, isAlone: boolean) => Promise<void>,
): Promise<typeof EXIT.OK> {
  const { databaseUrl, dataDir, logFormat } = configOf(args, io);
  const { connect } = await import("../store/connection.ts");
  const embedded = databaseUrl === undefined ? await startDatabase(dataDir, logFormat, io) : undefined;
  try {
    const sql = connect(databaseUrl ?? embedded?.url ?? "", { max: 1, name: "maestro migrate" });
    try {
      await work(sql, embedded !== undefined);
    } finally {
      await sql.end({ timeout: 5 });
    }
  } finally {
    await embedded?.stop();
  }
  return EXIT.OK;
}

async function startDatabase(dataDir: string, format: "pretty" | "json", io: Io) {
  const { startEmbedded } = await import("../store/embedded/embedded.ts");
  const log = serverLog(io, { format, level: "warn" });
  return startEmbedded({ dataDir, log });
}

export const MIGRATE_COMMANDS: readonly Command[] = [statusCommand, upCommand];
