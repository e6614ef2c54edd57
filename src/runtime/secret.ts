/**
 * The secrets that a configuration has: where each has its value, and who may use it. Values are read in a runtime thread
 * when an attempt needs them, and are kept nowhere else.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { secretNameProblem } from "../param/secret.ts";
import { LEAST_SECRET, MOST_SECRET, Redactor } from "./redact.ts";

/** Where a value is: a variable of the server's environment, or a file. */
export type SecretSource = { readonly env: string } | { readonly file: string };

export interface SecretSetting {
  readonly name: string;
  readonly source: SecretSource;
  /** Ids of the workflows that may use it; one that ends with `*` stands for all that begin so. */
  readonly workflows: readonly string[];
  /** Step types in lower case; empty: all of them. */
  readonly types: readonly string[];
}

/** What reading a setting says when it can't be one. */
export const SECRET_FORM =
  "NAME@WORKFLOWS=env:VARIABLE or NAME@WORKFLOWS=file:PATH, such as TOKEN@etl,report-*=file:/run/secrets/token; " +
  "WORKFLOWS/TYPES keeps it to steps of these types";

const SETTING = /^([^@=]*)@([^=/]*)(?:\/([^=]*))?=(env|file):(.+)$/s;
const WORKFLOW = /^(?:[\w.-]*\*|[\w.-]+)$/;

/** Reads {@link SECRET_FORM}. @returns the problem as the end of a sentence, if it is none */
export function parseSecret(text: string): SecretSetting | string {
  const match = SETTING.exec(text);
  if (match === null) return `must be ${SECRET_FORM}`;
  const [, name = "", workflowList = "", typeList, kind, place = ""] = match;
  const problem = secretNameProblem(name);
  if (problem !== undefined) return `must begin with a name: ${problem}`;
  const workflows = itemsOf(workflowList);
  if (workflows.length === 0 || !workflows.every((it) => WORKFLOW.test(it))) {
    return "must name after @ the workflows that may use it, with commas between them, or * for all";
  }
  const types = itemsOf(typeList ?? "").map((type) => type.toLowerCase());
  if (typeList !== undefined && types.length === 0) return "must name after / the step types that may use it";
  return { name, workflows, types, source: kind === "env" ? { env: place } : { file: place } };
}

const itemsOf = (list: string): readonly string[] =>
  list
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** Who asks for values. */
export interface SecretUser {
  readonly workflowId: string;
  readonly stepType: string;
}

/** Why there is no value; the message is for whoever wrote the step, and for the server's operator. */
export class SecretError extends Error {}

/** Values of one secret that are remembered: a file's may change while attempts have the former one. */
const REMEMBERED = 4;

export class Secrets {
  /** What has been handed out last, by name. */
  readonly #given = new Map<string, readonly string[]>();
  readonly #settings: ReadonlyMap<string, SecretSetting>;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(settings: readonly SecretSetting[], env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#settings = new Map(settings.map((setting) => [setting.name, setting]));
    this.#env = env;
  }

  /** The value as it is now. @throws SecretError */
  value(name: string, user: SecretUser): string {
    const setting = this.#settings.get(name);
    if (setting === undefined || !isGranted(setting, user)) throw new SecretError(notGranted(name, user, setting));
    const { source } = setting;
    const value = "env" in source ? this.#env[source.env] : readValue(name, source.file);
    if (value === undefined || value === "") {
      const place = "env" in source ? `variable ${source.env} of the server's environment` : `file ${source.file}`;
      throw new SecretError(`The secret [${name}] has no value: the ${place} is ${value === "" ? "empty" : "not set"}`);
    }
    const problem = valueProblem(value);
    if (problem !== undefined) throw new SecretError(`The secret [${name}] can't be used: its value ${problem}`);
    const others = (this.#given.get(name) ?? []).filter((other) => other !== value);
    this.#given.set(name, [...others, value].slice(-REMEMBERED));
    return value;
  }

  /** A text of which nobody knows who has said it, without any value that was handed out. */
  clean(text: string): string {
    return new Redactor([...this.#given.values()].flat()).text(text);
  }
}

function isGranted({ workflows, types }: SecretSetting, { workflowId, stepType }: SecretUser): boolean {
  const isOf = (pattern: string): boolean =>
    pattern.endsWith("*") ? workflowId.startsWith(pattern.slice(0, -1)) : pattern === workflowId;
  return workflows.some(isOf) && (types.length === 0 || types.includes(stepType.toLowerCase()));
}

function notGranted(name: string, { workflowId, stepType }: SecretUser, setting: SecretSetting | undefined): string {
  const is = setting === undefined ? "is not known to this server" : "is not granted";
  const grant =
    setting === undefined
      ? `--secret ${name}@${workflowId}=env:VARIABLE (or file:PATH)`
      : `its setting "secret" must name them: ${name}@${workflowId}${setting.types.length === 0 ? "" : `/${stepType}`}=…`;
  return `The secret [${name}] ${is} to steps of type ${stepType} in workflow [${workflowId}]; the server's operator grants it: ${grant}`;
}

/** Why a text can't be told from others in what a plugin says. */
function valueProblem(value: string): string | undefined {
  if ([...value].length < LEAST_SECRET) {
    return `has fewer than ${LEAST_SECRET} characters: it could not be told from other text in logs`;
  }
  if (Buffer.byteLength(value) > MOST_SECRET) return `has more than ${MOST_SECRET} bytes`;
  if (!value.isWellFormed() || /[^\P{Cc}\t\n\r]|[\ufffd\u2400\u{10fe00}-\u{10feff}]/u.test(value)) {
    return "is not text in UTF-8 without control characters: give a base64 of it";
  }
  return undefined;
}

/** Without the line's end that an editor leaves. @throws SecretError */
function readValue(name: string, path: string): string {
  const buffer = Buffer.alloc(MOST_SECRET + 3);
  let length = 0;
  try {
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(file).isFile()) throw new Error("it is not a file");
      for (let read = 1; read > 0 && length < buffer.length; length += read) {
        read = readSync(file, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SecretError(`The secret [${name}] has no value: its file ${path} can't be read (${reason})`);
  }
  return buffer
    .subarray(0, length)
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .replace(/\r?\n$/, "");
}
