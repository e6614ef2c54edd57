import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineStepType, type StepType, z } from "@maestro/sdk";
import { conformance } from "@maestro/sdk/conformance";

const dataDir = mkdtempSync(join(tmpdir(), "maestro-conformance-"));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const counting = 'echo started >>"$COUNT/$MAESTRO_STEP_UUID.count"';
const env = { COUNT: dataDir };

function starts(uuid: string): number {
  const file = join(dataDir, `${uuid}.count`);
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").length : 0;
}

describe("shell", () => {
  const cases = conformance({
    load: async (incarnation) => {
      const fresh = `../../plugins/script/shell.ts?${incarnation}`;
      return ((await import(fresh)) as { readonly shell: StepType }).shell;
    },
    dataDir,
    quick: { script: `${counting}; echo '{"x":1}' >"$MAESTRO_OUTPUT"`, env },
    slow: { script: `${counting}; sleep 600`, env, grace_period: 5 },
    bad: [{}, { script: "" }, { script: 1 }, { script: "x", grace_period: -1 }, { script: "x", scirpt: "y" }],
    starts,
  });
  for (const { name, run } of cases) test(name, run, 20_000);
});

describe("python", () => {
  const counts =
    'import os, time\nopen(f"{os.environ[\'COUNT\']}/{os.environ[\'MAESTRO_STEP_UUID\']}.count", "a").write("started\\n")\n';
  const cases = conformance({
    load: async (incarnation) => {
      const fresh = `../../plugins/script/python.ts?${incarnation}`;
      return ((await import(fresh)) as { readonly python: StepType }).python;
    },
    dataDir,
    quick: { code: `${counts}output(x=1)`, env },
    slow: { code: `${counts}time.sleep(600)`, env, grace_period: 5 },
    bad: [
      {},
      { code: "" },
      { code: "x", file: "y" },
      { code: "x", venv: "a", interpreter: "b" },
      { code: "x", cod: "y" },
    ],
    starts,
  });
  for (const { name, run } of cases) test(name, run, 20_000);
});

describe("the kit", () => {
  let begun = 0;
  const careless = defineStepType({
    type: "careless",
    version: "1",
    params: z.object({ name: z.string() }),
    start: ({ wake }) => {
      begun++;
      queueMicrotask(wake);
      return { state: "CONTINUE" };
    },
    execute: () => ({ state: "DONE" }),
    terminate: () => ({ state: "DONE" }),
  });
  const found = conformance({
    load: async () => careless,
    dataDir,
    quick: { name: "a" },
    slow: { name: "a" },
    bad: [{ name: "valid after all" }],
    starts: () => begun,
    patience: 100,
  });

  test.each([
    ["refuses bad params", "Accepted"],
    ["begins the work once when it is started twice", "number of starts is 2"],
    ["goes on running after it was adopted", "The execute is DONE instead of CONTINUE"],
    ["takes a stop after its end", "terminate answered DONE"],
  ])("catches a plugin that fails: %s", async (name, message) => {
    begun = 0;
    const { run } = found.find((entry) => entry.name === name) as (typeof found)[number];
    expect(run()).rejects.toThrow(message);
  });
});
