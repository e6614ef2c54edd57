/**
 * Giving the disk back the middle of a file that another process goes on writing: the file keeps its size, and reads as
 * zeros there. By Linux' own call, which no library of Bun or Node has; where it can't be done, the file stays whole.
 */
import { dlopen, FFIType } from "bun:ffi";
import { closeSync, openSync } from "node:fs";

/** FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE of <linux/falloc.h>. */
const PUNCH_HOLE = 0x01 | 0x02;

type Fallocate = (file: number, mode: number, offset: bigint, length: bigint) => number;

let known: Fallocate | null | undefined;

function fallocate(): Fallocate | null {
  if (known !== undefined) return known;
  known = null;
  if (process.platform !== "linux") return known;
  const { i32, i64 } = FFIType;
  for (const library of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      const { symbols } = dlopen(library, { fallocate: { args: [i32, i32, i64, i64], returns: i32 } });
      known = symbols.fallocate as Fallocate;
      break;
    } catch {
      // Another C library.
    }
  }
  return known;
}

/** @returns whether the disk has the bytes from `from` to `to` back */
export function freeRange(path: string, from: number, to: number): boolean {
  const punch = fallocate();
  if (punch === null) return false;
  try {
    const file = openSync(path, "r+");
    try {
      return punch(file, PUNCH_HOLE, BigInt(from), BigInt(to - from)) === 0;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
