/** What every command that talks to a server has in common. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/index.ts";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer;
let cwd: string;
let answer: Answer = () => undefined;
beforeAll(() => {
  server = fakeServer((request) => answer(request));
  cwd = mkdtempSync(join(tmpdir(), "maestro-client-"));
});
afterEach(() => {
  server.requests.length = 0;
  answer = () => undefined;
});
afterAll(() => {
  server.stop();
  rmSync(cwd, { recursive: true });
});

describe("the settings file", () => {
  test("names the server and the user, which variables and flags win over", async () => {
    writeFileSync(join(cwd, "maestro.yaml"), `server: ${server.url}/\nuser: file\nport: 9000\n`);
    await run(["run", "get", "etl", "1"], { cwd });
    await run(["run", "get", "etl", "1"], { cwd, env: { MAESTRO_USER: "variable" } });
    await run(["run", "get", "etl", "1", "--user", "flag"], { cwd, env: { MAESTRO_USER: "variable" } });
    expect(server.requests.map(({ user }) => user)).toEqual(["file", "variable", "flag"]);
  });

  test("may be named, and is refused where it is wrong", async () => {
    writeFileSync(join(cwd, "other.yaml"), "server: nowhere\n");
    const { exit, err } = await run(["--config", "other.yaml", "run", "get", "etl", "1"], { cwd });
    expect([exit, err]).toEqual([
      2,
      `maestro run get: ${join(cwd, "other.yaml")}: server is "nowhere", and must be a URL that begins with http:// or https://\nTry: maestro run get --help\n`,
    ]);
  });
});

test.each(["Zoë 李", "Ωmega", "tab and space".replace(" and ", " "), "😀"])("a user may be called %s", async (user) => {
  await run(["run", "get", "etl", "1", "--server", server.url, "--user", user]);
  expect(server.requests.map((it) => Buffer.from(it.user ?? "", "latin1").toString())).toEqual([user]);
});

test.each([
  ["--user", ""],
  ["--user", "a\nb"],
  ["--user", "x".repeat(257)],
  ["--server", "127.0.0.1:8080"],
  ["--server", "ftp://a"],
])("%s %j is a usage error, and nothing is sent", async (flag, value) => {
  const env = { MAESTRO_SERVER: server.url };
  const { exit, out, err } = await run(["run", "stop", "etl", "1", flag, value], { env });
  expect([exit, out, server.requests.length]).toEqual([2, "", 0]);
  expect(err).toContain(`${flag} is `);
});

/** Of each option that reads its value, one that it can't be. */
const BAD: readonly (readonly [option: string, value: string])[] = [
  ["--timeout", "abc"],
  ["--timeout", "0"],
  ["--timeout", "1e9"],
  ["--limit", "201"],
  ["--run", "-1"],
  ["--version", "newest"],
  ["--request-id", "1"],
  ["--param", "novalue"],
  ["--shell", "x"],
];
const WORDS: Readonly<Record<string, string>> = { WORKFLOW: "etl", INSTANCE: "1", STEP: "load", FILE: "-" };

test.each(
  COMMANDS.flatMap((command) =>
    // Any text is a name.
    BAD.filter(([flag]) => command.options.some((it) => it.name === flag && it.placeholder !== "NAME")).map(
      ([flag, value]) => [command.name, flag, value] as const,
    ),
  ),
)("%s looks at %s %s before it does anything", async (name, flag, value) => {
  const words = COMMANDS.find((it) => it.name === name)?.positionals.flatMap((it) => WORDS[it.name] ?? []) ?? [];
  const more = name === "run start" ? ["--watch"] : name === "run stop" ? ["--wait"] : [];
  const env = { MAESTRO_SERVER: server.url };
  const result = await run([...name.split(" "), ...words, ...more, flag, value], { env, stdin: "{}" });
  expect([result.exit, result.out, server.requests.length]).toEqual([2, "", 0]);
  expect(result.err).toContain(`${flag} is ${JSON.stringify(value)}, and must`);
});

test("a workflow that does not exist has no list of runs, and a new one has an empty one", async () => {
  const page = { elements: [], page_info: { has_next_page: false } };
  answer = ({ path }) => (path.includes("/instances") ? { body: page } : undefined);
  const argv = ["run", "list", "etl", "--server", server.url];
  expect((await run(argv)).exit).toBe(3);
  answer = ({ path }) => ({ body: path.includes("/instances") ? page : {} });
  expect(await run(argv)).toMatchObject({ exit: 0, err: "" });
});

test("ids and owners stay in their column, and JSON is as the server wrote it", async () => {
  const workflow = { workflow_id: "etl", active_version_id: 1, latest_version_id: 1, owner: "ann\n\x1b[31mbob\u202e" };
  answer = () => ({ body: { elements: [workflow] } });
  const argv = ["workflow", "list", "--server", server.url];
  const { out } = await run(argv, { colour: true });
  expect(out.split("\n")[1]).toMatch(/^etl +1 +1 +ann\\n\\x1b\[31mbob\\u202e +-$/);
  expect(JSON.parse((await run([...argv, "--json"])).out)).toEqual({ elements: [workflow] });
});
