/** Processes of plugins belong to a runtime thread: they end with it, and with the server, however that ends. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RuntimeHost, type RuntimeHostOptions } from "../../src/runtime/host.ts";
import { encodeContext } from "../../src/runtime/protocol.ts";
import { contextOf, Driver } from "./harness.ts";
import { gone, isRunning, packageOf, pidsOf } from "./serving.ts";

let folder: string;
let stop: () => Promise<void>;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "maestro-thread-")));
  stop = async () => {};
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function rig(plugins: readonly string[], options: Partial<RuntimeHostOptions> = {}) {
  const lines: string[] = [];
  const host = new RuntimeHost({
    ...{ threads: 1, dataDir: folder, logBytes: 1_000_000 },
    plugins: plugins.map((path) => ({ name: path.slice(folder.length + 1), path })),
    send: (_engine, text) => driver.client.receive(text),
    onLine: ({ message }) => lines.push(message),
    ...options,
  });
  const driver = new Driver(options.threads ?? 1, (text) => host.deliver(5, text));
  stop = async () => {
    driver.client.close();
    await host.stop();
  };
  return { host, driver, lines, loaded: await host.start() };
}

/** A folder in the test's folder. */
function inside(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

/** It goes on at the end of its stdin, and when it is asked to end. */
const DEAF = { end: `process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6);` };

test("each thread has one, and none is left when the server stops", async () => {
  const plugin = packageOf(inside("odd"), {});
  const { host, driver, loaded } = await rig([plugin], { threads: 2 });
  expect(loaded).toMatchObject({
    failures: [],
    types: [{ type: "odd", version: "1.0.0", schema: { type: "object" } }],
  });
  const results = await Promise.all(Array.from({ length: 20 }, () => driver.client.start(contextOf("odd", {}))));
  expect(results.every(({ state }) => state === "DONE")).toBe(true);
  const pids = pidsOf(plugin);
  expect([pids.length, pids.every(isRunning)]).toEqual([2, true]);
  await host.stop();
  expect(pids.some(isRunning)).toBe(false);
});

test("a thread that is replaced takes its processes with it, also those that don't listen", async () => {
  const stuck = join(folder, "stuck.ts");
  const mark = join(folder, "mark");
  writeFileSync(
    stuck,
    `import { defineStepType, z } from "@maestro/sdk";
    import { existsSync, writeFileSync } from "node:fs";
    export default defineStepType({
      type: "stuck", version: "1", params: z.any(),
      start: () => {
        if (existsSync("${mark}")) return { state: "DONE" };
        writeFileSync("${mark}", "");
        for (;;);
      },
      execute: () => ({ state: "DONE" }), terminate: () => ({ state: "STOPPED" }),
    });`,
  );
  const plugin = packageOf(inside("odd"), {
    ...DEAF,
    call: `answer({ state: op === "start" ? "CONTINUE" : "DONE" });`,
  });
  const { driver } = await rig([plugin, stuck], { stuckAfter: 1000 });
  const context = contextOf("odd", {});
  const first = await driver.client.start(context);
  expect(first.state).toBe("CONTINUE");
  expect((await driver.client.start(contextOf("stuck", {}))).state).toBe("DONE");
  expect((await driver.finish(context, first)).state).toBe("DONE");
  const pids = pidsOf(plugin);
  await gone(...pids.slice(0, -1));
  expect([pids.length > 1, isRunning(pids.at(-1) ?? 0)]).toEqual([true, true]);
}, 20_000);

test("kill -9 of the server leaves no process", async () => {
  const plugin = packageOf(inside("odd"), { call: `answer({ state: "CONTINUE" });` });
  const context = encodeContext(contextOf("odd", {}));
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "child.ts"), JSON.stringify({ dataDir: folder, plugin, context })],
    { stdout: "pipe", stderr: "inherit" },
  );
  const { value } = await child.stdout.getReader().read();
  expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ state: "CONTINUE" });
  const [pid = 0] = pidsOf(plugin);
  expect(isRunning(pid)).toBe(true);
  child.kill("SIGKILL");
  await child.exited;
  await gone(pid);
});

test("a plugin of which any thread's process fails is told of, and its processes are ended", async () => {
  const plugin = packageOf(inside("odd"), {
    before: `if (existsSync("mark")) { console.error("only one of me"); process.exit(1); } writeFileSync("mark", ""); await sleep(300);`,
  });
  const { loaded, host } = await rig([plugin], { threads: 2 });
  expect(loaded.failures).toEqual([
    { name: "odd", message: "Its process exited with code 1; its last words: only one of me" },
  ]);
  await host.stop();
  expect(pidsOf(plugin).some(isRunning)).toBe(false);
});

test("a plugin whose step type is there already does not keep its process", async () => {
  const [one, other] = [packageOf(inside("one"), {}), packageOf(inside("other"), {})];
  const { loaded, host } = await rig([one, other]);
  expect(loaded.failures).toEqual([{ name: "other", message: "There is a step type [odd] already" }]);
  await host.stop();
  expect([...pidsOf(one), ...pidsOf(other)].some(isRunning)).toBe(false);
});

test("a thread in another's place says which plugins it can't load any more", async () => {
  const plugin = packageOf(inside("odd"), { before: `if (existsSync("gone")) process.exit(1);` });
  const workers: Worker[] = [];
  const { driver, lines } = await rig([plugin], {
    spawn: () => {
      const worker = new Worker(new URL("../../src/runtime/worker.ts", import.meta.url).href);
      workers.push(worker);
      return worker;
    },
  });
  writeFileSync(join(plugin, "gone"), "");
  workers[0]?.terminate();
  const result = await driver.client.start(contextOf("odd", {}));
  expect(result.timeline?.[0]?.message).toBe("Step type [odd] is not loaded");
  expect(lines).toContain("The plugin odd cannot be loaded any more: Its process exited with code 1");
  expect(existsSync(join(plugin, "gone"))).toBe(true);
});

test.each([
  [`{ "isolation": "process" }`, 'A plugin with maestro.isolation "process" needs maestro.command'],
  [`{ "isolation": "fibre", "command": ["x"] }`, "package.json: maestro.isolation: Invalid option"],
  [`{ "isolation": "process", "command": [] }`, "package.json: maestro.command: Too small"],
  [`{ "isolation": "process", "command": "python3 x.py" }`, "package.json: maestro.command: Invalid input"],
  [`{ "command": ["x"] }`, 'package.json has maestro.command, which goes with maestro.isolation "process"'],
  [
    `{ "apiVersion": 2, "isolation": "process", "command": ["x"] }`,
    "The plugin is made for version 2 of the SDK (maestro.apiVersion); this server has version 1",
  ],
  [`{ "apiVersion": 2, "entry": "index.ts" }`, "The plugin is made for version 2 of the SDK"],
  [`"process"`, "package.json: maestro.value: Invalid input"],
  [`{ "isolation": "process", "command": ["./run"] }`, "Its process cannot be started: "],
])("a manifest that says %s is refused", async (maestro, reason) => {
  const plugin = inside("odd");
  writeFileSync(join(plugin, "package.json"), `{ "maestro": ${maestro} }`);
  const { loaded } = await rig([plugin]);
  expect(loaded.failures).toEqual([{ name: "odd", message: expect.stringContaining(reason) }]);
});
