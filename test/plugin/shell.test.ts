import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { StepType } from "@maestro/sdk";
import { shell } from "../../plugins/script/shell.ts";
import { shownBytes } from "../../src/bytes.ts";
import { type Json, parseJson, rawNumber } from "../../src/json.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import type { StepResult } from "../../src/step/result.ts";
import { contextOf, type Driver, inPlace, message } from "../runtime/harness.ts";

const dataDir = mkdtempSync(join(tmpdir(), "maestro-shell-"));
let driver: Driver & Disposable;

beforeAll(() => {
  process.env.MAESTRO_TEST_SECRET = "hidden";
  driver = inPlace(dataDir, [shell as unknown as StepType]);
});
afterAll(() => {
  driver[Symbol.dispose]();
  delete process.env.MAESTRO_TEST_SECRET;
  rmSync(dataDir, { recursive: true, force: true });
});

const shellContext = (settings: { readonly [name: string]: Json }): AttemptContext =>
  contextOf("shell", { shell: settings });

async function run(
  script: string,
  settings: { readonly [name: string]: Json } = {},
): Promise<StepResult & { out: string }> {
  const context = shellContext({ script, ...settings });
  const result = await driver.run(context);
  return { ...result, out: driver.text("stdout", context.uuid) };
}

const outputsOf = (result: StepResult): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(result.outputs ?? {}).map(([name, param]) => [name, [param.type, param.evaluated_result]]),
  );

