/** Secrets of attempts: who gets a value, what the plugin is given, and that nothing that it says shows one. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineStepType, type Follower, type StepContext, type StepResult, z } from "@maestro/sdk";
import fc from "fast-check";
import { parseSecret, type SecretSetting, Secrets } from "../../src/runtime/secret.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import { contextOf, type Driver, inPlace, message } from "./harness.ts";
import { secretValue } from "./secret.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "maestro-secret-"));
  file = join(folder, "token");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setting(text: string): SecretSetting {
  const parsed = parseSecret(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

const secretsOf = (text: string, env: Record<string, string> = {}): Secrets => new Secrets([setting(text)], env);

function valueIn(secrets: Secrets, workflowId = "etl", stepType = "shell", name = "TOKEN"): string {
  try {
    return secrets.value(name, { workflowId, stepType });
  } catch (error) {
    return `! ${(error as Error).message}`;
  }
}

describe("a setting", () => {
  test("names a secret, who may use it, and where its value is", () => {
    expect(setting("TOKEN@etl, report-*=env:API_TOKEN")).toEqual({
      name: "TOKEN",
      workflows: ["etl", "report-*"],
      types: [],
      source: { env: "API_TOKEN" },
    });
    expect(setting("a.b-c@*/Shell,http=file:/run/a=b@c")).toEqual({
      name: "a.b-c",
      workflows: ["*"],
      types: ["shell", "http"],
      source: { file: "/run/a=b@c" },
    });
  });

  test.each([
    ["TOKEN=env:X", "must be NAME@WORKFLOWS=env:VARIABLE"],
    ["TOKEN@etl=hunter2", "must be NAME@WORKFLOWS=env:VARIABLE"],
    ["TOKEN@etl=env:", "must be NAME@WORKFLOWS=env:VARIABLE"],
    ["1@etl=env:X", "must begin with a name"],
    ["TOKEN@=env:X", "must name after @ the workflows"],
    ["TOKEN@a*b=env:X", "must name after @ the workflows"],
    ["TOKEN@etl/=env:X", "must name after / the step types"],
  ])("such as %s is refused", (text, problem) => {
    expect(parseSecret(text)).toStartWith(problem);
  });
});

describe("a value", () => {
  test("is given to the workflows and step types that are named", () => {
    const secrets = secretsOf("TOKEN@etl,team-*/shell=env:X", { X: "hunter22" });
    expect(valueIn(secrets)).toBe("hunter22");
    expect(valueIn(secrets, "team-a", "Shell")).toBe("hunter22");
    for (const [workflow, type] of [
      ["etl2", "shell"],
      ["team", "shell"],
      ["etl", "http"],
    ] as const) {
      expect(valueIn(secrets, workflow, type)).toBe(
        `! The secret [TOKEN] is not granted to steps of type ${type} in workflow [${workflow}]; the server's operator grants it: its setting "secret" must name them: TOKEN@${workflow}/${type}=…`,
      );
    }
    expect(valueIn(secrets, "etl", "shell", "OTHER")).toContain("is not known to this server");
    expect(valueIn(secrets, "etl", "shell", "OTHER")).toContain("--secret OTHER@etl=env:VARIABLE (or file:PATH)");
  });

  test("of a file is read each time, without the end of its last line", () => {
    const secrets = secretsOf(`TOKEN@etl=file:${file}`);
    expect(valueIn(secrets)).toContain("can't be read (ENOENT");
    writeFileSync(file, "line one\nline two\r\n");
    expect(valueIn(secrets)).toBe("line one\nline two");
    writeFileSync(file, "\ufeffanother");
    expect(valueIn(secrets)).toBe("another");
    mkdirSync(join(folder, "dir"));
    expect(valueIn(secretsOf(`TOKEN@etl=file:${join(folder, "dir")}`))).toContain("can't be read");
  });

  test.each([
    ["", "has no value"],
    ["12345", "fewer than 6 characters"],
    ["x".repeat(8193), "more than 8192 bytes"],
    ["ü".repeat(4097), "more than 8192 bytes"],
    ["nul\0nul", "not text in UTF-8"],
    [Buffer.from([0xff, 0xfe, 1, 2, 3, 4, 5, 6]), "not text in UTF-8"],
  ])("such as %p is refused", (content, problem) => {
    writeFileSync(file, content);
    expect(valueIn(secretsOf(`TOKEN@etl=file:${file}`))).toContain(problem);
  });
});

/** A step type that does what a test says, and remembers what it was given. */
function scripted(calls: Partial<Record<"start" | "execute" | "terminate", Call>>) {
  const given: StepContext<{ token: string }>[] = [];
  const made: string[] = [];
  const call = (op: "start" | "execute" | "terminate") => (context: StepContext<{ token: string }>) => {
    given.push(context);
    made.push(op);
    return calls[op]?.(context) ?? ({ state: op === "terminate" ? "STOPPED" : "DONE" } as const);
  };
  const type = defineStepType({
    type: "job",
    version: "1.0.0",
    params: z.strictObject({ token: z.string() }),
    start: call("start"),
    execute: call("execute"),
    terminate: call("terminate"),
  });
  return { type, given, made };
}

