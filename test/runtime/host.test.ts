import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedPlugins, RuntimeHost, type RuntimeHostOptions } from "../../src/runtime/host.ts";
import type { PluginLine } from "../../src/runtime/protocol.ts";
import { pluginEntry } from "../../src/spawn.ts";
import { contextOf, Driver, message } from "./harness.ts";

let folder: string;
let stop: () => Promise<void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "maestro-host-"));
  stop = async () => {};
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

interface Rig {
  readonly driver: Driver;
  readonly loaded: LoadedPlugins;
  readonly lines: readonly PluginLine[];
}

async function rig(plugins: readonly string[], options: Partial<RuntimeHostOptions> = {}): Promise<Rig> {
  const lines: PluginLine[] = [];
  const host = new RuntimeHost({
    threads: 1,
    dataDir: folder,
    logBytes: 100_000_000,
    plugins: plugins.map((path) => ({ name: path, path })),
    send: (_engine, text) => driver.client.receive(text),
    onLine: (line) => lines.push(line),
    ...options,
  });
  const driver = new Driver(options.threads ?? 1, (text) => host.deliver(5, text));
  stop = async () => {
    driver.client.close();
    await host.stop();
  };
  return { driver, loaded: await host.start(), lines };
}

const plugin = (type: string, body: string): string => `
import { defineStepType, z } from "@maestro/sdk";
export default defineStepType({
  type: "${type}", version: "1.2.3", title: "A ${type}", params: z.strictObject({ name: z.string().default("x") }),
  start: () => ({ state: "DONE" }), execute: () => ({ state: "DONE" }), terminate: () => ({ state: "STOPPED" }),
  ${body}
});`;

describe("an answer out of range", () => {
  const answering = (answer: string) =>
    plugin(
      "odd",
      `start: () => (${answer}),
      terminate: ({ log, signal }) => { log("stdout", "ended " + signal.aborted); return { state: "STOPPED" }; },`,
    );

  test.each(["1e300", "-1", "Number.NaN", "120 * 86400000 + 1", "'5'", "2n ** 63n - 1n"])(
    "such as a nextPollDelay of %s ends the step and its work",
    async (delay) => {
      const { driver } = await rig([write("odd.ts", answering(`{ state: "CONTINUE", nextPollDelay: ${delay} }`))]);
      const result = await driver.client.start(contextOf("odd", {}));
      expect(result.state).toBe("FATAL_ERROR");
      expect(message(result)).toStartWith("Step type odd gave an answer to start that is refused: nextPollDelay is ");
      expect(message(result)).toEndWith("it must be 0 to 10368000000 milliseconds (120 days)");
      expect(driver.chunks.map(({ text }) => text)).toEqual(["ended true"]);
    },
  );

  test.each([
    ["0", 0],
    ["0.2", 1],
    ["120 * 86400000", 120 * 86_400_000],
    ["undefined", undefined],
  ])("is not a nextPollDelay of %s", async (delay, nextPollDelay) => {
    const { driver } = await rig([write("odd.ts", answering(`{ state: "CONTINUE", nextPollDelay: ${delay} }`))]);
    const result = await driver.client.start(contextOf("odd", {}));
    expect({ state: result.state, nextPollDelay: result.nextPollDelay }).toEqual({ state: "CONTINUE", nextPollDelay });
  });

  test("such as artifacts that grow beyond a million characters ends the step, and what was stored stays", async () => {
    const { driver } = await rig([
      write("odd.ts", answering(`{ state: "CONTINUE", artifacts: { more: { text: "x".repeat(600_000) } } }`)),
    ]);
    const context = contextOf("odd", {});
    expect(await driver.client.start(context)).toMatchObject({ state: "CONTINUE" });
    const artifacts = { before: { text: "y".repeat(600_000) } };
    const result = await driver.client.start({ ...contextOf("odd", {}), artifacts });
    expect(result).toMatchObject({ state: "FATAL_ERROR" });
    expect(result.artifacts).toBeUndefined();
    expect(message(result)).toContain("more than 1000000");
  });
});

