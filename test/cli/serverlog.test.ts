/** A server's log whose reader stalls. */
import { expect, test } from "bun:test";
import type { Io } from "../../src/cli/command.ts";
import { serverLog } from "../../src/cli/serverlog.ts";

function stalled() {
  const taken: string[] = [];
  const waiting: { readonly lines: string; readonly written: () => void }[] = [];
  const io = {
    log: (lines: string, written: () => void) => void waiting.push({ lines, written }),
  } as Partial<Io> as Io;
  return {
    io,
    waiting,
    taken,
    read(): void {
      for (const { lines, written } of waiting.splice(0)) {
        taken.push(lines);
        written();
      }
    },
  };
}

test("lines wait for their reader within a bound; what is left out is counted, and said once there is room", () => {
  const reader = stalled();
  const log = serverLog(reader.io, { format: "json", level: "info" }, 1000);
  for (let count = 0; count < 1000; count++) log.info("x".repeat(100));
  log.pass(`${"y".repeat(100)}\n${"y".repeat(100)}\n`);
  const kept = reader.waiting.length;
  expect(kept).toBeGreaterThan(3);
  expect(kept).toBeLessThan(10);
  reader.read();
  reader.read();
  expect(reader.taken.length).toBe(kept + 1);
  expect(JSON.parse(reader.taken.at(-1) ?? "")).toMatchObject({ level: "warn", lines: 1002 - kept });
  log.info("again");
  reader.read();
  expect(JSON.parse(reader.taken.at(-1) ?? "")).toMatchObject({ message: "again" });
});

test("a line longer than the bound is written when nothing waits", () => {
  const reader = stalled();
  serverLog(reader.io, { format: "json", level: "info" }, 10).info("longer than ten");
  expect(reader.waiting).toHaveLength(1);
});
