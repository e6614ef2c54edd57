/** `bun run demo`: installs and builds what is missing or out of date, then `dist/maestro demo`. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dir, "..");
const program = join(root, "dist", process.platform === "win32" ? "maestro.exe" : "maestro");
/** What the executable is made of. */
const SOURCES = [
  "src/**/*",
  "plugins/**/*.ts",
  "drizzle/*.sql",
  "examples/etl/*",
  "scripts/build.ts",
  "package.json",
  "bun.lock",
];

async function run(...command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], { cwd: root, stdio: ["inherit", "inherit", "inherit"] });
  // Ctrl-C reaches the child, too: it ends in its own time.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return child.exited;
}

async function must(what: string, ...command: readonly string[]): Promise<void> {
  process.stderr.write(`${what}…\n`);
  const code = await run(...command);
  if (code !== 0) process.exit(code);
}

async function isInstalled(): Promise<boolean> {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const found = await Promise.all(
    wanted.map(async ([name, version]) => {
      const file = Bun.file(join(root, "node_modules", name, "package.json"));
      return (await file.exists()) && (await file.json()).version === version;
    }),
  );
  return found.every(Boolean);
}

function isBuilt(): boolean {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  return SOURCES.every((pattern) =>
    [...new Glob(pattern).scanSync({ cwd: root })]
      .filter((path) => !path.includes("node_modules"))
      .every((path) => statSync(join(root, path)).mtimeMs <= built),
  );
}

if (!(await isInstalled())) await must("Installing dependencies", process.execPath, "install", "--frozen-lockfile");
if (!isBuilt()) await must("Building dist/maestro", process.execPath, "scripts/build.ts");
process.exitCode = await run(program, "demo", ...process.argv.slice(2));