describe("plugins from outside", () => {
  test("are a file or a folder, share the host's SDK, and describe themselves", async () => {
    const file = write(
      "greet.ts",
      plugin(
        "greet",
        `
      start: ({ params, identity, log, logger }) => {
        log("stdout", "Hello " + params.name + "\\n");
        logger.info("greeted");
        return { state: "DONE", outputs: { greeted: params.name, by: identity.stepId }, timeline: ["said hello"] };
      },`,
      ),
    );
    write("pack/package.json", `{ "maestro": { "entry": "lib/main.ts" } }`);
    write(
      "pack/lib/main.ts",
      `${plugin("packed", "").replace("export default", "const one =")}\nexport default [one];`,
    );
    write("indexed/index.ts", plugin("Indexed", ""));
    const { driver, loaded, lines } = await rig([file, join(folder, "pack"), join(folder, "indexed")], { threads: 2 });
    expect(loaded.failures).toEqual([]);
    expect(loaded.types.map(({ type, version, title }) => [type, version, title])).toEqual([
      ["greet", "1.2.3", "A greet"],
      ["packed", "1.2.3", "A packed"],
      ["Indexed", "1.2.3", "A Indexed"],
    ]);
    expect(loaded.types[0]?.schema).toMatchObject({ properties: { name: { type: "string", default: "x" } } });
    const result = await driver.run(contextOf("Greet", { greet: { name: "you" } }));
    expect(result.state).toBe("DONE");
    expect(result.outputs?.greeted?.evaluated_result).toBe("you");
    expect(result.outputs?.by?.evaluated_result).toBe("job");
    expect([message(result), driver.text("stdout")]).toEqual(["said hello", "Hello you\n"]);
    expect(lines).toMatchObject([{ level: "info", message: "greeted", identity: { stepId: "job" } }]);
    expect((await driver.run(contextOf("indexed", {}))).state).toBe("DONE");
  });

  test("that can't be used are reported and do no harm", async () => {
    const bad = [
      write("syntax.ts", "export default {"),
      write("throws.ts", "throw new Error('at load');"),
      write("nothing.ts", "export const x = 1;"),
      write("future.ts", "export default { type: 'f', apiVersion: 99 };"),
      write("sleepy.ts", plugin("SLEEP", "")),
      write("one.ts", plugin("one", "")),
      write("other.ts", plugin("One", "")),
      join(folder, "missing.ts"),
    ];
    mkdirSync(join(folder, "empty"));
    const { driver, loaded } = await rig([...bad, join(folder, "empty")]);
    expect(loaded.types.map(({ type }) => type)).toEqual(["one"]);
    expect(loaded.failures.map(({ name }) => name)).toEqual([
      ...bad.filter((name) => !name.endsWith("one.ts")),
      join(folder, "empty"),
    ]);
    const reason = (name: string) => loaded.failures.find((failure) => failure.name.endsWith(name))?.message;
    expect(reason("syntax.ts")).toMatch(/line 1, column \d+: /);
    expect(reason("missing.ts")).toBe("There is no such file or folder");
    expect(reason("throws.ts")).toBe("at load");
    expect(reason("nothing.ts")).toContain("The default export must be the result of defineStepType");
    expect(reason("future.ts")).toContain("made for version 99 of the SDK");
    expect(reason("sleepy.ts")).toBe("There is a step type [SLEEP] already");
    expect(reason("empty")).toContain("neither an entry in package.json");
    expect((await driver.run(contextOf("one", {}))).state).toBe("DONE");
  });
});

