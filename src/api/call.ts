/** One request as handlers see it: the path, the caller, the body, and how long it may take. */
import type { Context } from "hono";
import type { Schema } from "../definition/text/declared.ts";
import type { Json } from "../json.ts";
import { readJson, readYaml } from "./body.ts";
import { connectionsOf } from "./connection.ts";
import type { Deadline } from "./deadline.ts";
import { PATH, type PathName, type PathValue, USER } from "./parameter.ts";

/** Seconds by which a connection's limit has to exceed that of an answer: connections are looked at now and then. */
const SLACK = 5;

export class Call {
  readonly context: Context;
  readonly bodyLimit: number;
  readonly deadline: Deadline;
  /** As `Endpoint.again`, for this request. */
  again: string | undefined;
  /** What has been read: all of it before the handler begins, and again where the handler uses it. */
  readonly #path = new Map<PathName, PathValue<PathName>>();
  #user: string | undefined;
  /** The limit of silence on the connection is lifted. */
  #takesTime = false;

  constructor(context: Context, bodyLimit: number, deadline: Deadline) {
    this.context = context;
    this.bodyLimit = bodyLimit;
    this.deadline = deadline;
  }

  get request(): Request {
    return this.context.req.raw;
  }

  /** A parameter of the path. @throws BAD_REQUEST or Problem 400 */
  path<N extends PathName>(name: N): PathValue<N> {
    let value = this.#path.get(name);
    if (value === undefined) {
      value = PATH[name].read(name, this.context.req.param(name) ?? "");
      this.#path.set(name, value);
    }
    return value as PathValue<N>;
  }

  /** Who asks. @throws BAD_REQUEST without a `user` header */
  user(): string {
    this.#user ??= USER.read("user", decoded(this.context.req.header("user") ?? ""));
    return this.#user;
  }

  /**
   * This answer may take long for a reason that the caller has named. It counts as open until what is returned is
   * called, which must be.
   *
   * @param seconds how long the caller wants to wait, beside what an answer may take; by default for ever
   * @throws UNAVAILABLE when too many are open
   */
  keepOpen(seconds = Number.POSITIVE_INFINITY): () => void {
    const close = connectionsOf(this.context.env).stream();
    this.deadline.begin(seconds);
    this.takeTime();
    return close;
  }

  /** While expressions are evaluated, which have limits of their own, the deadline does not run. */
  evaluating(is: boolean): void {
    if (!is) return this.deadline.begin();
    this.deadline.pause();
    this.takeTime();
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

  /** @throws BAD_REQUEST, or Problem 413 */
  body(): Promise<Json> {
    return this.#read(false);
  }

  /** The body of a push, in which no key may stand twice. @throws BAD_REQUEST, or Problem 413 */
  definition(): Promise<Json> {
    return this.#read(true);
  }

  /** A body that is YAML. @param schema where it declares a text, a plain scalar is one @throws as {@link definition} */
  yaml(schema: Schema): Promise<Json> {
    return this.#during(readYaml(this.request, this.bodyLimit, schema));
  }

  #read(isDefinition: boolean): Promise<Json> {
    return this.#during(readJson(this.request, this.bodyLimit, isDefinition));
  }

  /** While the body comes, the deadline does not run. */
  async #during(reading: Promise<Json>): Promise<Json> {
    this.deadline.pause();
    const body = await reading;
    this.deadline.begin();
    if (this.deadline.seconds + SLACK > connectionsOf(this.context.env).idleSeconds) this.takeTime();
    return body;
  }
}

/** A header's text comes with a character for each byte. What is no UTF-8 is taken for Latin-1, as HTTP once had it. */
function decoded(header: string): string {
  if (!/[\x80-\xff]/.test(header)) return header;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(header, "latin1"));
  } catch {
    return header;
  }
}
