/**
 * The server's settings as one table. A setting has one name in three spellings: `dataDir` here is the flag
 * `--data-dir`, the variable `MAESTRO_DATA_DIR` and the file key `data_dir`.
 */
import { join, resolve } from "node:path";
import { MAX_USER } from "../api/limit.ts";
import { checkReferenceId } from "../definition/id.ts";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../log.ts";
import { ITERATION_LIMIT, LOOP_SIZE_LIMIT, PARAMS_SIZE_LIMIT } from "../param/scope.ts";
import { parseSecret, type SecretSetting } from "../runtime/secret.ts";
import { DEFAULT_LIMITS } from "../sel/index.ts";
import { nameOf } from "./authority.ts";

/** What defaults depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** 0 is root; undefined where the system has no such thing. */
  readonly uid: number | undefined;
  readonly cores: number;
  /** Whether stderr, where the log goes, is a terminal. */
  readonly terminal: boolean;
}

/** Why a text is not a value, as the end of a sentence: "must be …". */
export class BadValue extends Error {}

export interface Option<T> {
  /** What `--help` shows for the value. */
  readonly placeholder: string;
  readonly summary: string;
  /** The default in words, when it is not the same everywhere. */
  readonly otherwise?: string;
  readonly choices?: readonly string[];
  /** Its value is not shown, and `MAESTRO_…_FILE` may name a file that holds it. */
  readonly secret?: boolean;
  /** The value names a file or folder: relative to the working directory, or to the file that sets it. */
  readonly path?: boolean;
  /** The flag may be repeated, the variable is a list, the file's key is a list. */
  readonly repeat?: boolean;
  /** Between the items of the variable's list; default: as in `PATH`. */
  readonly separator?: string;
  /** A bad value is not shown, either: it may hold something that nobody should see. */
  readonly hidden?: boolean;
  /**
   * @param base what relative paths start from
   * @throws BadValue
   */
  readonly parse: (texts: readonly string[], base: string) => T;
  readonly fallback: (around: Surroundings) => T;
}

type Described = Pick<Option<unknown>, "placeholder" | "summary" | "otherwise" | "secret" | "path">;

const last = (texts: readonly string[]): string => texts.at(-1) ?? "";

const text = <T extends string | undefined>(
  described: Described,
  fallback: (around: Surroundings) => T,
  check: (value: string) => void = () => {},
): Option<string | T> => ({
  ...described,
  parse: (texts) => {
    check(last(texts));
    return last(texts);
  },
  fallback,
});

const integer = (
  described: Omit<Described, "placeholder">,
  min: number,
  max: number,
  fallback: (around: Surroundings) => number,
): Option<number> => ({
  placeholder: "N",
  ...described,
  parse: (texts) => {
    const value = /^\d{1,15}$/.test(last(texts)) ? Number(last(texts)) : Number.NaN;
    if (!(value >= min && value <= max)) throw new BadValue(`must be a whole number from ${min} to ${max}`);
    return value;
  },
  fallback,
});

const choice = <const T extends string>(
  placeholder: string,
  summary: string,
  choices: readonly T[],
  fallback: (around: Surroundings) => T,
  otherwise?: string,
): Option<T> => ({
  placeholder,
  summary,
  choices,
  ...(otherwise === undefined ? {} : { otherwise }),
  parse: (texts) => {
    const value = choices.find((it) => it === last(texts));
    if (value === undefined) throw new BadValue(`must be one of ${choices.join(", ")}`);
    return value;
  },
  fallback,
});

const truth = (summary: string, fallback: boolean): Option<boolean> => ({
  placeholder: "BOOLEAN",
  summary,
  choices: ["true", "false"],
  parse: (texts) => {
    if (!/^(?:true|false)$/.test(last(texts))) throw new BadValue("must be true or false");
    return last(texts) === "true";
  },
  fallback: () => fallback,
});

