/** The files of `drizzle/`: on disk under `bun run`, inside the executable otherwise. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { embeddedFiles } from "bun";

export interface Migration {
  /** Counts from 0 without gaps; the file's name starts with it. */
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

const SOURCE_DIR = join(import.meta.dir, "../../drizzle");
const FILE_NAME = /(\d{4})_\w+(?=\.sql$)/;

/** @returns every migration that this program knows, in order. */
export async function loadMigrations(): Promise<readonly Migration[]> {
  const embedded = embeddedFiles.map((file) => ({ name: (file as Blob & { name: string }).name, file }));
  const isInside = embedded.some(({ name }) => FILE_NAME.test(name));
  const files = isInside
    ? embedded
    : readdirSync(SOURCE_DIR).map((name) => ({ name, file: Bun.file(join(SOURCE_DIR, name)) }));
  const migrations: Migration[] = [];
  for (const { name, file } of files) {
    const match = FILE_NAME.exec(name);
    if (match) migrations.push({ id: Number(match[1]), name: match[0], sql: await file.text() });
  }
  return migrations.sort((one, other) => one.id - other.id);
}
