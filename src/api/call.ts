/** One request as handlers see it: path and query read into types, the caller, the body. */
import type { Context } from "hono";
import { badRequest } from "../error.ts";
import type { Json } from "../json.ts";
import { isStorable, readJson } from "./body.ts";
import { connectionsOf } from "./connection.ts";
import { Problem } from "./error.ts";

const MAX_ID = 512;
const MAX_USER = 256;

export class Call {
  readonly context: Context;
  readonly bodyLimit: number;
  /** The limit of silence on the connection is lifted. */
  #takesTime = false;

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

  /**
   * This answer may take long for a reason that the caller has named. It counts as open until what is returned is
   * called, which must be.
   *
   * @throws UNAVAILABLE when too many are open
   */
  keepOpen(): () => void {
    const close = connectionsOf(this.context.env).stream();
    this.takeTime();
    return close;
  }

  /** The caller has sent what it must: how long it hears nothing now is for the handler to say. */
  takeTime(): void {
    const connections = connectionsOf(this.context.env);
    this.#takesTime = true;
    connections.timeout(this.request, 0);
  }

  /** It is the client's turn again: to take the answer, or to send its next request. */
  hurry(): void {
    if (!this.#takesTime) return;
    this.#takesTime = false;
    const connections = connectionsOf(this.context.env);
    connections.timeout(this.request, connections.idleSeconds);
  }

  async body(limit = this.bodyLimit): Promise<Json> {
    const body = await readJson(this.request, limit);
    this.takeTime();
    return body;
  }
}

/** A safe integer; undefined for anything else. */
export function integerOf(text: string): number | undefined {
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