describe("a script", () => {
  test("succeeds with its output streamed and its process in the artifact", async () => {
    const result = await run("echo out; echo err >&2");
    expect(result.state).toBe("DONE");
    expect(result.out).toBe("out\n");
    expect(result.artifacts?.maestro_shell).toMatchObject({ host: hostname(), exit_code: 0, pid: expect.any(Number) });
  });

  test("is closed to other users with all that is about it, and keeps the umask for its own files", async () => {
    const umask = process.umask(0o026);
    try {
      const context = shellContext({
        script: "umask; touch mine; mkdir folder; find .. ! -name cgroup -printf '%f %m\\n'; exec 9>&3",
      });
      const { state } = await driver.run(context);
      const lines = driver.text("stdout", context.uuid).trimEnd().split("\n");
      expect(lines[0]).toMatch(/^0*22$/);
      expect(lines.slice(1).sort()).toEqual([
        ".. 700",
        "err 600",
        "folder 755",
        "mine 644",
        "out 600",
        "params.json 600",
        "pid 600",
        "script 600",
        "work 700",
      ]);
      expect(state).toBe("USER_ERROR"); // no descriptor of the supervisor is open in the script
      expect(statSync(join(dataDir, "attempt")).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(umask);
    }
  });

  test("fails with its exit code and the end of stderr", async () => {
    const result = await run("echo first >&2; echo no such table >&2; exit 3");
    expect(result.state).toBe("USER_ERROR");
    expect(message(result)).toBe("Exit code 3: first\nno such table");
    expect(result.artifacts?.maestro_shell?.exit_code).toBe(3);
  });

  test("of a line that is too long to be told whole it tells nothing", async () => {
    const long = await run("printf 'secret%01000d' 0 >&2; exit 3");
    expect(message(long)).toBe("Exit code 3: a line of more than 1,000 bytes, which is in the log");
    const after = await run("printf 'secret%0995d\\nno such table\\n' 0 >&2; exit 3");
    expect(message(after)).toBe("Exit code 3: no such table");
  });

  test("killed by a signal is a user error that names it", async () => {
    const result = await run("kill -KILL $$");
    expect(result.state).toBe("USER_ERROR");
    expect(message(result)).toStartWith("Exit code 137 (SIGKILL)");
  });

  test("survives a kill of its own process group as far as its status is known", async () => {
    const result = await run("kill -TERM 0");
    expect(result.state).toBe("USER_ERROR");
    expect(message(result)).toStartWith("Exit code 143 (SIGTERM)");
  });

  test.each([
    ["bash", 'echo "$BASH_VERSION" | grep -q "[0-9]" && [[ -n x ]] && echo ok'],
    ["bash -e", "false; echo not reached"],
    [["/bin/sh", "-c", "echo ok", "--"], "ignored"],
    [undefined, "#!/usr/bin/env bash\n[[ a == a ]] && echo ok"],
  ])("runs with interpreter %p", async (interpreter, script) => {
    const result = await run(script, interpreter === undefined ? {} : { interpreter });
    expect(result.out).toBe(interpreter === "bash -e" ? "" : "ok\n");
  });

  test("with an unknown interpreter fails as a user error", async () => {
    const result = await run("x", { interpreter: "no-such-interpreter" });
    expect(result.state).toBe("USER_ERROR");
    expect(message(result)).toMatch(/Exit code 127: .*no-such-interpreter/);
  });

  test("runs where it was told to, and refuses a folder that does not exist", async () => {
    expect((await run("pwd", { working_dir: "/" })).out).toBe("/\n");
    const result = await run("pwd", { working_dir: "/no/such/folder" });
    expect([result.state, message(result)]).toEqual([
      "USER_ERROR",
      "working_dir [/no/such/folder] is not a folder on the server's host",
    ]);
  });

  test("with bad params is refused with their paths, and never started", async () => {
    const context = shellContext({ scirpt: "x", grace_period: "soon" });
    const result = await driver.run(context);
    expect(result.state).toBe("FATAL_ERROR");
    expect(message(result)).toContain("[shell.script]: Invalid input: expected string");
    expect(message(result)).toContain("[shell.grace_period]: ");
    expect(message(result)).toContain('Unrecognized key: "scirpt"');
    expect(existsSync(join(dataDir, "attempt", context.uuid))).toBe(false);
  });
});

describe("the environment", () => {
  test("has the attempt's identity and env, and none of the server's secrets", async () => {
    const env = { GREETING: "hello 'you'", COUNT: 3, BIG: rawNumber("9223372036854775807"), MAESTRO_STEP_ID: "forged" };
    const { out } = await run("env", { env });
    const seen = Object.fromEntries(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    expect(seen).toMatchObject({
      GREETING: "hello 'you'",
      COUNT: "3",
      BIG: "9223372036854775807",
      MAESTRO_WORKFLOW_ID: "wf",
      MAESTRO_WORKFLOW_INSTANCE_ID: "12",
      MAESTRO_WORKFLOW_RUN_ID: "3",
      MAESTRO_STEP_ID: "job",
      MAESTRO_STEP_ATTEMPT_ID: "2",
      PATH: process.env.PATH as string,
    });
    expect(out).not.toContain("hidden");
    const allowed =
      /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SSL_CERT_\w+|MAESTRO_\w+|GREETING|COUNT|BIG|PWD|OLDPWD|SHLVL|_)$/;
    expect(Object.keys(seen).filter((name) => !allowed.test(name))).toEqual([]);
  });
});

describe("outputs", () => {
  test("from the file become params of the types that they show", async () => {
    const result = await run(
      `echo '{"s":"x","l":9223372036854775807,"d":1.5,"b":true,"a":[1,2.5],"e":[],"m":{"k":"v","n":{"i":1}}}' >"$MAESTRO_OUTPUT"`,
    );
    expect(outputsOf(result)).toEqual({
      s: ["STRING", "x"],
      l: ["LONG", rawNumber("9223372036854775807")],
      d: ["DOUBLE", 1.5],
      b: ["BOOLEAN", true],
      a: ["DOUBLE_ARRAY", [1, 2.5]],
      e: ["STRING_ARRAY", []],
      m: ["MAP", { k: "v", n: { i: 1 } }],
    });
    expect(result.outputs?.m?.value).toEqual({
      k: { type: "STRING", value: "v", evaluated_result: "v" },
      n: {
        type: "MAP",
        value: { i: { type: "LONG", value: 1, evaluated_result: 1 } },
        evaluated_result: { i: 1 },
      },
    });
  });

  test("between the markers on stdout, in upstream's form, bring params and artifacts", async () => {
    const body = { params: { rows: { type: "LONG", value: 7 }, note: "plain" }, artifacts: { report: { url: "u" } } };
    const result = await run(
      `env; echo "noise $MAESTRO_OUTPUT_START"; echo '${JSON.stringify(body)}'; echo "$MAESTRO_OUTPUT_END"; env`,
    );
    expect(message(result)).toBe("");
    expect(outputsOf(result)).toEqual({ rows: ["LONG", 7], note: ["STRING", "plain"] });
    expect(result.artifacts?.report).toEqual({ url: "u" });
  });

  test("are found across the borders of what is read at once", async () => {
    const pad = (1 << 20) - 20;
    const result = await run(
      `head -c ${pad} /dev/zero | tr '\\0' x; printf '%s{"a":1}%s' "$MAESTRO_OUTPUT_START" "$MAESTRO_OUTPUT_END"`,
    );
    expect(outputsOf(result)).toEqual({ a: ["LONG", 1] });
  });

  test("of a failed script are not params, but its artifacts count", async () => {
    const result = await run(
      `echo '{"params":{"x":1},"artifacts":{"maestro_retry":{"type":"RETRY","retryable":false}}}' >"$MAESTRO_OUTPUT"; exit 1`,
    );
    expect([result.state, result.outputs]).toEqual(["USER_ERROR", undefined]);
    expect(result.artifacts?.maestro_retry).toEqual({ type: "RETRY", retryable: false });
  });

  test.each([
    ["nonsense", "The step's output in the file $MAESTRO_OUTPUT can't be taken. It is not JSON"],
    ["[1]", "It is no JSON object. Write a JSON object of names and values, such as"],
    [
      '{"x":null}',
      "The step's output in the file $MAESTRO_OUTPUT can't be taken. Output [x] is null, which can't be a param",
    ],
    ['{"x":{"y":[1,"a"]}}', "Output [x.y] mixes LONG and STRING in one array"],
    ['{"x":99999999999999999999}', "Output [x] is an integer of more than 64 bits"],
    ['{"x":"a\\u0000b"}', "Output [x] holds a NUL character"],
    ['{"params":{"x":{"type":"LUNG","value":1}}}', "Output [x] has type [LUNG]"],
  ])("that are bad fail the step for good: %s", async (text, reason) => {
    const result = await run(`printf '%s' "$TEXT" >"$MAESTRO_OUTPUT"`, { env: { TEXT: text } });
    expect(result.state).toBe("FATAL_ERROR");
    expect(message(result)).toContain(reason);
  });

  test("that are too long fail the step for good", async () => {
    const result = await run(
      `{ printf '{"x":"'; head -c 750001 /dev/zero | tr '\\0' x; printf '"}'; } >"$MAESTRO_OUTPUT"`,
    );
    expect([result.state, message(result)]).toEqual([
      "FATAL_ERROR",
      "The step's output in the file $MAESTRO_OUTPUT can't be taken. It has 750009 characters, more than 750000",
    ]);
  });
});

describe("logs", () => {
  test("come while the script runs, with offsets that fit", async () => {
    const context = shellContext({ script: 'echo "grüße"; read x <go; echo after' });
    const fifo = join(dataDir, "attempt", context.uuid, "work", "go");
    const started = await driver.client.start({
      ...context,
      params: { shell: { script: `mkfifo go; echo "grüße"; read x <go; echo after` } },
    });
    await driver.logged("grüße\n");
    await Bun.write(fifo, "go\n");
    expect((await driver.finish(context, started)).state).toBe("DONE");
    const chunks = driver.chunks.filter((chunk) => chunk.uuid === context.uuid);
    expect(driver.text("stdout", context.uuid)).toBe("grüße\nafter\n");
    expect(chunks.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 8],
      [8, 6],
    ]);
    expect(chunks[0]?.identity).toEqual(context.identity);
  });

  test("of megabytes arrive whole and in order", async () => {
    const context = shellContext({ script: "seq 1 300000; printf '\\000\\377'" });
    expect((await driver.run(context)).state).toBe("DONE");
    const chunks = driver.chunks.filter((chunk) => chunk.uuid === context.uuid);
    let end = 0;
    for (const { offset, length } of chunks) {
      expect([offset, length <= 32 * 1024]).toEqual([end, true]);
      end += length;
    }
    const text = driver.text("stdout", context.uuid);
    expect(text.startsWith("1\n2\n3\n") && shownBytes(text).endsWith("299999\n300000\n\\x00\\xff")).toBe(true);
    expect(text.split("\n").length).toBe(300_001);
  });
});

