/** One request as handlers see it: path and query read into types, the caller, the body. */
import type { Context } from "hono";
import { badRequest } from "../error.ts";
import type { Json } from "../json.ts";
import { isStorable, readJson } from "./body.ts";
import { Problem } from "./error.ts";

const MAX_ID = 512;
const MAX_USER = 256;

export class Call {
  readonly context: Context;
  readonly bodyLimit: number;

  constructor(context: Context, bodyLimit: number) {
    this.context = context;
    this.bodyLimit = bodyLimit;
  }

  get request(): Request {
    return this.context.req.raw;
  }

  /** A text of the path. @throws BAD_REQUEST when no stored id can look like it */
  id(name: string): string {
    const value = this.context.req.param(name) ?? "";
    if (value === "" || value.length > MAX_ID || !isStorable(value)) {
      throw badRequest(`The path has no usable ${name}`, [
        `${name}: 1 to ${MAX_ID} characters, percent-encoded as UTF-8, without NUL`,
      ]);
    }
    return value;
  }

  /** A number of the path. @throws Problem 400 */
  number(name: string): number {
    const text = this.context.req.param(name) ?? "";
    const value = integerOf(text);
    if (value === undefined) throw new Problem(400, `Failed to convert '${name}' with value '${text}' to a number.`);
    return value;
  }

  /** A number of the path, or `latest` (any case; so is 0). @throws BAD_REQUEST */
  numberOrLatest(name: string): number | "latest" {
    const text = this.context.req.param(name) ?? "";
    if (text.toLowerCase() === "latest") return "latest";
    const value = integerOf(text);
    if (value === undefined || value < 0) {
      throw badRequest(`Invalid ${name} [${text}]`, [`${name}: must be a number or "latest"`]);
    }
    return value === 0 ? "latest" : value;
  }

  query(name: string): string | undefined {
    const value = this.context.req.query(name);
    if (value === undefined || value === "") return undefined;
    if (!isStorable(value)) throw badRequest(`Invalid query parameter [${name}]`, [`${name}: holds a NUL`]);
    return value;
  }

  /** `true` or `false`, as Java, Python or a person writes it. @throws Problem 400 */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.query(name)?.toLowerCase();
    if (value === undefined) return otherwise;
    if (["true", "1", "yes", "on"].includes(value)) return true;
    if (["false", "0", "no", "off"].includes(value)) return false;
    throw new Problem(400, `Failed to convert '${name}' with value '${value}' to a boolean.`);
  }

  /** @throws BAD_REQUEST */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.query(name);
    if (text === undefined) return undefined;
    const value = integerOf(text);
    if (value === undefined || value < min || value > max) {
      throw badRequest(`Invalid query parameter [${name}]: [${text}]`, [
        `${name}: must be a number from ${min} to ${max}`,
      ]);
    }
    return value;
  }

  /** Who asks. @throws BAD_REQUEST without a `user` header */
  user(): string {
    const name = this.context.req.header("user")?.trim() ?? "";
    if (name === "") throw badRequest("the user name cannot be null", ["send the caller's name in the header user"]);
    if (name.length > MAX_USER) throw badRequest(`The header user is longer than ${MAX_USER} characters`);
    return name;
  }

  /** This answer may take longer than the server lets a connection idle. @param seconds 0: as long as the client stays */
  keepOpen(seconds: number): void {
    const server = this.context.env as { timeout?: (request: Request, seconds: number) => void } | undefined;
    server?.timeout?.(this.request, seconds === 0 || seconds > 240 ? 0 : seconds + 10);
  }

  body(limit = this.bodyLimit): Promise<Json> {
    return readJson(this.request, limit);
  }
}

/** A safe integer; undefined for anything else. */
export function integerOf(text: string): number | undefined {
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
