/** The example in Python keeps the contract that step types in TypeScript keep. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conformance } from "@maestro/sdk/conformance";
import { locate } from "../../src/runtime/manifest.ts";
import { ProcessPlugin } from "../../src/runtime/process/plugin.ts";
import { contextOf, inPlace } from "./harness.ts";

const EXAMPLE = join(import.meta.dir, "../../examples/plugins/python-greet");
const dataDir = mkdtempSync(join(tmpdir(), "maestro-python-"));
const started: ProcessPlugin[] = [];
const lines: string[] = [];

afterAll(async () => {
  await Promise.all(started.map((plugin) => plugin.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function load() {
  const found = locate(EXAMPLE);
  if (found.isolation !== "process") throw new Error("The example is no process");
  const plugin = new ProcessPlugin({ name: "greet", ...found, line: (_level, message) => lines.push(message) });
  started.push(plugin);
  return plugin.start();
}

describe.skipIf(Bun.which("python3") === null)("the example in Python", () => {
  const cases = conformance({
    load: async () => {
      const [type] = await load();
      if (type === undefined) throw new Error("The example serves nothing");
      return type;
    },
    dataDir,
    quick: { name: "Ann", seconds: 0.05 },
    slow: { name: "Ann", seconds: 600 },
    bad: [{}, { name: "" }, { name: 1 }, { name: "x", seconds: -1 }, { name: "x", secnods: 1 }],
    starts: (uuid) => {
      const file = join(dataDir, "attempt", uuid, "greeting");
      return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").length : 0;
    },
  });
  for (const { name, run } of cases) test(name, run, 20_000);

  test("greets, and says so in the step's log and outputs", async () => {
    using driver = inPlace(dataDir, await load());
    for (const seconds of [0, 0.01]) {
      const context = contextOf("greet", { greet: { name: "Zoë", seconds } });
      const result = await driver.run(context);
      expect([result.state, result.outputs?.greeting?.evaluated_result]).toEqual(["DONE", "Hello Zoë"]);
      expect(driver.text("stdout", context.uuid)).toBe("Hello Zoë\n");
    }
    expect(lines).toEqual([]);
  });
});
