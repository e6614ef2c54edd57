/**
 * Writes the two generated lists of the source tree: the migrations of `drizzle/` and the built-in plugins. With
 * `--check` it writes nothing and fails when a list is out of date.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "..");
const NOTE = "// Made by `bun scripts/list.ts`; don't edit.";

interface Journal {
  readonly entries: readonly { readonly idx: number; readonly tag: string }[];
}

/** The path of each generated file, relative to the project, with its content. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["src/store/migration.gen.ts", await migrationList()],
    ["src/runtime/builtin.gen.ts", pluginList()],
  ]);
}

async function migrationList(): Promise<string> {
  const { entries } = (await Bun.file(join(root, "drizzle/meta/_journal.json")).json()) as Journal;
  const names = entries.map((entry) => entry.tag);
  return [
    NOTE,
    ...names.map((name, id) => `import sql${id} from "../../drizzle/${name}.sql" with { type: "text" };`),
    "",
    "export const MIGRATIONS: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [",
    ...names.map((name, id) => `  { id: ${id}, name: "${name}", sql: sql${id} },`),
    "];",
    "",
  ].join("\n");
}

/** Every folder of `plugins/` with an entry file, but for the contract itself. */
export function pluginNames(): readonly string[] {
  return [...new Glob("*/index.ts").scanSync({ cwd: join(root, "plugins") })]
    .map((path) => path.replaceAll("\\", "/").split("/")[0] ?? "")
    .filter((name) => name !== "sdk")
    .sort();
}

function pluginList(): string {
  const names = pluginNames();
  const literal = `[${names.map((name) => `"${name}"`).join(", ")}]`;
  return [
    NOTE,
    "/** The plugins inside the program: the folders of `plugins/`. */",
    `export const BUILTIN_PLUGINS: readonly string[] = ${literal};`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const isCheck = process.argv.includes("--check");
  let stale = 0;
  for (const [path, text] of await generatedFiles()) {
    const full = join(root, path);
    if (existsSync(full) && (await Bun.file(full).text()) === text) continue;
    stale++;
    if (!isCheck) await Bun.write(full, text);
    console.log(isCheck ? `${path} is out of date: run \`bun scripts/list.ts\`` : `wrote ${path}`);
  }
  if (isCheck && stale > 0) process.exit(1);
}
