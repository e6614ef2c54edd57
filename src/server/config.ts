/**
 * The server's configuration: flags over environment over file over defaults. It only reads; every finding names the
 * spelling that was used and what would be right.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { defaultParamsSchema, parseDefaultParams } from "../definition/default.ts";
import { closest } from "../definition/suggest.ts";
import { MaestroError } from "../error.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { DefaultOverrides } from "../param/defaults.ts";
import {
  BadValue,
  CLIENT_OPTIONS,
  LIMIT_OPTIONS,
  type Option,
  PARAM_OPTIONS,
  SEL_OPTIONS,
  SERVER_OPTIONS,
  type Surroundings,
} from "./option.ts";

export type { Surroundings } from "./option.ts";

type Values<Table> = { readonly [K in keyof Table]: Table[K] extends Option<infer T> ? T : never };

/** Sizes are in bytes or UTF-16 units, as their names say. */
export type Limits = Values<typeof LIMIT_OPTIONS>;

/** Paths are absolute. `databaseUrl` is undefined for the embedded database. */
export type Config = Values<typeof SERVER_OPTIONS> & {
  readonly limits: Limits;
  readonly sel: Values<typeof SEL_OPTIONS>;
  readonly params: Values<typeof PARAM_OPTIONS>;
  /** From the file alone. */
  readonly defaultParams: DefaultOverrides;
};

/** A setting that can't be used. The message is for the user. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Table = Readonly<Record<string, Option<unknown>>>;

const SECTIONS: readonly (readonly [section: string, table: Table])[] = [
  ["", SERVER_OPTIONS],
  ["limits", LIMIT_OPTIONS],
  ["sel", SEL_OPTIONS],
  ["params", PARAM_OPTIONS],
];

/** The one key that holds a structure, so that only the file can have it. */
const DEFAULT_PARAMS = "default_params";

/** One setting with its three spellings. */
export interface Setting {
  readonly section: string;
  readonly name: string;
  readonly option: Option<unknown>;
  /** `--data-dir` */
  readonly flag: string;
  /** `MAESTRO_DATA_DIR` */
  readonly variable: string;
  /** `data_dir`, `limits.steps` */
  readonly key: string;
}

export const SETTINGS: readonly Setting[] = SECTIONS.flatMap(([section, table]) => settingsOf(section, table));

/** Of the commands that talk to a server. */
export const CLIENT_SETTINGS: readonly Setting[] = settingsOf("", CLIENT_OPTIONS);

function settingsOf(section: string, table: Table): readonly Setting[] {
  return Object.entries(table).map(([name, option]) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const full = section === "" ? snake : `${section}_${snake}`;
    return {
      section,
      name,
      option,
      flag: `--${full.replaceAll("_", "-")}`,
      variable: `MAESTRO_${full.toUpperCase()}`,
      key: section === "" ? snake : `${section}.${snake}`,
    };
  });
}

/** Values of flags by their spelling (`--port`), in the order given. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * @param flags may hold other flags too; `--config` names the file.
 * @throws ConfigError
 */
export function loadConfig(flags: Flags, around: Surroundings): Config {
  const file = readFile(flags, around);
  const section = (name: string): Record<string, unknown> =>
    readAll(
      SETTINGS.filter((it) => it.section === name),
      flags,
      file,
      around,
    );
  // The table that SETTINGS was made from is the one that the type was made from.
  return {
    ...section(""),
    ...Object.fromEntries(SECTIONS.flatMap(([name]) => (name === "" ? [] : [[name, section(name)]]))),
    defaultParams: file?.defaultParams ?? {},
  } as unknown as Config;
}

/** The values of {@link CLIENT_SETTINGS}. */
export type ClientConfig = Values<typeof CLIENT_OPTIONS>;

/** As {@link loadConfig}, of the same file. @throws ConfigError */
export function loadClientConfig(flags: Flags, around: Surroundings): ClientConfig {
  return readAll(CLIENT_SETTINGS, flags, readFile(flags, around), around) as unknown as ClientConfig;
}

function readAll(
  settings: readonly Setting[],
  flags: Flags,
  file: ConfigFile | undefined,
  around: Surroundings,
): Record<string, unknown> {
  return Object.fromEntries(settings.map((it) => [it.name, readSetting(it, flags, file, around)]));
}

interface Given {
  readonly texts: readonly string[];
  /** How a message names where the value comes from. */
  readonly origin: string;
  /** What relative paths start from. */
  readonly base: string;
}

interface ConfigFile {
  readonly path: string;
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly defaultParams: DefaultOverrides;
}

function readSetting(setting: Setting, flags: Flags, file: ConfigFile | undefined, around: Surroundings): unknown {
  const { option } = setting;
  const given = fromFlag(setting, flags, around) ?? fromEnv(setting, around) ?? fromFile(setting, file);
  if (!given) return option.fallback(around);
  try {
    const value = option.parse(given.texts, given.base);
    if (option.path !== true) return value;
    return Array.isArray(value) ? value.map((it) => resolve(given.base, it)) : resolve(given.base, String(value));
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    const shown =
      option.secret === true || option.hidden === true ? "" : ` is ${JSON.stringify(given.texts.at(-1) ?? "")}, and`;
    throw new ConfigError(`${given.origin}${shown} ${error.message}`);
  }
}

