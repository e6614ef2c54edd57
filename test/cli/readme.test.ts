import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_ARTIFACTS, MAX_POLL_DELAY } from "@maestro/sdk";
import { EXIT } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/index.ts";
import { RANGE } from "../../src/definition/range.ts";
import { SETTINGS } from "../../src/server/config.ts";
import { run } from "./harness.ts";

const root = join(import.meta.dir, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const guide = readFileSync(join(root, "examples/README.md"), "utf8");

test("the README lists every setting, exit code and command", () => {
  for (const { flag, variable, key } of SETTINGS) {
    expect(readme).toContain(`| \`${flag}\` | \`${variable}\` | \`${key}\` |`);
  }
  for (const code of Object.values(EXIT)) expect(readme).toContain(`\n| ${code} |`);
  for (const { name } of COMMANDS) for (const word of name.split(" ")) expect(readme).toContain(word);
});

test("the README has every range of a definition's numbers and of a plugin's answers", () => {
  for (const { text } of Object.values(RANGE)) expect(readme).toContain(`| ${text} |\n`);
  expect(readme).toContain(`| 0 to ${MAX_POLL_DELAY} milliseconds (120 days) |`);
  expect(readme).toContain(`| ${MAX_ARTIFACTS} characters as JSON |`);
});

/** Job templates and manifests, which are no definitions. */
const OTHERS = ["template/nap.yaml", "plugins/python-greet/package.json"];

const examples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" }).filter((it) =>
  /\.(json|yaml)$/.test(it),
);

test.each(examples.filter((it) => !OTHERS.includes(it)))("the example %s is valid and listed", async (file) => {
  const served = file === "plugins/greet.json" ? ["--step-type", "greet"] : [];
  const result = await run(["validate", file, ...served], { cwd: join(root, "examples") });
  expect(result).toEqual({ exit: 0, out: "", err: `${file}: ok\n` });
  expect(guide).toContain(`| \`${file}\` |`);
});
