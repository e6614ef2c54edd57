import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack, unpack } from "../../src/store/embedded/archive.ts";

test("an unpacked archive has the files, modes and links that were packed", async () => {
  const parent = mkdtempSync(join(tmpdir(), "maestro-pack-"));
  const [source, target] = [join(parent, "source"), join(parent, "target")];
  mkdirSync(join(source, "bin/deep"), { recursive: true });
  writeFileSync(join(source, "bin/program"), Buffer.alloc(100_000, 7));
  chmodSync(join(source, "bin/program"), 0o755);
  writeFileSync(join(source, "bin/deep/data"), "");
  writeFileSync(join(source, "text"), "last");
  symlinkSync("bin/program", join(source, "link"));

  await unpack(new Uint8Array(await pack(source, 3)), target);

  expect(readFileSync(join(target, "bin/program"))).toEqual(Buffer.alloc(100_000, 7));
  expect(readFileSync(join(target, "bin/deep/data"))).toHaveLength(0);
  expect(readFileSync(join(target, "text"), "utf8")).toBe("last");
  expect(readlinkSync(join(target, "link"))).toBe("bin/program");
  expect(statSync(join(target, "bin/program")).mode & 0o111).toBe(0o111);
  expect(statSync(join(target, "text")).mode & 0o111).toBe(0);
  rmSync(parent, { recursive: true });
});
