/**
 * The API documents as generators read them: a TypeScript and a Python client are generated from `openapi/openapi.json`, a
 * Go client from `openapi/openapi-3.0.json`; they compile under the strictest settings of their compilers, and push, start,
 * wait and read against the executable. What the generators need is installed below `.cache/client/`, once for each
 * content of the files that name the versions.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bench/server.ts";
import { sharedServer } from "../support/executable.ts";

const DOCUMENT = join(ROOT, "openapi/openapi.json");
const EARLIER = join(ROOT, "openapi/openapi-3.0.json");
const CACHE = join(ROOT, ".cache/client");
const SCRIPTS = process.platform === "win32" ? "Scripts" : "bin";
/** Installing may have to fetch everything. */
const LIMIT_MS = 300_000;

/** The machine's own toolchain; modules are fetched into the cache, where they can be deleted. */
const GO_ENVIRONMENT = {
  ...process.env,
  GOTOOLCHAIN: "local",
  GOFLAGS: "-modcacherw",
  GOMODCACHE: join(CACHE, "module"),
  GOCACHE: join(CACHE, "build"),
};

const EXPECTED = { version: 1, status: "SUCCEEDED", steps: 2, listed: 1 };

describe("a client generated from the API document", () => {
  test(
    "in TypeScript compiles strictly and does push, start, wait and read",
    async () => {
      const folder = fresh("typescript");
      await run(folder, process.execPath, "install", "--frozen-lockfile");
      const tool = [process.execPath, "x", "--bun", "--no-install"];
      await run(folder, ...tool, "openapi-typescript", DOCUMENT, "--output", "schema.ts");
      await run(folder, ...tool, "tsc", "--project", ".");
      const { url } = await sharedServer();
      expect(JSON.parse(await run(folder, process.execPath, "program.ts", url))).toEqual(EXPECTED);
    },
    LIMIT_MS,
  );

  test.skipIf(!hasPython())(
    "in Python compiles strictly and does push, start, wait and read",
    async () => {
      const folder = fresh("python");
      const bin = join(await environment(folder), SCRIPTS);
      const generate = ["generate", "--path", DOCUMENT, "--config", "config.yaml", "--meta", "none"];
      // The generator writes a warning for each thing that it leaves out.
      const said = await run(
        folder,
        ...[join(bin, "openapi-python-client"), ...generate, "--output-path", "maestro_client", "--fail-on-warning"],
      );
      expect(said).not.toContain("WARNING");
      await run(folder, join(bin, "mypy"), "--strict", "maestro_client", "program.py");
      const { url } = await sharedServer();
      expect(JSON.parse(await run(folder, join(bin, "python"), "program.py", url))).toEqual(EXPECTED);
    },
    LIMIT_MS,
  );

  test.skipIf(!hasGo())(
    "in Go compiles and does push, start, wait and read",
    async () => {
      const folder = fresh("go");
      mkdirSync(join(folder, "maestro"));
      const generate = ["-generate", "types,client", "-package", "maestro", "-o", "maestro/client.go", EARLIER];
      await run(folder, "go", "tool", "oapi-codegen", ...generate);
      await run(folder, "go", "vet", "./...");
      const { url } = await sharedServer();
      expect(JSON.parse(await run(folder, "go", "run", ".", url))).toEqual(EXPECTED);
    },
    LIMIT_MS,
  );
});

/** A copy of the client's folder to work in, without what an earlier run generated; what was installed stays. */
function fresh(language: string): string {
  const folder = join(CACHE, language);
  for (const name of ["schema.ts", "maestro_client", "maestro"])
    rmSync(join(folder, name), { recursive: true, force: true });
  cpSync(join(import.meta.dir, language), folder, { recursive: true });
  return folder;
}

function hasPython(): boolean {
  const check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
  const found = Bun.which("python3") !== null && Bun.spawnSync(["python3", "-c", check]).exitCode === 0;
  if (!found)
    console.warn("SKIPPED: the generated Python client, since there is no python3 of 3.10 or later with venv");
  return found;
}

/** A toolchain that knows `go tool`, and the modules of `go.sum`, fetched unless they are there. */
function hasGo(): boolean {
  const go = (...args: readonly string[]) =>
    Bun.spawnSync(["go", ...args], { cwd: join(import.meta.dir, "go"), env: GO_ENVIRONMENT });
  const [, minor = "0"] = (Bun.which("go") && /go1\.(\d+)/.exec(go("env", "GOVERSION").stdout.toString())) ?? [];
  const found = Number(minor) >= 24 && go("mod", "download").exitCode === 0;
  if (!found)
    console.warn("SKIPPED: the generated Go client, since there is no go of 1.24 or later, or no module proxy");
  return found;
}

/** A virtual environment with what `requirements.txt` names, made once. @returns its folder */
async function environment(folder: string): Promise<string> {
  const wanted = readFileSync(join(folder, "requirements.txt"), "utf8");
  const home = join(CACHE, `venv-${Bun.hash(wanted).toString(36)}`);
  const complete = join(home, "complete");
  if (existsSync(complete)) return home;
  await run(folder, "python3", "-m", "venv", "--clear", home);
  await run(folder, join(home, SCRIPTS, "pip"), "install", "--quiet", "--requirement", "requirements.txt");
  writeFileSync(complete, "");
  return home;
}

/** @returns what it wrote on stdout. @throws Error with all that it wrote when it fails */
async function run(cwd: string, ...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { cwd, env: GO_ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} failed (${code})\n${out}${errors}`);
  return out;
}
