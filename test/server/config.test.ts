import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringifyJson } from "../../src/json.ts";
import { type Config, loadConfig, SETTINGS, type Surroundings } from "../../src/server/config.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "maestro-config-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  env: {},
  cwd: root,
  home: join(root, "home"),
  uid: 1000,
  cores: 4,
  terminal: false,
  ...more,
});

function load(flags: Readonly<Record<string, readonly string[]>>, more: Partial<Surroundings> = {}): Config {
  return loadConfig(new Map(Object.entries(flags)), around(more));
}

let files = 0;
function file(content: string): string {
  const path = join(root, `settings-${files++}.yaml`);
  writeFileSync(path, content);
  return path;
}

test("without settings everything has its default", () => {
  expect(load({})).toEqual({
    host: "127.0.0.1",
    port: 8080,
    allowedHost: [],
    dataDir: join(root, "home/.local/share/maestro"),
    databaseUrl: undefined,
    engineThreads: 3,
    runtimeThreads: 2,
    groups: 64,
    advertiseUrl: undefined,
    environment: "maestro",
    plugin: [],
    secret: [],
    logFormat: "json",
    logLevel: "info",
    limits: {
      steps: 1000,
      iterations: 100_000,
      definitionBytes: 262_144,
      bodyBytes: 4_194_304,
      requests: 10_000,
      streams: 5_000,
      logBytes: 100_000_000,
      requestSeconds: 10,
      idleSeconds: 30,
    },
    sel: {
      length: 10_000,
      loop: 25_001,
      array: 25_001,
      stack: 128,
      visits: 100_000_000,
      memory: 100_000_000,
      timeoutMs: 120_000,
      inlineVisits: 20_000,
    },
    params: { enforceValidators: false, maxChars: 750_000, loopChars: 5_000_000, alwaysPassDown: [] },
    defaultParams: {},
  });
});

test("defaults follow the machine and the user", () => {
  expect(load({}, { cores: 1 }).engineThreads).toBe(1);
  expect(load({}, { terminal: true }).logFormat).toBe("pretty");
  expect(load({}, { uid: 0 }).dataDir).toBe("/var/lib/maestro");
  expect(load({}, { env: { XDG_DATA_HOME: "/data" } }).dataDir).toBe("/data/maestro");
});

test("every setting is read from a flag, a variable and a file key alike", () => {
  for (const { flag, variable, key, option, section, name } of SETTINGS) {
    const raw = sample(option);
    const [first = "", second] = key.split(".");
    const yaml = second === undefined ? `${first}: ${raw}\n` : `${first}:\n  ${second}: ${raw}\n`;
    const pick = (config: Config): unknown =>
      ((section === "" ? config : config[section as "limits" | "sel"]) as Record<string, unknown>)[name];
    const byFlag = pick(load({ [flag]: [raw] }));
    expect(byFlag).not.toEqual(pick(load({})));
    expect(pick(load({}, { env: { [variable]: raw } }))).toEqual(byFlag);
    expect(pick(load({ "--config": [file(yaml)] }))).toEqual(byFlag);
  }
});

/** A value that is not the default. */
function sample(option: (typeof SETTINGS)[number]["option"]): string {
  const fallback = option.fallback(around());
  if (option.choices) return option.choices.find((it) => it !== String(fallback)) ?? "";
  if (option.placeholder === "N") return String(Number(fallback) + 1 || 7);
  if (option.placeholder === "URL") return option.secret ? "postgres://db/x" : "http://node:1";
  if (option.placeholder === "SECRET") return "TOKEN@etl=env:API_TOKEN";
  return option.path ? "some/where" : "node.example";
}

test("flags win over variables, variables over the file", () => {
  const config = file("port: 1\nhost: file\ngroups: 3\n");
  const env = { MAESTRO_PORT: "2", MAESTRO_HOST: "env" };
  const loaded = load({ "--config": [config], "--port": ["3"] }, { env });
  expect([loaded.port, loaded.host, loaded.groups]).toEqual([3, "env", 3]);
});

test("secrets are a list in each spelling, and files among them are where the list is", () => {
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/s.yaml"), "secret:\n  - A@*=file:token\n  - B@etl/shell=env:B\n");
  const secrets = [
    { name: "A", workflows: ["*"], types: [], source: { file: join(root, "etc/token") } },
    { name: "B", workflows: ["etl"], types: ["shell"], source: { env: "B" } },
  ];
  expect(load({ "--config": ["etc/s.yaml"] }).secret).toEqual(secrets);
  const env = { MAESTRO_SECRET: "A@*=file:etc/token; B@etl/shell=env:B" };
  expect(load({}, { env }).secret).toEqual(secrets);
  expect(load({ "--secret": ["A@*=file:etc/token", "B@etl/shell=env:B"] }).secret).toEqual(secrets);
});

