/** The commands of the README files, as somebody pastes them into a shell in the repository's folder. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/log.ts";
import { loadConfig } from "../../src/server/config.ts";
import { type Serving, serve } from "../../src/server/serve.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

const repository = join(import.meta.dir, "../..");
const LIMIT_MS = 120_000;
/** What the plugin in Python needs. */
const hasPython = Bun.which("python3") !== null;

let root = "";
let database: FreshDatabase | undefined;
let server: Serving | undefined;
const { TMPDIR } = process.env;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "maestro-paste-"));
  process.env.TMPDIR = root; // where the ETL works
  database = await freshDatabase();
  const flags = new Map([
    ["--port", ["0"]],
    ["--data-dir", [join(root, "data")]],
    ["--database-url", [database.url]],
    ["--engine-threads", ["1"]],
    ["--runtime-threads", ["1"]],
    ["--plugin", hasPython ? [join(repository, "examples/plugins/python-greet")] : []],
  ]);
  const config = loadConfig(flags, { env: {}, cwd: root, home: root, uid: 1, cores: 1, terminal: false });
  server = await serve(config, { log: createLogger({ format: "json", level: "error" }) });
}, LIMIT_MS);

afterAll(async () => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  await server?.stop();
  await database?.close();
  rmSync(root, { recursive: true, force: true });
}, LIMIT_MS);

/** What stands in blocks of shell commands, one a command. */
const commandsOf = (file: string): readonly string[] =>
  [...readFileSync(join(repository, file), "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
    block.replaceAll("\\\n", " ").trim().split("\n"),
  );

const FILES = ["examples/README.md", "README.md"];
/** Those that are about the build itself, or go on until they are ended. */
const OTHERS = /^npx |^bun |^dist\/maestro (?:serve(?: --plugin .*)?|demo)$/;
const GREET = /examples\/plugins\/greet\.json|example-greet/;

/** Here the program is its sources, the server another one, and the temporary folder the test's own. */
function spawn(command: string) {
  const here = command
    .replace(/^dist\/maestro /, `exec '${process.execPath}' src/main.ts `)
    .replaceAll("http://127.0.0.1:8080", server?.url ?? "");
  return Bun.spawn(["sh", "-c", here], {
    cwd: repository,
    env: { PATH: process.env.PATH ?? "", HOME: root, TMPDIR: root, MAESTRO_SERVER: server?.url ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function paste(command: string) {
  const child = spawn(command);
  const [out, err, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { command, exit, out, err };
}

test(
  "each command of the README files does what it should",
  async () => {
    const commands = FILES.flatMap(commandsOf).filter(
      (command) => !OTHERS.test(command) && (hasPython || !GREET.test(command)),
    );
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      const pasted = await paste(command);
      expect({ ...pasted, out: "", err: "" }).toMatchObject({ exit: command.includes("max_error_rate=0.1") ? 6 : 0 });
      if (command.startsWith("curl")) expect(JSON.parse(pasted.out)).not.toHaveProperty("errors");
    }
  },
  LIMIT_MS,
);

test("no command is followed by a comment, which not every shell takes", () => {
  for (const file of FILES) expect(commandsOf(file).filter((command) => command.includes(" #"))).toEqual([]);
});

/** The commands among lines that are printed for people: indented, and each alone on its line. */
const printed = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => /^ +\S+ \S*main\.ts /.test(line))
    .map((line) => line.trim());

test(
  "each log that a failed run names can be printed by the command as it stands, while it runs and afterwards",
  async () => {
    await paste("dist/maestro workflow push examples/retry.json examples/failure.json");
    const watched = await paste("dist/maestro run start example-retry --watch");
    const commands = printed(watched.out);
    expect(commands).toHaveLength(2);
    const logs = await Promise.all(commands.map(paste));
    expect(logs.map(({ exit, out, err }) => [exit, out, err])).toEqual([
      [0, "attempt 1\nnot yet\n", ""],
      [0, "attempt 2\nnot yet\n", ""],
    ]);
    await paste("dist/maestro run start example-failure --watch");
    const shown = printed((await paste("dist/maestro run get example-failure 1")).out);
    expect(shown.length).toBeGreaterThan(0);
    for (const command of shown) expect(await paste(command)).toMatchObject({ exit: 0, err: "" });
  },
  LIMIT_MS,
);

test(
  "an interrupted watch names the commands that see the run again and stop it, as they stand",
  async () => {
    const script = { type: "MAP", value: { script: { type: "STRING", value: "exec sleep 600" } } };
    const workflow = { id: "long", steps: [{ step: { id: "sleeps", type: "shell", params: { shell: script } } }] };
    const file = join(root, "long.json");
    await Bun.write(file, JSON.stringify({ properties: { owner: "ann" }, workflow }));
    await paste(`dist/maestro workflow push ${file}`);
    const child = spawn("dist/maestro run start long --watch");
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGINT");
    const err = await child.stderr.text();
    expect([await child.exited, printed(err).length]).toEqual([130, 2]);
    const [watch = "", stop = ""] = printed(err);
    expect(await paste(stop)).toMatchObject({ exit: 0 });
    expect(await paste(watch)).toMatchObject({ exit: 6, out: expect.stringContaining("STOPPED") });
  },
  LIMIT_MS,
);

test(
  "a param that the definition does not declare is taken, and warned of at the start and in the run's timeline",
  async () => {
    await paste("dist/maestro workflow push examples/conditional.json");
    const warning = "Params that the definition does not declare: amuont (did you mean amount?)";
    const declared = await paste("dist/maestro run start example-conditional --param amount=5000 --json");
    expect(declared).toMatchObject({ exit: 0, err: "" });
    const misspelt = await paste("dist/maestro run start example-conditional --param amuont=5000 --json");
    expect(misspelt).toMatchObject({ exit: 0, err: `warning: ${warning}\n` });
    const { workflow_instance_id } = JSON.parse(misspelt.out);
    const url = `${server?.url}/api/v3/workflows/example-conditional/instances/${workflow_instance_id}/runs/1`;
    const run = (await (await fetch(`${url}?wait=30`)).json()) as { readonly timeline: unknown };
    expect(run).toMatchObject({ status: "SUCCEEDED", params: { amuont: { value: 5000 } } });
    expect(run.timeline).toContainEqual(expect.objectContaining({ type: "LOG", level: "WARN", message: warning }));
  },
  LIMIT_MS,
);
