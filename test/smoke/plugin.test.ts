/**
 * Plugins that are not part of the executable: a file and a folder of TypeScript, and a program in Python, in a directory
 * with nothing else but the executable, found by `--plugin`. Needs `bun run build` first.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { BINARY, type Server, startServer } from "../bench/server.ts";

const LIMIT_MS = 60_000;

const FILES = {
  "greet.ts": `
    import { defineStepType, z } from "@maestro/sdk";
    interface Names { readonly name: string }
    const greeting = ({ name }: Names): string => \`Hello \${name}\`;
    export default defineStepType({
      type: "greet",
      version: "1.0.0",
      params: z.strictObject({ name: z.string() }),
      start: ({ params, log }) => {
        log("stdout", greeting(params) + "\\n");
        return { state: "DONE", outputs: { greeting: greeting(params) } };
      },
      execute: () => ({ state: "DONE" }),
      terminate: () => ({ state: "STOPPED" }),
    });`,
  "shout/package.json": `{ "name": "shout", "maestro": { "entry": "src/plugin.ts" }, "dependencies": { "loud": "1.0.0" } }`,
  "shout/src/plugin.ts": `
    import { defineStepType, z } from "@maestro/sdk";
    import { mark } from "loud";
    import { upper } from "./upper.ts";
    export default defineStepType({
      type: "shout",
      version: "1.0.0",
      params: z.strictObject({ text: z.string() }),
      start: () => ({ state: "CONTINUE", nextPollDelay: 1 }),
      execute: ({ params }) => ({ state: "DONE", outputs: { shouted: upper(params.text) + mark } }),
      terminate: () => ({ state: "STOPPED" }),
    });`,
  "shout/src/upper.ts": `export const upper = (text: string): string => text.toUpperCase();`,
  "shout/node_modules/loud/package.json": `{ "name": "loud", "version": "1.0.0", "type": "module", "main": "index.js" }`,
  "shout/node_modules/loud/index.js": `export const mark = "!";`,
  "broken.ts": `export default {\n  type "x"\n};`,
};

const definition = {
  properties: { owner: "smoke" },
  workflow: {
    id: "outside",
    steps: [
      {
        step: {
          id: "hello",
          type: "greet",
          params: {
            greeting: { type: "STRING", value: "" },
            greet: { type: "MAP", value: { name: { type: "STRING", value: "Ann" } } },
          },
          transition: { successors: { loud: "true" } },
        },
      },
      {
        step: {
          id: "loud",
          type: "shout",
          params: {
            shouted: { type: "STRING", value: "" },
            shout: { type: "MAP", value: { text: { type: "STRING", value: "${hello__greeting}" } } },
          },
        },
      },
    ],
  },
};

/** One step of the type that the example in Python serves. */
const greeting = (name: string) => ({
  properties: { owner: "smoke" },
  workflow: {
    id: "python",
    steps: [
      {
        step: {
          id: "hello",
          type: "greet",
          params: {
            greeting: { type: "STRING", value: "" },
            greet: { type: "MAP", value: { name: { type: "STRING", value: name } } },
          },
        },
      },
    ],
  },
});

let directory = "";
let program = "";
let server: Server | undefined;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "maestro-plugin-"));
  program = join(directory, process.platform === "win32" ? "maestro.exe" : "maestro");
  copyFileSync(resolve(process.env.MAESTRO_BINARY ?? BINARY), program);
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function call<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${server?.url}/api/v3/workflows${path}`, {
    headers: { user: "smoke", "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}\n${server?.log()}`);
  return JSON.parse(text) as T;
}

interface Step {
  readonly step_id: string;
  readonly params: { readonly [name: string]: { readonly evaluated_result: unknown } };
}

test(
  "a file and a folder, with a module and a package of its own, run as steps",
  async () => {
    server = await startServer({
      program: [program],
      dataDir: join(directory, "data"),
      cwd: directory,
      args: ["--plugin", "./greet.ts", "--plugin", "./shout"],
    });
    await call("", definition);
    await call("/outside/versions/latest/actions/start", { initiator: { type: "manual" } });
    const run = await call<{ status: string }>("/outside/instances/1/runs/1?wait=30");
    const steps = await call<readonly Step[]>("/outside/instances/1/runs/1/steps");
    const output = (id: string, name: string) => steps.find((step) => step.step_id === id)?.params[name];
    expect(run.status, JSON.stringify(steps)).toBe("SUCCEEDED");
    expect(output("hello", "greeting")?.evaluated_result).toBe("Hello Ann");
    expect(output("loud", "shouted")?.evaluated_result).toBe("HELLO ANN!");
  },
  LIMIT_MS,
);

test.skipIf(Bun.which("python3") === null)(
  "a program in Python serves steps, and its schema checks params",
  async () => {
    await server?.stop();
    cpSync(join(import.meta.dir, "../../examples/plugins/python-greet"), join(directory, "python"), {
      recursive: true,
    });
    server = await startServer({
      program: [program],
      dataDir: join(directory, "data"),
      cwd: directory,
      args: ["--plugin", "./python"],
    });
    await call("", greeting("Zoë"));
    await call("/python/versions/latest/actions/start", { initiator: { type: "manual" } });
    const run = await call<{ status: string }>("/python/instances/1/runs/1?wait=30");
    const steps = await call<readonly Step[]>("/python/instances/1/runs/1/steps");
    expect(run.status, JSON.stringify(steps)).toBe("SUCCEEDED");
    expect(steps[0]?.params.greeting?.evaluated_result).toBe("Hello Zoë");
    await call("", JSON.parse(JSON.stringify(greeting("x")).replace('"name"', '"nmae"')));
    await call("/python/versions/latest/actions/start", { initiator: { type: "manual" } });
    expect((await call<{ status: string }>("/python/instances/2/runs/1?wait=30")).status).toBe("FAILED");
    const failed = JSON.stringify(await call("/python/instances/2/runs/1/steps"));
    expect(failed).toContain("Param [greet.name]: is required; [greet.nmae]: is unknown");
  },
  LIMIT_MS,
);

test.each([
  ["./broken.ts", "line 2, column"],
  ["./missing.ts", "There is no such file or folder"],
  ["./shout/src/upper.ts", "The default export must be the result of defineStepType"],
])(
  "a plugin that can't be loaded stops the start with its name and the reason: %s",
  async (path, reason) => {
    const child = Bun.spawn([program, "serve", "--port", "0", "--data-dir", "./other", "--plugin", path], {
      cwd: directory,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([out, code]).toEqual(["", 2]);
    expect(errors).toContain(path.slice(2));
    expect(errors).toContain(reason);
    expect(errors).not.toContain("bunfs");
  },
  LIMIT_MS,
);