describe("a plugin that misbehaves", () => {
  test.each([
    ["throws", "start: () => { throw new Error('boom'); },", "PLATFORM_ERROR", "Step type odd failed: boom"],
    ["rejects", "start: async () => { throw 'text'; },", "PLATFORM_ERROR", "Step type odd failed: text"],
    ["answers nothing", "start: () => undefined,", "PLATFORM_ERROR", "Step type odd answered state [undefined]"],
    [
      "answers an odd output",
      "start: () => ({ state: 'DONE', outputs: { f: () => 1 } }),",
      "FATAL_ERROR",
      "Output [f] is",
    ],
  ])("%s: its step fails, and the thread goes on", async (_how, body, state, reason) => {
    const { driver } = await rig([write("odd.ts", plugin("odd", body))]);
    const result = await driver.run(contextOf("odd", {}));
    expect([result.state, message(result)]).toEqual([state as typeof result.state, expect.stringContaining(reason)]);
    expect((await driver.client.execute(contextOf("odd", {}))).state).toBe("DONE");
  });

  test("hangs: its step can be stopped", async () => {
    const body = `start: ({ signal, wake }) => new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject("aborted"));
      wake();
    }),`;
    const { driver } = await rig([write("odd.ts", plugin("odd", body))]);
    const context = contextOf("odd", {});
    const started = driver.client.start(context);
    await driver.woken(context.uuid);
    expect((await driver.client.terminate(context)).state).toBe("STOPPED");
    expect((await started).state).toBe("PLATFORM_ERROR");
    const other = contextOf("odd", {});
    const overtaken = driver.client.start(other);
    expect((await driver.client.terminate(other)).state).toBe("STOPPED");
    expect((await overtaken).state).toBe("STOPPED");
  });

  test("blocks its thread: the thread is replaced, its calls are made again and its attempts are woken", async () => {
    const mark = join(folder, "mark");
    const body = `start: ({ params }) => {
      if (params.name === "runs") return { state: "CONTINUE" };
      if (require("node:fs").existsSync("${mark}")) return { state: "DONE" };
      require("node:fs").writeFileSync("${mark}", "");
      for (;;);
    },`;
    const restarts: string[] = [];
    const { driver } = await rig([write("odd.ts", plugin("odd", body)), pluginEntry("script")], {
      stuckAfter: 300,
      onRestart: (thread, reason) => restarts.push(`${thread}: ${reason}`),
    });
    const running = contextOf("odd", { odd: { name: "runs" } });
    const shell = contextOf("shell", { shell: { script: "read x <go; echo done", working_dir: folder } });
    await Bun.spawn(["mkfifo", join(folder, "go")]).exited;
    const [first, begun] = await Promise.all([driver.client.start(running), driver.client.start(shell)]);
    expect([first.state, begun.state]).toEqual(["CONTINUE", "CONTINUE"]);

    expect((await driver.run(contextOf("odd", {}))).state).toBe("DONE");
    expect(restarts).toEqual(["0: it was stuck for 0.3 s"]);
    expect((await driver.finish(running, first)).state).toBe("DONE");
    writeFileSync(join(folder, "go"), "go\n");
    expect((await driver.finish(shell, begun)).state).toBe("DONE");
    expect(driver.text("stdout", shell.uuid)).toBe("done\n");
  }, 20_000);

  test("kills its thread again and again while loading: the start is refused", async () => {
    const path = write("deadly.ts", "for (;;);");
    expect(rig([path], { stuckAfter: 150 })).rejects.toThrow("Runtime thread 0 does not come up: it was stuck");
  }, 20_000);
});

test("a step of a type that is not loaded fails with the reason", async () => {
  const { driver } = await rig([]);
  const result = await driver.run(contextOf("nope", {}));
  expect([result.state, message(result)]).toEqual(["FATAL_ERROR", "Step type [nope] is not loaded"]);
});

test("a replaced engine thread adopts what its predecessor started", async () => {
  const { driver, lines } = await rig([pluginEntry("script")]);
  expect(lines).toEqual([]);
  await Bun.spawn(["mkfifo", join(folder, "go")]).exited;
  const context = contextOf("shell", { shell: { script: "echo before; read x <go; echo after", working_dir: folder } });
  const { artifacts } = await driver.client.start(context);
  await driver.logged("before\n");
  const successor = new Driver(1, (text) => relay(text));
  const relay = takeOver(driver, successor);
  const adopted = { ...context, artifacts: artifacts ?? {}, logOffset: { stdout: 7, stderr: 0 } };
  const first = await successor.client.execute(adopted);
  expect(first.state).toBe("CONTINUE");
  writeFileSync(join(folder, "go"), "go\n");
  expect((await successor.finish(adopted, first)).state).toBe("DONE");
  expect(successor.chunks.map(({ offset, text }) => [offset, text])).toEqual([[7, "after\n"]]);
  expect(readFileSync(join(folder, "attempt", context.uuid, "out"), "utf8")).toBe("before\nafter\n");
  expect(existsSync(join(folder, "attempt", context.uuid, "exit"))).toBe(true);
});

/** Routes the engine thread's texts from the old client to the new one. @returns how the new one sends. */
function takeOver(old: Driver, successor: Driver): (text: string) => void {
  old.client.close();
  old.client.receive = (text) => successor.client.receive(text);
  return (text) => old.resend(text);
}
