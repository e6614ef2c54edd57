/**
 * The one-file form in which a platform's Postgres travels inside the executable: zstd over
 * `u32 header length, JSON header, the files' bytes in header order`. The header keeps what a program needs of a file
 * system: relative path, size, the executable bit, and links.
 *
 * Does not decide where things go or whether they are needed: see `program.ts`.
 */
import { chmod, lstat, mkdir, open, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

type Entry =
  | { readonly path: string; readonly size: number; readonly executable: boolean }
  | { readonly path: string; readonly link: string };

/** How many files are written and flushed at the same time. */
const LANES = 16;

/** @returns the archive's bytes; `level` is zstd's (19 is slow to make, and 12 % smaller than 9). */
export async function pack(root: string, level: number): Promise<Uint8Array> {
  const entries: Entry[] = [];
  const contents: Uint8Array[] = [];
  const paths = (await readdir(root, { recursive: true })).map((path) => path.replaceAll("\\", "/")).sort();
  for (const path of paths) {
    const full = join(root, path);
    const stat = await lstat(full);
    if (stat.isSymbolicLink()) entries.push({ path, link: await readlink(full) });
    if (!stat.isFile()) continue;
    entries.push({ path, size: stat.size, executable: (stat.mode & 0o100) !== 0 });
    contents.push(await readFile(full));
  }
  const header = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Bun.zstdCompress(Buffer.concat([length, header, ...contents]), { level });
}

/** Writes the archive's files below `target`, each flushed to disk, so that a rename may follow. */
export async function unpack(archive: Uint8Array<ArrayBuffer>, target: string): Promise<void> {
  const bytes = await Bun.zstdDecompress(archive);
  const headerEnd = 4 + bytes.readUInt32LE(0);
  const entries = JSON.parse(bytes.toString("utf8", 4, headerEnd)) as Entry[];
  for (const directory of new Set(entries.map((entry) => dirname(join(target, entry.path))))) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  }
  let offset = headerEnd;
  const writes: (() => Promise<void>)[] = [];
  for (const entry of entries) {
    const path = join(target, entry.path);
    if ("link" in entry) {
      writes.push(() => symlink(entry.link, path));
      continue;
    }
    const content = bytes.subarray(offset, offset + entry.size);
    offset += entry.size;
    writes.push(() => writeDurably(path, content, entry.executable ? 0o755 : 0o644));
  }
  await inLanes(writes);
}

async function writeDurably(path: string, content: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, mode);
}

async function inLanes(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = jobs.values();
  const lane = async (): Promise<void> => {
    for (const job of queue) await job();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
