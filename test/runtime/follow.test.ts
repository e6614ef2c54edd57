/** Logs on their way from a job's files to the commit: in order, within bounds, and with an end however long they are. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineStepType, type Follower, type StepContext, z } from "@maestro/sdk";
import type { LogChunk } from "../../src/runtime/type.ts";
import { contextOf, type Driver, inPlace } from "./harness.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "maestro-follow-"));
  file = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Follows the file until it is woken, then passes on what is left. */
function follower(): { readonly type: ReturnType<typeof defineStepType>; context(): StepContext<unknown> } {
  let context: StepContext<unknown> | undefined;
  let following: Follower | undefined;
  const type = defineStepType({
    type: "follow",
    version: "1.0.0",
    title: "Follow",
    params: z.strictObject({}),
    start(given) {
      context = given;
      following = given.follow("stdout", file);
      return { state: "CONTINUE" };
    },
    async execute() {
      await following?.end();
      return { state: "DONE" };
    },
    terminate: () => ({ state: "STOPPED" }),
  });
  return { type, context: () => context as StepContext<unknown> };
}

const bytesOf = (chunks: readonly LogChunk[]): number => chunks.reduce((sum, { length }) => sum + length, 0);
const textOf = ({ chunks }: Driver): string => chunks.map(({ text }) => text).join("");

/** Lines `1`, `2`, … of ten bytes each. */
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `${String(from + index).padStart(9, "0")}\n`).join("");

test("a file is read no further than a bound ahead of the commits, and whole in the end", async () => {
  const whole = lines(0, 200_000);
  writeFileSync(file, whole);
  const { type, context } = follower();
  using driver = inPlace(folder, [type]);
  driver.commits = false;
  const attempt = contextOf("follow", {});
  const run = driver.finish(attempt, await driver.client.start(attempt));
  let told = 0;
  while (bytesOf(driver.chunks) === 0) await Bun.sleep(1);
  context().wake();
  for (;;) {
    const sent = bytesOf(driver.chunks);
    expect(sent - told).toBeLessThanOrEqual(256 * 1024 + 32 * 1024);
    if (sent === whole.length) break;
    // What is said to be stored makes room for as much, and no more.
    const next = Math.min(sent, told + 64 * 1024);
    driver.client.stored(attempt.uuid, next - told);
    told = next;
    await Bun.sleep(1);
  }
  expect((await run).state).toBe("DONE");
  expect(textOf(driver)).toBe(whole);
});

test("of a file beyond the limit the beginning and the end are kept, and the cut says how much is missing", async () => {
  const limit = 1_000_000;
  writeFileSync(file, lines(0, 300_000));
  // The end begins within a character.
  appendFileSync(file, "ü".repeat(24_999));
  const { type, context } = follower();
  using driver = inPlace(folder, [type], limit);
  const attempt = contextOf("follow", {});
  const run = driver.finish(attempt, await driver.client.start(attempt));
  context().wake();
  expect((await run).state).toBe("DONE");
  const text = textOf(driver);
  const [, head = "", missing, tail = ""] = /^(.*)\n\[… (\d+) bytes are left out here.*?…\]\n(.*)$/s.exec(text) ?? [];
  expect(head).toBe(lines(0, 300_000).slice(0, head.length));
  expect(head.length).toBeGreaterThanOrEqual(0.9 * limit);
  expect(head.length).toBeLessThan(0.9 * limit + 32 * 1024);
  expect(tail.endsWith("ü".repeat(24_999))).toBe(true);
  expect(tail).not.toContain("\ufffd");
  expect(head.length + Number(missing) + Buffer.byteLength(tail)).toBe(statSync(file).size);
  // What is read later goes on where the file does.
  const last = driver.chunks.at(-1);
  expect((last?.offset ?? 0) + (last?.length ?? 0)).toBe(statSync(file).size);
  expect(bytesOf(driver.chunks)).toBeLessThanOrEqual(limit);
});

test.if(process.platform === "linux")(
  "what will be left out of a file that grows is given back to the disk",
  async () => {
    const { type, context } = follower();
    writeFileSync(file, "");
    using driver = inPlace(folder, [type], 1_000_000);
    const attempt = contextOf("follow", {});
    const run = driver.finish(attempt, await driver.client.start(attempt));
    for (let part = 0; part < 30; part++) {
      appendFileSync(file, lines(part * 100_000, 100_000));
      await Bun.sleep(20);
    }
    while (statSync(file).blocks * 512 > 8_000_000) await Bun.sleep(20);
    expect(statSync(file).size).toBe(30_000_000);
    context().wake();
    await run;
    const text = textOf(driver);
    expect(text.startsWith(lines(0, 90_000))).toBe(true);
    expect(text.endsWith(lines(2_995_000, 5_000))).toBe(true);
    expect(text).not.toContain("\0");
  },
);

test("text that a plugin hands over is bounded in the same way", async () => {
  const { type, context } = follower();
  using driver = inPlace(folder, [type], 1_000_000);
  const attempt = contextOf("follow", {});
  await driver.client.start(attempt);
  for (let part = 0; part < 100; part++) context().log("stderr", lines(part * 10_000, 10_000));
  context().wake();
  await driver.client.execute(attempt);
  expect(bytesOf(driver.chunks)).toBeLessThan(1_100_000);
  expect(driver.chunks.filter(({ text }) => text === "[output left out]\n")).toHaveLength(1);
});

test("a file that is not there, or is cut meanwhile, is no failure of the step", async () => {
  const { type, context } = follower();
  using driver = inPlace(folder, [type]);
  const attempt = contextOf("follow", {});
  const run = driver.finish(attempt, await driver.client.start(attempt));
  writeFileSync(file, lines(0, 10));
  await driver.logged(lines(0, 10));
  truncateSync(file, 5);
  mkdirSync(join(folder, "other"));
  context().wake();
  expect((await run).state).toBe("DONE");
});
