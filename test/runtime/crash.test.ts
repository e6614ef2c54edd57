import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepType } from "@maestro/sdk";
import { isGroupAlive } from "../../plugins/script/process.ts";
import { shell } from "../../plugins/script/shell.ts";
import { placeOf } from "../../src/runtime/place.ts";
import { encodeContext } from "../../src/runtime/protocol.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import { pluginEntry } from "../../src/spawn.ts";
import type { StepResult } from "../../src/step/result.ts";
import { contextOf, inPlace } from "./harness.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "maestro-crash-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lines of a process that runs an attempt on its own. */
function server(context: AttemptContext, plugin: string): { lines: AsyncIterator<string>; kill(): Promise<void> } {
  const setup = JSON.stringify({ dataDir: folder, plugin, context: encodeContext(context) });
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), setup], {
    stdout: "pipe",
    stderr: "inherit",
  });
  async function* lines(): AsyncGenerator<string> {
    let rest = "";
    for await (const chunk of child.stdout) {
      const parts = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  }
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { lines: lines(), kill };
}

async function nextResult(lines: AsyncIterator<string>): Promise<StepResult> {
  return JSON.parse(((await lines.next()) as { value: string }).value) as StepResult;
}

const script = 'echo run >>runs; echo first; read x <go; echo second; echo \'{"n":1}\' >"$MAESTRO_OUTPUT"';

/** A shell attempt that waits for a line in the file `go`. */
async function waitingScript(): Promise<AttemptContext> {
  await Bun.spawn(["mkfifo", join(folder, "go")]).exited;
  return contextOf("shell", { shell: { script, working_dir: folder } });
}

const runs = (): number => readFileSync(join(folder, "runs"), "utf8").split("\n").length - 1;

/** The data directory of the server that comes after, and what it is told of where the attempt began. */
const successors = [
  { name: "with the same data directory", second: () => folder, place: () => undefined },
  { name: "with its own data directory", second: () => join(folder, "second"), place: () => placeOf(folder) },
];

describe.each(successors)("after kill -9 of the server, to the next one $name, a script", ({ second, place }) => {
  const waiting = async (): Promise<AttemptContext> => ({ ...(await waitingScript()), place: place() });
  const next = () => inPlace(second(), [shell as unknown as StepType]);

  test("runs on, is adopted by the next one, and is run once", async () => {
    const context = await waiting();
    const first = server(context, pluginEntry("script"));
    const started = await nextResult(first.lines);
    expect(started.state).toBe("CONTINUE");
    await first.kill();

    using driver = next();
    const adopted = { ...context, artifacts: started.artifacts ?? {} };
    const looked = await driver.client.execute(adopted);
    expect(looked.state).toBe("CONTINUE");
    writeFileSync(join(folder, "go"), "go\n");
    const result = await driver.finish(adopted, looked);
    expect([result.state, result.outputs?.n?.evaluated_result, runs()]).toEqual(["DONE", 1, 1]);
    expect(driver.text("stdout")).toBe("first\nsecond\n");
    expect(result.artifacts?.maestro_shell).toMatchObject({ pid: started.artifacts?.maestro_shell?.pid, exit_code: 0 });
    driver.client.forget(context.uuid);
    while (existsSync(join(folder, "attempt", context.uuid))) await new Promise(setImmediate);
  });

  test("that ended meanwhile is judged by what it left", async () => {
    const context = await waiting();
    const first = server(context, pluginEntry("script"));
    const started = await nextResult(first.lines);
    await first.kill();
    writeFileSync(join(folder, "go"), "go\n");
    const exit = join(folder, "attempt", context.uuid, "exit");
    while (!existsSync(exit)) await new Promise(setImmediate);

    using driver = next();
    const adopted = { ...context, artifacts: started.artifacts ?? {}, logOffset: { stdout: 6, stderr: 0 } };
    const result = await driver.finish(adopted, await driver.client.execute(adopted));
    expect([result.state, result.outputs?.n?.evaluated_result, runs()]).toEqual(["DONE", 1, 1]);
    expect(driver.text("stdout")).toBe("second\n");
  });

  test("whose start was not stored is found by its uuid, and not run again", async () => {
    const context = await waiting();
    const first = server(context, pluginEntry("script"));
    await nextResult(first.lines);
    await first.kill();

    using driver = next();
    const started = await driver.client.start(context);
    writeFileSync(join(folder, "go"), "go\n");
    const result = await driver.finish(context, started);
    expect([result.state, runs()]).toEqual(["DONE", 1]);
  });

  test("is stopped by the next one", async () => {
    const context = await waiting();
    const first = server(context, pluginEntry("script"));
    const started = await nextResult(first.lines);
    await first.kill();
    using driver = next();
    const pid = Number(started.artifacts?.maestro_shell?.pid);
    expect((await driver.client.terminate({ ...context, artifacts: started.artifacts ?? {} })).state).toBe("STOPPED");
    expect(isGroupAlive(pid)).toBe(false);
  });
});

test("a plugin that throws where nobody can catch it does not end its thread", async () => {
  const plugin = join(folder, "odd.ts");
  writeFileSync(
    plugin,
    `import { defineStepType, z } from "@maestro/sdk";
    export default defineStepType({
      type: "odd", version: "1", params: z.any(),
      start: ({ wake }) => {
        void Promise.reject(new Error("rejected"));
        setTimeout(() => { setTimeout(wake, 1); throw new Error("thrown"); }, 1);
        return { state: "CONTINUE" };
      },
      execute: () => ({ state: "DONE" }),
      terminate: () => ({ state: "STOPPED" }),
    });`,
  );
  const { lines } = server(contextOf("odd", {}), plugin);
  const seen: string[] = [];
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) seen.push(line.value);
  expect(seen.filter((line) => line.includes("line"))).toEqual([
    '{"line":"Unhandled: Error: rejected"}',
    '{"line":"Unhandled: Error: thrown"}',
  ]);
  expect(JSON.parse(seen.at(-1) ?? "")).toMatchObject({ state: "DONE" });
});
