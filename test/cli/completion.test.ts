import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/index.ts";
import { run } from "./harness.ts";

/** What bash would offer after these words, the last of which is being typed. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const { out } = await run(["completion", "bash"]);
  const list = words.map((it) => `'${it}'`).join(" ");
  const script = `${out}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _maestro; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const bash = Bun.spawn(["bash", "-c", script], { stdout: "pipe", stderr: "inherit", cwd: import.meta.dir });
  return (await bash.stdout.text()).trim().split("\n");
}

test("bash completes commands, verbs, options, choices and files", async () => {
  expect(await complete("maestro", "val")).toEqual(["validate"]);
  expect(await complete("maestro", "run", "st")).toEqual(["start", "stop"]);
  expect(await complete("maestro", "run", "start", "--wa")).toEqual(["--watch"]);
  expect(await complete("maestro", "serve", "--log-level", "w")).toEqual(["warn"]);
  expect(await complete("maestro", "completion", "z")).toEqual(["zsh"]);
  expect(await complete("maestro", "validate", "completion")).toEqual(["completion.test.ts"]);
  expect(await complete("maestro", "serve", "--config", "completion")).toEqual(["completion.test.ts"]);
});

test("fish and zsh know every command and option", async () => {
  const fish = (await run(["completion", "fish"])).out;
  const zsh = (await run(["completion", "zsh"])).out;
  for (const { name, options } of COMMANDS) {
    for (const word of name.split(" ")) {
      expect(fish).toContain(`-a ${word} `);
      expect(zsh).toContain(word);
    }
    for (const option of options) {
      expect(fish).toContain(`-l ${option.name.slice(2)}`);
      expect(zsh).toContain(option.name);
    }
  }
});

test("an unknown shell is a usage error", async () => {
  const { exit, err } = await run(["completion", "bsh"]);
  expect(exit).toBe(2);
  expect(err).toContain('SHELL is "bsh", and must be one of bash, zsh, fish; did you mean bash?');
});