const urlWith =
  (...protocols: readonly string[]) =>
  (value: string): void => {
    const protocol = URL.canParse(value) ? new URL(value).protocol : "";
    if (!protocols.includes(protocol)) {
      throw new BadValue(`must be a URL that begins with ${protocols.map((it) => `${it}//`).join(" or ")}`);
    }
  };

const notEmpty = (value: string): void => {
  if (value.trim() === "") throw new BadValue("must not be empty");
};

function paramName(value: string): string {
  const problem = checkReferenceId(value.trim());
  if (problem) throw new BadValue(`must be the name of a param: ${problem}`);
  return value.trim();
}

function secrets(texts: readonly string[], base: string): readonly SecretSetting[] {
  const names = new Set<string>();
  return texts.map((text, index) => {
    const secret = parseSecret(text.trim());
    if (typeof secret === "string") throw new BadValue(texts.length > 1 ? `(item ${index + 1}) ${secret}` : secret);
    if (names.has(secret.name)) throw new BadValue(`must give each secret once, and gives ${secret.name} twice`);
    names.add(secret.name);
    const { source } = secret;
    return "env" in source ? secret : { ...secret, source: { file: resolve(base, source.file) } };
  });
}

/** As the API takes it. */
function userName(value: string): void {
  notEmpty(value);
  if (value.length > MAX_USER) throw new BadValue(`must have at most ${MAX_USER} characters`);
  if (/\p{Cc}/u.test(value)) throw new BadValue("must not hold control characters");
}

function hostName(value: string): string {
  const name = nameOf(value);
  if (name === undefined || /:\d*$/.test(value.replace(/.*\]/, ""))) {
    throw new BadValue("must be a host's name or address without scheme and port, such as maestro.example.org");
  }
  return name;
}

/** Where the embedded database lives when nothing says otherwise. */
function defaultDataDir({ env, home, uid }: Surroundings): string {
  if (uid === 0) return "/var/lib/maestro";
  return join(env.XDG_DATA_HOME || join(home, ".local", "share"), "maestro");
}

const GIGABYTE = 2 ** 30;

/** Settings at the top of the file. */
export const SERVER_OPTIONS = {
  host: text({ placeholder: "ADDRESS", summary: "Address to listen on" }, () => "127.0.0.1", notEmpty),
  port: integer({ summary: "Port to listen on; 0 picks a free one" }, 0, 65_535, () => 8080),
  allowedHost: {
    placeholder: "NAME",
    summary: "A name, besides loopback ones, by which requests may address this server (repeatable)",
    otherwise: "none",
    repeat: true,
    separator: ",",
    parse: (texts: readonly string[]): readonly string[] => texts.map(hostName),
    fallback: (): readonly string[] => [],
  },
  dataDir: text(
    {
      placeholder: "DIR",
      summary: "Folder of the embedded database",
      otherwise: "$XDG_DATA_HOME/maestro, for root /var/lib/maestro",
      path: true,
    },
    defaultDataDir,
    notEmpty,
  ),
  databaseUrl: text(
    {
      placeholder: "URL",
      summary: "PostgreSQL 15 or later to use instead of the embedded one",
      otherwise: "embedded",
      secret: true,
    },
    () => undefined,
    urlWith("postgres:", "postgresql:"),
  ),
  engineThreads: integer(
    { summary: "Threads that run flows", otherwise: "cores - 1, at least 1" },
    1,
    256,
    ({ cores }) => Math.max(1, cores - 1),
  ),
  runtimeThreads: integer({ summary: "Threads that run step plugins" }, 1, 256, () => 2),
  groups: integer({ summary: "Groups that flows are spread over" }, 1, 65_536, () => 64),
  advertiseUrl: text(
    {
      placeholder: "URL",
      summary: "How other nodes reach this one",
      otherwise: "http://HOST:PORT",
    },
    () => undefined,
    urlWith("http:", "https:"),
  ),
  environment: text(
    { placeholder: "NAME", summary: "What expressions get from params.getExecutionEnvironment()" },
    () => "maestro",
    notEmpty,
  ),
  plugin: {
    placeholder: "PATH",
    summary: "A step plugin to load (repeatable)",
    otherwise: "none",
    path: true,
    repeat: true,
    parse: (texts: readonly string[]): readonly string[] => {
      texts.forEach(notEmpty);
      return texts;
    },
    fallback: (): readonly string[] => [],
  },
  secret: {
    placeholder: "SECRET",
    summary: "A secret and who may use it: NAME@WORKFLOWS=env:VARIABLE or NAME@WORKFLOWS=file:PATH (repeatable)",
    otherwise: "none",
    repeat: true,
    separator: ";",
    hidden: true,
    parse: secrets,
    fallback: (): readonly SecretSetting[] => [],
  },
  logFormat: choice<LogFormat>(
    "FORMAT",
    "Form of the log on stderr: pretty, json",
    ["pretty", "json"],
    ({ terminal }) => (terminal ? "pretty" : "json"),
    "pretty on a terminal",
  ),
  logLevel: choice<LogLevel>(
    "LEVEL",
    `Lowest level that is logged: ${LOG_LEVELS.join(", ")}`,
    LOG_LEVELS,
    () => "info",
  ),
} as const satisfies Record<string, Option<unknown>>;