type Call = (context: StepContext<{ token: string }>) => StepResult | Promise<StepResult>;

function asking(): AttemptContext {
  const places = [["job", "token"]];
  const params = { job: { token: "Bearer ${secret.TOKEN}" }, other: "${secret.TOKEN}" };
  return { ...contextOf("job", params), secrets: { workflowId: "etl", places } };
}

const fileSecrets = (value: string): Secrets => {
  writeFileSync(file, value);
  return secretsOf(`TOKEN@etl=file:${file}`);
};

test("the plugin has the value where a literal names it, and nowhere else", async () => {
  const { type, given } = scripted({});
  using driver = inPlace(folder, [type], undefined, fileSecrets("hunter22"));
  await driver.client.start(asking());
  expect(given[0]?.params).toEqual({ token: "Bearer hunter22" });
  expect(given[0]?.stepParams).toEqual({ job: { token: "Bearer hunter22" }, other: "${secret.TOKEN}" });
});

test("an attempt keeps its value to its end; the next one has what the file says then", async () => {
  const { type, given } = scripted({ start: () => ({ state: "CONTINUE" }) });
  using driver = inPlace(folder, [type], undefined, fileSecrets("hunter22"));
  const first = asking();
  await driver.client.start(first);
  writeFileSync(file, "swordfish");
  await driver.client.execute(first);
  await driver.client.start(asking());
  expect(given.map(({ params }) => params.token)).toEqual(["Bearer hunter22", "Bearer hunter22", "Bearer swordfish"]);
});

test("an error that is shortened shows no part of a value", async () => {
  const { type } = scripted({
    start({ params }) {
      throw new Error("x".repeat(3950) + params.token);
    },
  });
  using driver = inPlace(folder, [type], undefined, fileSecrets("hunter22".repeat(20)));
  const result = await driver.client.start(asking());
  expect(result.state).toBe("PLATFORM_ERROR");
  expect(message(result)).toEndWith("xBearer ***");
});

test("without its value an attempt fails for good, and does not begin", async () => {
  const { type, given, made } = scripted({});
  using driver = inPlace(folder, [type], undefined, secretsOf("TOKEN@other=env:X", { X: "hunter22" }));
  const result = await driver.client.start(asking());
  expect(result.state).toBe("FATAL_ERROR");
  expect(message(result)).toStartWith("The secret [TOKEN] is not granted to steps of type job in workflow [etl]");
  expect(made).toEqual(["terminate"]);
  expect(given[0]?.params).toEqual({ token: "Bearer ${secret.TOKEN}" });
});

test("an adopted attempt whose value can't be had any more is ended, and what it prints is not shown", async () => {
  const { type, made } = scripted({
    terminate: ({ log, logger }) => {
      log("stdout", "my token is hunter22\n");
      log("stdout", "again hunter22\n");
      logger.info("hunter22");
      return { state: "STOPPED", timeline: ["hunter22"], artifacts: { a: { token: "hunter22" } } };
    },
  });
  using driver = inPlace(folder, [type], undefined, secretsOf("TOKEN@other=env:X", { X: "hunter22" }));
  const result = await driver.client.execute(asking());
  expect(result.state).toBe("FATAL_ERROR");
  expect(made).toEqual(["terminate"]);
  expect(JSON.stringify([result, driver.chunks, driver.lines])).not.toContain("hunter22");
  expect(driver.text("stdout")).toBe("[output left out: it may hold secrets that this server does not know]\n");
  expect(driver.chunks.at(-1)).toMatchObject({ offset: 21, length: 15, text: "" });
});

/** All that leaves the runtime thread. */
const said = (driver: Driver & { readonly lines: readonly string[] }, ...results: unknown[]): string =>
  JSON.stringify([results, driver.chunks.map(({ text }) => text), driver.lines]);

const bytesOf = ({ chunks }: Driver): number => chunks.reduce((sum, { length }) => sum + length, 0);

/** Chunks of a stream follow each other without gaps, and stand for that many bytes. */
function expectWhole(driver: Driver, stream: "stdout" | "stderr", bytes: number): void {
  let end = 0;
  for (const chunk of driver.chunks.filter((it) => it.stream === stream)) {
    expect(chunk.offset).toBe(end);
    end += chunk.length;
  }
  expect(end).toBe(bytes);
}

const shows = (text: string, value: string): boolean =>
  text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1));

/** Where a text is cut. */
const pieces = (text: string, cuts: readonly number[]): readonly string[] => {
  const borders = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted((a, b) => a - b);
  const parts = borders.slice(1).map((to, index) => text.slice(borders[index], to));
  return parts.every((part) => part.isWellFormed()) ? parts : [text];
};

const cutting = fc.array(fc.nat(), { maxLength: 6 });
const around = fc.string({ maxLength: 20 });