describe("stopping", () => {
  const alive = (pid: number): boolean =>
    existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

  async function running(settings: { readonly [name: string]: Json }): Promise<AttemptContext> {
    const context = shellContext(settings);
    const { artifacts } = await driver.client.start(context);
    await driver.logged(`up ${context.uuid}`);
    return { ...context, artifacts: artifacts ?? {} };
  }

  test("lets the script clean up", async () => {
    const script = `trap 'echo cleaned; exit 0' TERM; echo "up $MAESTRO_STEP_UUID"; while :; do sleep 0.01; done`;
    const context = await running({ script });
    const result = await driver.client.terminate(context);
    expect([result.state, message(result)]).toEqual(["STOPPED", "Stopped with SIGTERM"]);
    expect(driver.text("stdout", context.uuid)).toEndWith("cleaned\n");
  });

  test.skipIf(process.platform !== "linux")("kills the whole process group after the grace period", async () => {
    const script = `trap '' TERM; sleep 600 & echo "child $!"; echo "up $MAESTRO_STEP_UUID"; wait; sleep 600`;
    const context = await running({ script, grace_period: 0.2 });
    const child = Number(/child (\d+)/.exec(driver.text("stdout", context.uuid))?.[1]);
    expect(alive(child)).toBe(true);
    const result = await driver.client.terminate(context);
    expect([result.state, message(result)]).toEqual(["STOPPED", "Stopped with SIGKILL, 0.2 s after SIGTERM"]);
    expect(alive(child)).toBe(false);
    expect((await driver.client.terminate(context)).state).toBe("STOPPED");
  });

  test("ends a stopped attempt as STOPPED whoever looks at it later", async () => {
    const context = await running({ script: `echo "up $MAESTRO_STEP_UUID"; sleep 600` });
    await driver.client.terminate(context);
    expect((await driver.client.execute(context)).state).toBe("STOPPED");
    expect((await driver.client.start(context)).state).toBe("STOPPED");
  });
});