/** Settings below `limits`. */
export const LIMIT_OPTIONS = {
  steps: integer({ summary: "Steps in one definition, nested ones included" }, 1, 100_000, () => 1_000),
  iterations: integer(
    { summary: "Iterations of one loop, and elements of an array that is made for one" },
    1,
    1_000_000,
    () => ITERATION_LIMIT,
  ),
  definitionBytes: integer({ summary: "Size of a pushed definition" }, 1_024, GIGABYTE, () => 262_144),
  bodyBytes: integer({ summary: "Size of any other request" }, 1_024, GIGABYTE, () => 4_194_304),
  requests: integer({ summary: "Requests that are answered at once; more get 503" }, 1, 1_000_000, () => 10_000),
  streams: integer({ summary: "Logs followed and runs waited for at once; more get 503" }, 1, 1_000_000, () => 5_000),
  logBytes: integer(
    { summary: "Bytes of an attempt's output that are kept: its beginning and its end" },
    100_000,
    100 * GIGABYTE,
    () => 100_000_000,
  ),
  requestSeconds: integer(
    { summary: "Seconds that the database may be silent before a request is answered with 503" },
    1,
    3_600,
    () => 10,
  ),
  idleSeconds: integer(
    { summary: "Seconds for a body to come, for an answer to be taken, and between requests of a connection" },
    1,
    255,
    () => 30,
  ),
} as const satisfies Record<string, Option<unknown>>;

const BILLION = 1_000_000_000;
const HOUR = 3_600_000;

/** Settings below `sel`: the limits of one expression, and what of it may happen on an engine thread. */
export const SEL_OPTIONS = {
  length: integer(
    { summary: "Characters from which an expression is refused" },
    1,
    BILLION,
    () => DEFAULT_LIMITS.length,
  ),
  loop: integer({ summary: "Iterations at which a loop is aborted" }, 1, BILLION, () => DEFAULT_LIMITS.loop),
  array: integer({ summary: "Size from which a new array is refused" }, 1, BILLION, () => DEFAULT_LIMITS.array),
  stack: integer({ summary: "Simultaneous operands" }, 1, 10_000, () => DEFAULT_LIMITS.stack),
  visits: integer({ summary: "Operations of one evaluation" }, 1, 1_000 * BILLION, () => DEFAULT_LIMITS.visit),
  memory: integer(
    { summary: "Estimated bytes that one evaluation uses, all in all" },
    1,
    100 * BILLION,
    () => DEFAULT_LIMITS.memory,
  ),
  timeoutMs: integer({ summary: "Milliseconds of one evaluation" }, 1, HOUR, () => DEFAULT_LIMITS.timeoutMillis),
  inlineVisits: integer(
    { summary: "Operations on an engine thread, before the evaluation thread takes over" },
    1,
    10_000_000,
    () => 20_000,
  ),
} as const satisfies Record<string, Option<unknown>>;

/** Settings below `params`. */
export const PARAM_OPTIONS = {
  enforceValidators: truth("Run the validators of params; they are only stored otherwise", false),
  maxChars: integer(
    { summary: "Characters of the JSON of all params of a run, or of an attempt" },
    1_000,
    GIGABYTE,
    () => PARAMS_SIZE_LIMIT,
  ),
  loopChars: integer(
    { summary: "Characters of what an attempt has of loops: loop_params of a foreach, answers of getFromForeach" },
    1_000,
    GIGABYTE,
    () => LOOP_SIZE_LIMIT,
  ),
  alwaysPassDown: {
    placeholder: "NAME",
    summary: "A workflow param that subworkflows get in spite of explicit_params: true (repeatable)",
    otherwise: "none",
    repeat: true,
    separator: ",",
    parse: (texts: readonly string[]): readonly string[] => texts.map(paramName),
    fallback: (): readonly string[] => [],
  },
} as const satisfies Record<string, Option<unknown>>;

/** Where commands go that name no server. */
export const DEFAULT_SERVER = "http://127.0.0.1:8080";

/** What clients of a server are told by the same file and variables; a server has no use for it. */
export const CLIENT_OPTIONS = {
  server: text(
    { placeholder: "URL", summary: "The server to talk to" },
    () => DEFAULT_SERVER,
    urlWith("http:", "https:"),
  ),
  user: text({ placeholder: "NAME", summary: "Who asks", otherwise: "the system's user" }, () => undefined, userName),
} as const satisfies Record<string, Option<unknown>>;