function fromFlag({ flag }: Setting, flags: Flags, { cwd }: Surroundings): Given | undefined {
  const texts = flags.get(flag);
  return texts && { texts, origin: flag, base: cwd };
}

function fromEnv({ variable, option }: Setting, { env, cwd }: Surroundings): Given | undefined {
  const text = env[variable];
  if (text) {
    const separator = option.separator ?? (process.platform === "win32" ? ";" : ":");
    const texts = option.repeat === true ? text.split(separator).filter(Boolean) : [text];
    return { texts, origin: variable, base: cwd };
  }
  const path = option.secret === true ? env[`${variable}_FILE`] : undefined;
  if (!path) return undefined;
  const secret = read(resolve(cwd, path));
  if (secret === undefined) throw new ConfigError(`${variable}_FILE names ${path}, which can't be read`);
  return { texts: [secret.trim()], origin: `the file named by ${variable}_FILE`, base: cwd };
}

function fromFile({ key }: Setting, file: ConfigFile | undefined): Given | undefined {
  const texts = file?.given.get(key);
  return file && texts && { texts, origin: `${file.path}: ${key}`, base: dirname(file.path) };
}

/** The file that was named, else the first of the usual places that has one. */
function readFile(flags: Flags, around: Surroundings): ConfigFile | undefined {
  const { env, cwd, home } = around;
  const flag = flags.get("--config")?.at(-1);
  const named = flag ?? (env.MAESTRO_CONFIG || undefined);
  if (named !== undefined) {
    const path = resolve(cwd, named);
    const text = read(path);
    const origin = flag === undefined ? "MAESTRO_CONFIG" : "--config";
    if (text === undefined) throw new ConfigError(`${origin} names ${path}, which can't be read`);
    return parseFile(path, text);
  }
  const usual = [
    join(cwd, "maestro.yaml"),
    join(env.XDG_CONFIG_HOME || join(home, ".config"), "maestro", "maestro.yaml"),
  ];
  for (const path of usual) {
    const text = read(path);
    if (text !== undefined) return parseFile(path, text);
  }
  return undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseFile(path: string, text: string): ConfigFile {
  let content: unknown;
  try {
    content = Bun.YAML.parse(text);
  } catch (error) {
    throw new ConfigError(`${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const given = new Map<string, readonly string[]>();
  if (content !== null && content !== undefined) collect(path, "", content, given);
  const hasDefaults = isJsonObject(content) && content[DEFAULT_PARAMS] != null;
  return { path, given, defaultParams: hasDefaults ? defaultParams(path, readExactly(path, text)) : {} };
}

/** Definitions keep their digits, and their texts where texts are declared. Few files have any: the reader loads late. */
function readExactly(path: string, text: string): unknown {
  const {
    readYamlText,
    TextError,
  }: typeof import("../definition/text/read.ts") = require("../definition/text/read.ts");
  try {
    const { value } = readYamlText(text, z.object({ [DEFAULT_PARAMS]: defaultParamsSchema }));
    return (value as JsonObject)[DEFAULT_PARAMS];
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const lines = error.problems.map(
      ({ span, path: at, message }) =>
        `${path}:${span.line}:${span.column}: ${at === undefined ? "" : `${at}: `}${message}`,
    );
    throw new ConfigError(lines.join("\n"));
  }
}

function defaultParams(path: string, structure: unknown): DefaultOverrides {
  try {
    return parseDefaultParams(structure, DEFAULT_PARAMS);
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    throw new ConfigError(error.details.map((detail) => `${path}: ${detail}`).join("\n"));
  }
}

function collect(path: string, section: string, content: unknown, given: Map<string, readonly string[]>): void {
  const where = section === "" ? path : `${path}: ${section}`;
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new ConfigError(`${where} must be a mapping of settings, such as "port: 8080"`);
  }
  for (const [name, value] of Object.entries(content)) {
    const key = section === "" ? name : `${section}.${name}`;
    if (key === DEFAULT_PARAMS) continue;
    if (section === "" && name !== "" && SECTIONS.some(([it]) => it === name)) {
      if (value !== null) collect(path, name, value, given);
      continue;
    }
    const setting = [...SETTINGS, ...CLIENT_SETTINGS].find((it) => it.key === key);
    if (!setting) throw new ConfigError(`${path}: ${key} is not a setting${suggestion(key)}`);
    // A key without a value means: not set.
    if (value !== null) given.set(key, texts(path, setting, value));
  }
}

function suggestion(key: string): string {
  const known = [...[...SETTINGS, ...CLIENT_SETTINGS].map((it) => it.key), DEFAULT_PARAMS];
  const meant = closest(key, known);
  return meant === undefined ? `; the settings are ${known.join(", ")}` : `; did you mean ${meant}?`;
}

function texts(path: string, { key, option }: Setting, value: unknown): readonly string[] {
  const items = Array.isArray(value) && option.repeat === true ? value : [value];
  if (items.some((item) => typeof item === "object")) {
    const right = option.repeat === true ? "one value or a list of values" : "one value";
    throw new ConfigError(`${path}: ${key} must be ${right}`);
  }
  return items.map(String);
}
