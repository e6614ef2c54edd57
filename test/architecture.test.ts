import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { findBreaches } from "./support/architecture.ts";

const root = join(import.meta.dir, "..");

const tree = (files: Record<string, string>): string[] => findBreaches(new Map(Object.entries(files)));

async function readTree(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const pattern of ["src/**/*.{ts,tsx}", "plugins/**/*.{ts,tsx}", "scripts/**/*.ts"]) {
    for (const path of new Glob(pattern).scanSync({ cwd: root })) {
      if (!path.includes("node_modules"))
        files.set(path.replaceAll("\\", "/"), await Bun.file(join(root, path)).text());
    }
  }
  return files;
}

describe("the source tree", () => {
  test("keeps the rules of its architecture", async () => {
    const files = await readTree();
    expect(files.size).toBeGreaterThan(20);
    expect(findBreaches(files)).toEqual([]);
  });
});

describe("the checker", () => {
  test("accepts imports that go down, within a folder, and of leaves", () => {
    const breaches = tree({
      "src/store/a.ts": 'import postgres from "postgres"; import { b } from "../flow/b.ts"; import "./c.ts";',
      "src/store/c.ts": 'import { log } from "../log.ts";',
      "src/log.ts": 'import type { Clock } from "./clock.ts";',
      "plugins/script/index.ts":
        'import { spawn } from "node:child_process"; import "@maestro/sdk"; import "./run.ts";',
    });
    expect(breaches).toEqual([]);
  });

  test.each([
    ["import", 'import { a } from "../store/a.ts";'],
    ["type-only import", 'import type { A } from "../store/a.ts";'],
    ["re-export", 'export * from "../store/a.ts";'],
    ["dynamic import", 'const a = await import("../store/a.ts");'],
    ["type expression", 'type A = import("../store/a.ts").A;'],
    ["require", 'const a = require("../store/a.ts");'],
  ])("finds an upward %s", (_, text) => {
    expect(tree({ "src/flow/b.ts": text })).toEqual([
      "src/flow/b.ts imports src/store/a.ts: src/store is above src/flow",
    ]);
  });

  test("finds a leaf that imports a folder, and a folder outside the order", () => {
    expect(tree({ "src/log.ts": 'import "./flow/a.ts";' })).toHaveLength(1);
    expect(tree({ "src/misc/a.ts": 'import "node:fs";' })).toHaveLength(1);
  });

  test("finds cycles, also of types", () => {
    const breaches = tree({
      "src/flow/a.ts": 'import "./b.ts";',
      "src/flow/b.ts": 'import "./c.ts";',
      "src/flow/c.ts": 'import type { A } from "./a.ts";',
    });
    expect(breaches).toEqual(["import cycle: src/flow/a.ts → src/flow/b.ts → src/flow/c.ts → src/flow/a.ts"]);
  });

  test.each([
    ["src/api/a.ts", "postgres"],
    ["src/flow/a.ts", "drizzle-orm/pg-core"],
    ["src/store/a.ts", "hono"],
    ["src/flow/a.ts", "@hono/zod-openapi"],
    ["src/runtime/a.ts", "@maestro/shell"],
    ["src/runtime/a.ts", "../../plugins/script/index.ts"],
    ["plugins/script/index.ts", "../../src/json.ts"],
    ["plugins/script/index.ts", "../http/index.ts"],
    ["plugins/script/index.ts", "zod"],
    ["src/step/a.ts", "node:fs"],
  ])("%s may not import %s", (path, specifier) => {
    expect(tree({ [path]: `import "${specifier}";` })).toHaveLength(1);
  });

  test.each([
    "Date.now()",
    "new Date()",
    "Math.random()",
    "crypto.randomUUID()",
    "await fetch(url)",
    "setTimeout(f, 1)",
  ])("finds %s in a pure folder", (expression) => {
    expect(tree({ "src/run/a.ts": `export const a = ${expression};` })).toHaveLength(1);
    expect(tree({ "src/store/a.ts": `export const a = ${expression};` })).toEqual([]);
  });

  test.each(["performance.now()", "setTimeout(f, 1)", "setImmediate(f)", "Math.random()", "Date.now()"])(
    "finds %s beside the clock",
    (expression) => {
      for (const path of ["src/flow/a.ts", "src/store/writer/a.ts", "src/runtime/channel.ts"]) {
        expect(tree({ [path]: `export const a = ${expression};` })).toHaveLength(1);
      }
      expect(tree({ "src/runtime/host.ts": `export const a = ${expression};` })).toEqual([]);
    },
  );

  test("finds a decision that keeps time or logs", () => {
    expect(tree({ "src/step/a.ts": 'import type { Clock } from "../clock.ts";' })).toHaveLength(1);
    expect(tree({ "src/run/a.ts": 'import { log } from "../log.ts";' })).toHaveLength(1);
  });

  test.each(['a.status === "RUNNING"', '"STOPPED" !== status', 'status === "FAILED"'])(
    "finds %s in an actor",
    (test) => {
      expect(tree({ "src/flow/a.ts": `export const a = ${test};` })).toHaveLength(1);
      expect(tree({ "src/step/a.ts": `export const a = ${test};` })).toEqual([]);
    },
  );

  test("finds an actor that moves an attempt itself", () => {
    expect(tree({ "src/flow/a.ts": 'import { enter } from "../step/attempt.ts";' })).toHaveLength(1);
    expect(tree({ "src/flow/a.ts": 'import { launch } from "../step/phase/run.ts";' })).toHaveLength(1);
    expect(tree({ "src/flow/a.ts": 'import { decide } from "../step/machine.ts";' })).toEqual([]);
  });

  test("finds a file that is too long", () => {
    expect(tree({ "src/flow/a.ts": "\n".repeat(501) })).toHaveLength(1);
  });
});