test("a bad secret is refused without a word of what it may hold", () => {
  const given = (...texts: string[]): string => {
    try {
      load({ "--secret": texts });
      return "none";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(given("TOKEN=hunter22")).toStartWith("--secret must be NAME@WORKFLOWS=env:VARIABLE");
  expect(given("A@*=env:A", "TOKEN@etl=hunter22")).toStartWith("--secret (item 2) must be NAME@WORKFLOWS");
  expect(given("A@*=env:A", "A@etl=env:B")).toBe("--secret must give each secret once, and gives A twice");
  expect(given("TOKEN=hunter22")).not.toContain("hunter22");
});

test("an empty variable and a key without a value are not set", () => {
  const env = { MAESTRO_PORT: "", MAESTRO_CONFIG: file("host:\nlimits:\n") };
  expect(load({}, { env })).toMatchObject({ port: 8080, host: "127.0.0.1" });
});

test("relative paths start from the working directory, those in a file from its folder", () => {
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/m.yaml"), "data_dir: db\nplugin: [a.ts, ../b.ts]\n");
  const byFile = load({ "--config": ["etc/m.yaml"] });
  expect([byFile.dataDir, ...byFile.plugin]).toEqual(["etc/db", "etc/a.ts", "b.ts"].map((it) => join(root, it)));
  const env = { MAESTRO_PLUGIN: "x.ts:/y.ts" };
  expect(load({ "--data-dir": ["db"] }, { env })).toMatchObject({
    dataDir: join(root, "db"),
    plugin: [join(root, "x.ts"), "/y.ts"],
  });
});

test("a repeated flag gives a list", () => {
  expect(load({ "--plugin": ["/a", "/b"] }).plugin).toEqual(["/a", "/b"]);
});

test("names of hosts are a list in every spelling, and are compared without case", () => {
  const names = ["maestro.example.org", "[2001:db8::1]"];
  const flags = { "--allowed-host": ["Maestro.Example.org.", "[2001:DB8:0::1]"] };
  expect(load(flags).allowedHost).toEqual(names);
  expect(load({}, { env: { MAESTRO_ALLOWED_HOST: names.join(",") } }).allowedHost).toEqual(names);
  expect(load({ "--config": [file(`allowed_host: ["${names.join('", "')}"]`)] }).allowedHost).toEqual(names);
  for (const wrong of ["http://a", "a:80", "a:", "[::1]:80", "a/b", "", "a b", "::1"]) {
    expect(() => load({ "--allowed-host": [wrong] })).toThrow(
      "must be a host's name or address without scheme and port",
    );
  }
});

test("the file of the working directory comes before the user's", () => {
  const cwd = join(root, "work");
  const user = join(root, "xdg/maestro");
  for (const dir of [cwd, user]) mkdirSync(dir, { recursive: true });
  writeFileSync(join(user, "maestro.yaml"), "port: 1");
  const env = { XDG_CONFIG_HOME: join(root, "xdg") };
  expect(load({}, { cwd, env }).port).toBe(1);
  writeFileSync(join(cwd, "maestro.yaml"), "port: 2");
  expect(load({}, { cwd, env }).port).toBe(2);
});

test("a secret may be in a file, and is never shown", () => {
  const secret = file("postgres://user:hush@db/maestro\n");
  expect(load({}, { env: { MAESTRO_DATABASE_URL_FILE: secret } }).databaseUrl).toBe("postgres://user:hush@db/maestro");
  const wrong = () => load({}, { env: { MAESTRO_DATABASE_URL: "mysql://user:hush@db" } });
  expect(wrong).toThrow("MAESTRO_DATABASE_URL must be a URL that begins with postgres:// or postgresql://");
  expect(wrong).not.toThrow(/hush/);
  expect(() => load({}, { env: { MAESTRO_DATABASE_URL_FILE: "nowhere" } })).toThrow(
    "MAESTRO_DATABASE_URL_FILE names nowhere, which can't be read",
  );
  expect(() => load({}, { env: { MAESTRO_DATABASE_URL_FILE: file("hush") } })).toThrow(
    "the file named by MAESTRO_DATABASE_URL_FILE must be a URL",
  );
});

test.each([
  ["99999", 'is "99999", and must be a whole number from 0 to 65535'],
  ["x", 'is "x", and must be a whole number from 0 to 65535'],
  ["-1", 'is "-1", and must be a whole number'],
  ["1.5", 'is "1.5", and must be a whole number'],
])("a bad port %s is refused with its source, whichever it is", (raw, text) => {
  expect(() => load({ "--port": [raw] })).toThrow(`--port ${text}`);
  expect(() => load({}, { env: { MAESTRO_PORT: raw } })).toThrow(`MAESTRO_PORT ${text}`);
  const path = file(`port: ${raw}`);
  expect(() => load({ "--config": [path] })).toThrow(`${path}: port ${text}`);
});

test("a choice names what can be chosen", () => {
  expect(() => load({ "--log-level": ["loud"] })).toThrow(
    '--log-level is "loud", and must be one of trace, debug, info, warn, error',
  );
});

test.each([
  ["prot: 1", "prot is not a setting; did you mean port?"],
  ["limits:\n  step: 1", "limits.step is not a setting; did you mean limits.steps?"],
  ["zzzzzzzz: 1", "zzzzzzzz is not a setting; the settings are host, port"],
  ["- a", 'must be a mapping of settings, such as "port: 8080"'],
  ["limits: 3", "limits must be a mapping of settings"],
  ["port: [1, 2]", "port must be one value"],
  ["plugin:\n  - {a: 1}", "plugin must be one value or a list of values"],
  ["a: [1,\nb: 2", "is not YAML"],
])("the file %j is refused", (content, message) => {
  const path = file(content);
  expect(() => load({ "--config": [path] })).toThrow(path);
  expect(() => load({ "--config": [path] })).toThrow(message);
});

test("default params are read from the file, by scope and step type", () => {
  const content = [
    "default_params:",
    "  workflow:",
    "    TEAM: {type: string, value: data}",
    "    RUN_HOUR: null",
    "  types:",
    "    Shell:",
    '      shell: {type: MAP, value: {grace_period: {type: LONG, value: "5", validator: "@Min(1)"}}, internal_mode: required}',
  ];
  expect(load({ "--config": [file(content.join("\n"))] }).defaultParams).toEqual({
    workflow: { TEAM: { type: "STRING", value: "data" }, RUN_HOUR: null },
    types: {
      shell: {
        shell: {
          type: "MAP",
          value: { grace_period: { type: "LONG", value: 5, validator: "@Min(1)" } },
          internal_mode: "REQUIRED",
        },
      },
    },
  });
  expect(load({ "--config": [file("default_params:\n")] }).defaultParams).toEqual({});
  const twice = file("default_params: {step: {A: {type: LONG, value: 1}, A: {type: LONG, value: 2}}}");
  const message = `${twice}:1:52: default_params.step.A: this key stands in line 1, column 25 too`;
  expect(() => load({ "--config": [twice] })).toThrow(message);
});

test("default params keep every digit, and their texts as they are written", () => {
  const content = `
port: 8080
default_params:
  workflow: {BIG: {type: LONG, value: 10000000000000001}, VERSION: {type: STRING, value: 1.10}}
  types: {shell: {ID: {type: STRING, value: 007}}}`;
  const { port, defaultParams } = load({ "--config": [file(content)] });
  expect([port, stringifyJson(defaultParams)]).toEqual([
    8080,
    '{"workflow":{"BIG":{"value":10000000000000001,"type":"LONG"},"VERSION":{"value":"1.10","type":"STRING"}},' +
      '"types":{"shell":{"ID":{"value":"007","type":"STRING"}}}}',
  ]);
});

test.each([
  ["[1]", "default_params: "],
  ["{workflows: {}}", 'default_params: unknown field "workflows", did you mean "workflow"?'],
  ["{workflow: {A: {type: LNG, value: 1}}}", "default_params.workflow.A.type: "],
  ["{workflow: {A: 3}}", "default_params.workflow.A: "],
  ["{workflow: {A: {type: LONG, value: x}}}", "default_params.workflow.A.value: "],
  ["{workflow: {A: {type: LONG}}}", 'default_params.workflow.A: has neither "value" nor "expression"'],
  ['{step: {A: {type: LONG, value: 1, expression: "1"}}}', 'default_params.step.A: has both "value" and "expression"'],
  ['{dry_run: {A: {type: LONG, expression: "1 +"}}}', "default_params.dry_run.A.expression: "],
  ['{types: {x: {"a b": {type: LONG, value: 1}}}}', 'default_params.types.x["a b"]: '],
  ["{types: {x: {A: {type: LONG, value: 1, validator: min}}}}", "default_params.types.x.A.validator: "],
  ["{workflow: {owner: {type: STRING, value: me}}}", "default_params.workflow.owner: follows from the run itself"],
  ["{step: {step_id: null}}", "default_params.step.step_id: follows from the run itself"],
])("default params %j are refused with their place", (content, message) => {
  const path = file(`default_params: ${content}`);
  expect(() => load({ "--config": [path] })).toThrow(`${path}: ${message}`);
});

test("a file that was named must be there", () => {
  expect(() => load({ "--config": ["gone.yaml"] })).toThrow("--config names");
  expect(() => load({}, { env: { MAESTRO_CONFIG: "gone.yaml" } })).toThrow("MAESTRO_CONFIG names");
});