test("whatever a plugin says, and however it cuts it, no value shows", async () => {
  const check = async (value: string, cuts: readonly number[], before: string, after: string): Promise<void> => {
    const whole = `${before}${value}${after}`;
    const answer = (): StepResult => ({
      state: "DONE",
      outputs: { [`k${value}`]: value, list: [whole], map: { [whole]: whole } },
      artifacts: { [value]: { [value]: [whole, { deep: value }] } },
      timeline: [whole, { level: "WARN", message: value }],
    });
    const { type } = scripted({
      start({ params: { token }, log, logger }) {
        expect(token).toBe(`Bearer ${value}`);
        for (const piece of pieces(`${whole}${token}`, cuts)) log("stdout", piece);
        logger.warn(whole);
        return { state: "CONTINUE", artifacts: { [value]: { value } }, timeline: [token] };
      },
      execute: () => answer(),
      terminate() {
        throw new Error(`I can't end ${whole}`);
      },
    });
    using driver = inPlace(folder, [type], undefined, fileSecrets(value));
    const attempt = asking();
    const started = await driver.client.start(attempt);
    const failed = await driver.client.terminate(attempt);
    const ended = await driver.client.execute(attempt);
    expect(ended.state).toBe("DONE");
    expect(failed.state).toBe("PLATFORM_ERROR");
    expect(shows(said(driver, started, ended, failed), value)).toBe(false);
    expectWhole(driver, "stdout", Buffer.byteLength(`${whole}Bearer ${value}`));
  };
  await fc.assert(
    fc.asyncProperty(secretValue, cutting, around, around, async (value, cuts, before, after) => {
      await check(value, cuts, before, after);
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("a followed file shows no value across the borders of what is read, and its offsets stay those of the file", async () => {
  const runs = Array.from({ length: 6 }, (_, run) => run);
  const values = fc.sample(secretValue, runs.length);
  await Promise.all(
    runs.map(async (run) => {
      const value = values[run] as string;
      const place = join(folder, `out-${run}`);
      let following: Follower | undefined;
      let context: StepContext<unknown> | undefined;
      const { type } = scripted({
        start(given) {
          context = given;
          following = given.follow("stdout", place);
          return { state: "CONTINUE" };
        },
        async execute() {
          await following?.end();
          return { state: "DONE" };
        },
      });
      const token = join(folder, `token-${run}`);
      writeFileSync(token, value);
      using driver = inPlace(folder, [type], undefined, secretsOf(`TOKEN@etl=file:${token}`));
      const attempt = asking();
      const ending = driver.finish(attempt, await driver.client.start(attempt));
      // The first value lies over the border of the first chunk of 32 KiB.
      const filler = "-".repeat(32 * 1024 - 3);
      const whole = `${filler}${value}\nmore ${value}${Buffer.from(`u:${value}`).toString("base64")}\nend`;
      const bytes = Buffer.from(whole);
      let written = 0;
      for (const cut of [100, filler.length + 4, filler.length + 8, bytes.length - 10, bytes.length]) {
        appendFileSync(place, bytes.subarray(written, cut));
        written = cut;
        // All but what may be the beginning of a value has been read, in whatever form.
        while (bytesOf(driver) < cut - 6 * Buffer.byteLength(value)) await Bun.sleep(1);
      }
      context?.wake();
      expect((await ending).state).toBe("DONE");
      expect(shows(said(driver), value)).toBe(false);
      expect(driver.text("stdout")).toStartWith(`${filler}***`);
      expect(driver.text("stdout")).toEndWith("\nend");
      expectWhole(driver, "stdout", bytes.length);
    }),
  );
});

test("what a log that is too long keeps of its end begins with no part of a value", async () => {
  const value = "hunter22-and-more-of-it";
  const place = join(folder, "out");
  let following: Follower | undefined;
  const { type } = scripted({
    start(given) {
      following = given.follow("stdout", place);
      return { state: "CONTINUE" };
    },
    async execute() {
      await following?.end();
      return { state: "DONE" };
    },
  });
  const limit = 200_000;
  const tail = limit / 20;
  // The end that is kept begins within the value.
  writeFileSync(place, `${"-".repeat(400_000)}${value}${"+".repeat(tail - 4)}`);
  using driver = inPlace(folder, [type], limit, fileSecrets(value));
  const attempt = asking();
  await driver.client.start(attempt);
  expect((await driver.client.execute(attempt)).state).toBe("DONE");
  expect(driver.text("stdout")).toContain("…]\n***+++");
});

test("a value lies over the place where one server stopped reading and the next goes on", async () => {
  const place = join(folder, "out");
  const secrets = fileSecrets("hunter22");
  const { type } = scripted({
    start({ follow }) {
      follow("stdout", place);
      return { state: "CONTINUE" };
    },
    async execute({ follow }) {
      await follow("stdout", place).end();
      return { state: "DONE" };
    },
  });
  const attempt = asking();
  writeFileSync(place, "token hunt");
  using first = inPlace(folder, [type], undefined, secrets);
  await first.client.start(attempt);
  await first.logged("token ");
  first[Symbol.dispose]();
  appendFileSync(place, "er22 ends\n");
  using next = inPlace(folder, [type], undefined, secrets);
  await next.client.execute({ ...attempt, logOffset: { stdout: bytesOf(first), stderr: 0 } });
  expect(first.text("stdout")).toBe("token ");
  expect(next.text("stdout")).toBe("*** ends\n");
});
