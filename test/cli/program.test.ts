/** How a printed command calls the program, from where its reader stands. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programName } from "../../src/cli/program.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "maestro-program-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const executable = (path: string): string => {
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, 0o755);
  return path;
};
mkdirSync(join(root, "dist"));
mkdirSync(join(root, "bin"));
mkdirSync(join(root, "a b"));
const built = executable(join(root, "dist/maestro"));
executable(join(root, "bin/other"));

test("by its name when the shell finds it, else by a path that works from the working directory", () => {
  const PATH = join(root, "bin");
  expect(programName({ cwd: root, env: { PATH } }, [built])).toBe("dist/maestro");
  expect(programName({ cwd: join(root, "dist"), env: { PATH } }, [built])).toBe("./maestro");
  expect(programName({ cwd: join(root, "bin"), env: { PATH } }, [built])).toBe(built);
  symlinkSync(built, join(root, "bin/maestro"));
  expect(programName({ cwd: root, env: { PATH } }, [built])).toBe("maestro");
});

test("by another's name never, and a path with blanks is quoted", () => {
  const spaced = executable(join(root, "a b/maestro"));
  expect(programName({ cwd: join(root, "bin"), env: { PATH: join(root, "dist") } }, [spaced])).toBe(`'${spaced}'`);
});

test("the sources by what runs them", () => {
  const bun = executable(join(root, "bin/bun"));
  const running = [bun, join(root, "src/main.ts")];
  expect(programName({ cwd: root, env: { PATH: join(root, "bin") } }, running)).toBe("bun src/main.ts");
});