describe("a lost job", () => {
  const artifact = (host: string) => ({ maestro_shell: { host, pid: 1, start_time: "x" } });

  test("on another host is a platform error", async () => {
    const context = { ...shellContext({ script: "x" }), artifacts: artifact("elsewhere") };
    const result = await driver.client.execute(context);
    expect([result.state, message(result)]).toEqual([
      "PLATFORM_ERROR",
      "Job lost: it belongs to host elsewhere, and may still run there",
    ]);
    expect((await driver.client.terminate(context)).state).toBe("STOPPED");
  });

  test("that another host was about to begin, or has begun, is not begun here, and its files are left alone", async () => {
    const directory = join(dataDir, "shared");
    const context = { ...shellContext({ script: "x" }), place: { host: "elsewhere", directory } };
    mkdirSync(join(directory, context.uuid), { recursive: true });
    for (const call of ["start", "execute"] as const) {
      const result = await driver.client[call](context);
      expect([result.state, message(result)]).toEqual([
        "PLATFORM_ERROR",
        "Job lost: it belongs to host elsewhere, and may still run there",
      ]);
    }
    const stopped = await driver.client.terminate(context);
    expect([stopped.state, message(stopped)]).toEqual([
      "STOPPED",
      "The job was left alone: it belongs to host elsewhere, and may still run there",
    ]);
    driver.client.forget(context.uuid);
    await driver.run(shellContext({ script: "true" })); // whatever was asked for before is done
    expect(readdirSync(join(directory, context.uuid))).toEqual([]);
    expect(existsSync(join(dataDir, "attempt", context.uuid))).toBe(false);
  });

  test("whose files are gone is a platform error, and is not run again", async () => {
    const context = { ...shellContext({ script: "x" }), artifacts: artifact(hostname()) };
    expect((await driver.client.execute(context)).state).toBe("PLATFORM_ERROR");
    expect((await driver.client.start(context)).state).toBe("PLATFORM_ERROR");
  });

  test("killed together with its supervisor is a platform error", async () => {
    const context = shellContext({ script: "kill -KILL 0" });
    const result = await driver.run(context);
    expect([result.state, message(result)]).toEqual([
      "PLATFORM_ERROR",
      "Job lost: its process is gone without an exit status",
    ]);
  });
});

test("settings are described as JSON Schema", () => {
  const schema = parseJson(JSON.stringify(shell.schema()));
  expect(schema).toMatchObject({ type: "object", required: ["script"], additionalProperties: false });
});

test("forgotten attempts leave no files", async () => {
  const context = shellContext({ script: "true" });
  await driver.run(context);
  const folder = join(dataDir, "attempt", context.uuid);
  expect(existsSync(folder)).toBe(true);
  driver.client.forget(context.uuid);
  while (existsSync(folder)) await new Promise(setImmediate);
});
