import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shownBytes } from "../../src/bytes.ts";
import { rawNumber } from "../../src/json.ts";
import { ProcessPlugin } from "../../src/runtime/process/plugin.ts";
import { contextOf, message } from "./harness.ts";
import { commandOf, gone, isRunning, pidsOf, type Script, serve } from "./serving.ts";

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "maestro-process-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const odd = (params: Record<string, unknown> = {}) => contextOf("odd", { odd: params as never });

/** Statements that do something in the first process only. */
const once = (statements: string): string => `if (!existsSync("mark")) { writeFileSync("mark", ""); ${statements} }`;

describe("a process that serves step types", () => {
  test("says which, and is asked with all that a step knows of itself", async () => {
    const params = { type: "object", required: ["name"], properties: { name: {}, times: { default: 3 } } };
    await using served = await serve(folder, {
      hello: `stepTypes: [
        { type: "odd", version: "1.2.3", title: "An odd one", description: null, params: ${JSON.stringify(params)} },
        { type: "even", version: "1", params: {}, defaultParams: { pace: { type: "LONG", value: 5 } } },
      ]`,
      call: `answer({ state: "DONE", outputs: { context, op, stepType, cwd: process.cwd() }, timeline: ["one", { level: "WARN", message: "two" }] });`,
    });
    const { plugin, driver } = served;
    expect(plugin).toBeDefined();
    const context = { ...odd({ name: "you" }), artifacts: { before: { n: 1 } } };
    const result = await driver.client.start(context);
    const { uuid, identity, startTime, artifacts } = context;
    expect(result.outputs?.cwd?.evaluated_result).toBe(folder);
    expect([result.outputs?.op?.evaluated_result, result.outputs?.stepType?.evaluated_result]).toEqual([
      "start",
      "odd",
    ]);
    const given: unknown = result.outputs?.context?.evaluated_result;
    expect(given).toEqual({
      ...{ uuid, identity, startTime, artifacts },
      params: { name: "you", times: 3 },
      stepParams: { odd: { name: "you" } },
      directory: join(folder, "attempt", uuid),
      dataDir: folder,
    });
    expect(result.timeline?.map(({ level, message }) => `${level} ${message}`)).toEqual(["INFO one", "WARN two"]);
    const other = await driver.client.execute(contextOf("EVEN", {}));
    expect([other.outputs?.op?.evaluated_result, other.outputs?.stepType?.evaluated_result]).toEqual([
      "execute",
      "even",
    ]);
  });

  test("logs, goes on, wakes the step and ends it", async () => {
    await using served = await serve(folder, {
      call: `
        const log = (text, stream = "stdout") => say({ type: "log", uuid, stream, text });
        if (op === "execute") return answer({ state: "DONE", outputs: { seen: context.artifacts.odd.begun, half: "\\ud800x" } });
        log("begun\\n");
        log("a\\u0000b \\ud800\\n", "stderr");
        answer({ state: "CONTINUE", artifacts: { odd: { begun: true } } });
        setTimeout(() => { log("done\\n"); say({ type: "wake", uuid }); }, 1);`,
    });
    const context = odd();
    const result = await served.driver.run(context);
    const { seen, half } = result.outputs ?? {};
    expect([result.state, seen?.evaluated_result, half?.evaluated_result]).toEqual(["DONE", true, "\ufffdx"]);
    expect([served.driver.text("stdout"), shownBytes(served.driver.text("stderr"))]).toEqual([
      "begun\ndone\n",
      "a\\x00b \ufffd\n",
    ]);
  });

  test("gets and gives integers of 64 bits and decimals as they are", async () => {
    await using served = await serve(
      folder,
      `const say = (text) => console.log(text);
      for await (const line of console) {
        if (line.includes('"hello"')) say('{"type":"hello","apiVersion":1,"stepTypes":[{"type":"odd","version":"1","params":{"properties":{"n":{"type":"integer"},"x":{"default":1}}}}]}');
        const n = /"params":{"n":(\\d+),"x":1}/.exec(line)?.[1];
        if (n) say('{"type":"result","id":1,"state":"DONE","outputs":{"n":' + n + ',"d":1.0},"nextPollDelay":null}');
      }`,
    );
    const result = await served.driver.client.start(odd({ n: rawNumber("9223372036854775807") }));
    expect(result.outputs?.n).toMatchObject({ type: "LONG", value: rawNumber("9223372036854775807") });
    expect(result.outputs?.d).toMatchObject({ type: "DOUBLE" });
  });

  test("may answer with a decimal as its next poll", async () => {
    await using served = await serve(folder, {
      call: `process.stdout.write('{"type":"result","id":' + id + ',"state":"CONTINUE","nextPollDelay":500.0}\\n');`,
    });
    expect(await served.driver.client.start(odd())).toEqual({ state: "CONTINUE", nextPollDelay: 500 });
  });

  test("is asked for many steps at a time, and may answer in any order", async () => {
    await using served = await serve(folder, {
      before: "const waiting = [];",
      call: `waiting.push(() => answer({ state: "DONE", outputs: { n: params.n } }));
        if (waiting.length === 50) for (const each of waiting.reverse()) each();`,
    });
    const all = Array.from({ length: 50 }, (_, n) => served.driver.client.start(odd({ n })));
    const results = await Promise.all(all);
    expect(results.map(({ outputs }) => outputs?.n?.evaluated_result)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(pidsOf(folder)).toHaveLength(1);
  });

  test("is not asked with params that its schema refuses", async () => {
    const params = {
      type: "object",
      required: ["name"],
      additionalProperties: false,
      properties: { name: { type: "string" }, kind: { enum: ["a", "b"] }, at: { items: { type: "integer" } } },
    };
    await using served = await serve(folder, {
      hello: `stepTypes: [{ type: "odd", version: "1", params: ${JSON.stringify(params)} }]`,
    });
    const result = await served.driver.client.start(odd({ kind: "c", at: [1, "x"], more: 1 }));
    expect(result.state).toBe("FATAL_ERROR");
    expect(message(result).slice("Param ".length).split("; ").sort()).toEqual([
      "[odd.at.1]: must be integer",
      '[odd.kind]: must be one of ["a","b"]',
      "[odd.more]: is unknown",
      "[odd.name]: is required",
    ]);
    expect((await served.driver.client.start(odd({ name: "x" }))).state).toBe("DONE");
  });

  test("is told that an attempt is let go before it is asked to end it", async () => {
    await using served = await serve(folder, {
      call: `
        if (op === "start") return say({ type: "log", uuid, stream: "stdout", text: "begun " }); // and hangs
        answer({ state: "STOPPED", timeline: [calls.join(), String(aborts.join() === uuid)] });`,
      abort: `say({ type: "log", uuid, stream: "stdout", text: "aborted" }); say({ type: "result", id: 1, state: "CONTINUE" });`,
    });
    const context = odd();
    const started = served.driver.client.start(context);
    await served.driver.logged("begun");
    const stopped = await served.driver.client.terminate(context);
    expect([stopped.state, message(stopped)]).toEqual(["STOPPED", "start,terminate\ntrue"]);
    expect((await started).state).toBe("CONTINUE");
    expect(served.driver.text("stdout")).toBe("begun aborted");
  });

  test("is heard by whoever adopts an attempt that was let go while a call hung", async () => {
    await using served = await serve(folder, {
      call: `
        say({ type: "log", uuid, stream: "stdout", text: "call " + calls.length + " " });
        if (calls.length > 1) answer({ state: "DONE" });`,
    });
    const { driver } = served;
    const context = odd();
    void driver.client.start(context).catch(() => {});
    await driver.logged("call 1");
    driver.client.forget(context.uuid);
    expect((await driver.client.execute(context)).state).toBe("DONE");
    expect(driver.text("stdout")).toBe("call 1 call 2 ");
  });

  test("does not see the server's settings", async () => {
    process.env.MAESTRO_TEST_SECRET = "x";
    try {
      await using served = await serve(folder, {
        call: `answer({ state: "DONE", outputs: { names: Object.keys(process.env).join() } });`,
      });
      const names = String((await served.driver.client.start(odd())).outputs?.names?.evaluated_result).split(",");
      expect([names.includes("PATH"), names.some((name) => name.startsWith("MAESTRO_"))]).toEqual([true, false]);
    } finally {
      delete process.env.MAESTRO_TEST_SECRET;
    }
  });

  test("is not quoted with the secrets that it prints", async () => {
    const clean = (text: string): string => text.replaceAll("hunter2", "***");
    await using served = await serve(
      folder,
      { call: `console.error("with hunter2"); console.log("hunter2 is no JSON"); await sleep(1e6);` },
      { clean },
    );
    const result = await served.driver.client.start(odd());
    expect(message(result)).toContain("wrote on stdout what is no JSON: *** is no JSON");
    expect(served.lines.some((line) => line.includes("with ***"))).toBe(true);
    expect(served.lines.join()).not.toContain("hunter2");
  });

  test("may speak of attempts that nobody knows", async () => {
    await using served = await serve(folder, {
      call: `
        say({ type: "log", uuid: "nobody", stream: "stdout", text: "x" });
        say({ type: "wake", uuid: "nobody" });
        answer({ state: "DONE" });`,
    });
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
    expect(served.driver.text("stdout")).toBe("");
  });

  test("tells the server's log what it writes on stderr, within bounds", async () => {
    await using served = await serve(folder, {
      call: `
        console.error("é".repeat(9000));
        for (let n = 0; n < 500; n++) console.error("line " + n);
        answer({ state: "DONE" });`,
    });
    await served.driver.client.start(odd());
    await served.plugin.stop();
    expect(served.lines[0]).toBe(`info plugin odd: ${"é".repeat(4096)}…`);
    expect(served.lines).toContain("info plugin odd: line 0");
    const left = served.lines.map((line) => Number(/\[(\d+) lines are left out here/.exec(line)?.[1] ?? 0));
    const shown = served.lines.filter((line) => / line \d/.test(line)).length;
    expect(left.reduce((sum, count) => sum + count, 0) + shown).toBe(500);
    expect(shown).toBeLessThan(500);
  });
});

describe("an answer that the contract does not allow", () => {
  test.each([
    [`state: "FINE"`, "state: Invalid option"],
    [`state: "DONE", output: {}`, 'Unrecognized key: "output"'],
    [`state: "DONE", timeline: "text"`, "timeline: Invalid input"],
    [`state: "DONE", artifacts: { a: 1 }`, "artifacts: must be an object of objects"],
    [`state: "CONTINUE", nextPollDelay: -1`, "nextPollDelay is -1; it must be 0 to"],
  ])("such as { %s } ends the step and its work, not the process", async (fields, reason) => {
    await using served = await serve(folder, {
      call: `if (op === "terminate") { say({ type: "log", uuid, stream: "stdout", text: "ended" }); answer({ state: "STOPPED" }); } else answer({ ${fields} });`,
    });
    const result = await served.driver.client.start(odd());
    expect([result.state, message(result)]).toEqual([
      "FATAL_ERROR",
      expect.stringContaining(`Step type odd gave an answer to start that is refused: `),
    ]);
    expect(message(result)).toContain(reason);
    expect(served.driver.text("stdout")).toBe("ended");
    expect(pidsOf(folder)).toHaveLength(1);
  });
});

describe("a process that can't be used is refused when it", () => {
  const hello = (fields: string): Script => ({ hello: fields });
  test.each<[string, Script | string | readonly string[], string]>([
    [
      "is made for another version",
      hello("apiVersion: 7"),
      "speaks version 7 of the protocol (apiVersion); this server speaks 1",
    ],
    ["says no version", hello("apiVersion: undefined"), "speaks version undefined of the protocol"],
    ["serves nothing", hello("stepTypes: []"), "stepTypes: Too small"],
    ["has a key too many", hello("name: 'x'"), 'Unrecognized key: "name"'],
    [
      "names a type as none can be",
      hello(`stepTypes: [{ type: "a b", version: "1", params: {} }]`),
      "Step type [a b] must start with a letter",
    ],
    [
      "has a schema that is none",
      hello(`stepTypes: [{ type: "odd", version: "1", params: { type: "strng" } }]`),
      "Step type [odd]: schema is invalid: data/type must be",
    ],
    [
      "has defaults that are no params",
      hello(`stepTypes: [{ type: "odd", version: "1", params: {}, defaultParams: { a: { type: "NO" } } }]`),
      "Step type [odd]: defaultParams: a",
    ],
    ["speaks before its hello", { before: `say({ type: "pong" });` }, "wrote a pong before its hello"],
    [
      "prints on stdout",
      { before: `console.log("Loading…");` },
      "wrote on stdout what is no JSON: Loading… (stdout is for messages of the protocol; stderr is for people)",
    ],
    ["nests without end", { before: `console.log("[".repeat(100000));` }, "wrote JSON of more than 300 levels: [["],
    [
      "ends",
      { before: `console.error("no such module: x"); process.exit(3);` },
      "exited with code 3; its last words: no such module: x",
    ],
    ["is killed", { before: `process.kill(pid, "SIGKILL"); await sleep(1e6);` }, "was ended by SIGKILL"],
    ["is not there", ["maestro-no-such-program"], "cannot be started: Executable not found in $PATH: "],
  ])("%s", async (_, script, reason) => {
    expect(serve(folder, script)).rejects.toThrow(reason);
  });

  test("never says hello, and is not left running", async () => {
    const script = `require("node:fs").writeFileSync("pids", process.pid + "\\n"); setInterval(() => {}, 1e6);`;
    expect(serve(folder, script, { helloWithin: 300 })).rejects.toThrow("Its process did not say hello within 0.3 s");
    await gone(...pidsOf(folder));
  });
});

describe("a process that fails is replaced", () => {
  test("when it ends in the middle of calls, which are made again; attempts that it looked after are woken", async () => {
    await using served = await serve(folder, {
      call: `
        if (params.runs && op === "start") return answer({ state: "CONTINUE" });
        if (op === "start") ${once("console.error('boom'); process.exit(1);")}
        answer({ state: "DONE", outputs: { op } });`,
    });
    const { driver } = served;
    const running = odd({ runs: true });
    const first = await driver.client.start(running);
    const [one, other] = await Promise.all([driver.client.start(odd()), driver.client.start(odd())]);
    expect([one.outputs?.op?.evaluated_result, other.outputs?.op?.evaluated_result]).toEqual(["start", "start"]);
    expect((await driver.finish(running, first)).outputs?.op?.evaluated_result).toBe("execute");
    expect(pidsOf(folder)).toHaveLength(2);
    expect(served.lines).toContain(
      "error plugin odd: its process exited with code 1; its last words: boom; it is replaced in 100 ms",
    );
  });

  test.each([
    ["prints on stdout", `console.log("debug");`, "wrote on stdout what is no JSON: debug"],
    [
      "writes a line without end",
      `process.stdout.write("x".repeat(17 << 20));`,
      "wrote a line of more than 16777216 bytes",
    ],
    [
      "answers what it was not asked",
      `say({ type: "result", id: 99, state: "DONE" });`,
      "answered call 99, which it was not asked",
    ],
    [
      "answers twice",
      `answer({ state: "DONE" }); answer({ state: "DONE" });`,
      "answered call 1, which it was not asked or has answered",
    ],
    ["says what is no message", `say({ type: "bye" });`, "wrote a message that is none of the protocol's: type: "],
    [
      "says a message of another shape",
      `say({ type: "log", uuid, text: "x" });`,
      "wrote a message that is none of the protocol's: stream: ",
    ],
    [
      "says hello again",
      `say({ type: "hello", apiVersion: 1, stepTypes: [{ type: "odd", version: "1", params: {} }] });`,
      "said hello twice",
    ],
  ])("when it %s", async (_, statements, reason) => {
    await using served = await serve(folder, {
      call: `${once(`${statements} await sleep(1e6);`)} answer({ state: "DONE" });`,
    });
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
    await served.logged(reason);
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
    const [first = 0, second = 0] = pidsOf(folder);
    expect([pidsOf(folder).length, isRunning(first), isRunning(second)]).toEqual([2, false, true]);
  });

  test("when it closes its stdout", async () => {
    const hello = JSON.stringify({
      type: "hello",
      apiVersion: 1,
      stepTypes: [{ type: "odd", version: "1", params: {} }],
    });
    const answer = JSON.stringify({ type: "result", id: 1, state: "DONE" });
    const script = `read line; echo '${hello}'; test -e mark && read line && echo '${answer}'; touch mark; exec >&-; sleep 1000`;
    await using served = await serve(folder, ["sh", "-c", script]);
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
    await served.logged("its process closed its stdout; it is replaced in 100 ms");
  });

  test("when it does not answer pings, and not while it does", async () => {
    await using served = await serve(
      folder,
      {
        call: `${once("for (const end = Date.now() + 20_000; Date.now() < end; );")} await sleep(params.wait ?? 0); answer({ state: "DONE" });`,
      },
      { silentFor: 400 },
    );
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
    await served.logged("did not answer for 0.4 s");
    expect((await served.driver.client.start(odd({ wait: 1000 }))).state).toBe("DONE");
    expect(pidsOf(folder)).toHaveLength(2);
  });

  test("and a call that it can't survive is not made again without end", async () => {
    await using served = await serve(folder, {
      call: `if (params.deadly) process.exit(9); answer({ state: "DONE" });`,
    });
    const result = await served.driver.client.start(odd({ deadly: true }));
    expect([result.state, message(result)]).toEqual([
      "PLATFORM_ERROR",
      "Step type odd failed: its process exited with code 9; 3 have ended during this call",
    ]);
    expect(pidsOf(folder)).toHaveLength(3);
    expect((await served.driver.client.start(odd())).state).toBe("DONE");
  });

  test("but not for ever: its steps fail with the reason, and later it is tried again", async () => {
    await using served = await serve(
      folder,
      {
        before: `if (existsSync("mark") && !existsSync("mended")) process.exit(4);`,
        call: `if (params.deadly) ${once("process.exit(4);")} answer({ state: "DONE" });`,
      },
      { downFor: 1500 },
    );
    const running = odd();
    const result = await served.driver.client.start(odd({ deadly: true }));
    const reason = "Step type odd failed: The process of plugin odd does not stay up: the last one exited with code 4";
    expect([result.state, message(result)]).toEqual(["PLATFORM_ERROR", reason]);
    expect(pidsOf(folder)).toHaveLength(5);
    expect(message(await served.driver.client.start(running))).toBe(reason);
    expect(pidsOf(folder)).toHaveLength(5);
    await Bun.write(join(folder, "mended"), "");
    let again = await served.driver.client.start(odd());
    while (again.state !== "DONE") again = await served.driver.client.start(odd());
    expect(pidsOf(folder)).toHaveLength(6);
  });

  test("by one that serves the same types", async () => {
    await using served = await serve(folder, {
      hello: `stepTypes: [{ type: existsSync("mark") ? "other" : "odd", version: "1", params: {} }]`,
      call: once("process.exit(1);"),
    });
    const result = await served.driver.client.start(odd());
    expect(message(result)).toContain("the last one serves the step type [odd] no longer");
  });
});

test("a process that reads slowly is waited for, and nothing is lost", async () => {
  const script = `
    const say = (message) => console.log(JSON.stringify(message));
    let text = "";
    const reader = Bun.stdin.stream().getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (text + decoder.decode(value, { stream: true })).split("\\n");
      text = parts.pop();
      for (const part of parts) {
        const message = JSON.parse(part);
        if (message.type === "hello") say({ type: "hello", apiVersion: 1, stepTypes: [{ type: "odd", version: "1", params: {} }] });
        if (message.type === "call") say({ type: "result", id: message.id, state: "DONE", outputs: { size: message.context.params.text.length } });
        if (message.type === "call") await Bun.sleep(10);
      }
    }`;
  await using served = await serve(folder, script, { silentFor: 500 });
  const text = "x".repeat(100_000);
  const results = await Promise.all(Array.from({ length: 100 }, () => served.driver.client.start(odd({ text }))));
  expect(results.every(({ outputs }) => outputs?.size?.evaluated_result === 100_000)).toBe(true);
  expect(served.lines).toEqual([]);
});

test("a process that writes without end does not hold its thread", async () => {
  const command = commandOf(folder, {
    call: `
      const { writeSync } = require("node:fs"); // it waits for the reader, and ends with it
      const wakes = (JSON.stringify({ type: "wake", uuid }) + "\\n").repeat(4000);
      for (const end = Date.now() + 20_000; Date.now() < end; ) writeSync(1, wakes);`,
  });
  const plugin = new ProcessPlugin({ name: "odd", folder, command, line() {} });
  const [type] = await plugin.start();
  let wakes = 0;
  const wake = (): void => {
    wakes++;
    for (const end = performance.now() + 0.05; performance.now() < end; );
  };
  const { signal } = new AbortController();
  void Promise.resolve(type?.start({ uuid: "u", params: {}, signal, wake } as never)).catch(() => {});
  const inTurn: number[] = [];
  while (inTurn.length < 50) {
    const before = wakes;
    await new Promise((resolve) => setTimeout(resolve));
    if (wakes > before) inTurn.push(wakes - before);
  }
  expect(Math.max(...inTurn)).toBeLessThan(1000);
  await plugin.stop();
});

describe("at its end a process", () => {
  test.each([
    [
      "has its stdin closed",
      `say({ type: "log", uuid: "", stream: "stdout", text: "" }); writeFileSync("end", "eof");`,
      "eof",
    ],
    [
      "that goes on gets SIGTERM",
      `process.on("SIGTERM", () => { writeFileSync("end", "term"); process.exit(); }); setInterval(() => {}, 1e6);`,
      "term",
    ],
    [
      "that goes on all the same is killed",
      `process.on("SIGTERM", () => writeFileSync("end", "term")); setInterval(() => {}, 1e6);`,
      "term",
    ],
  ])("%s", async (_, end, mark) => {
    const served = await serve(folder, { end });
    await served[Symbol.asyncDispose]();
    expect(pidsOf(folder).some(isRunning)).toBe(false);
    expect(await Bun.file(join(folder, "end")).text()).toBe(mark);
    expect(served.lines).toEqual([]);
  });
});
