/**
 * Endpoints as data: one description serves the router, the API document and the answers to what fits no endpoint.
 * Parameters are read by what describes them, and bodies by their handlers, since the framework's validators would lose
 * 64-bit numbers.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { z } from "zod";
import { type ErrorCode, MaestroError } from "../error.ts";
import { metrics } from "../metric.ts";
import { counted } from "./answer.ts";
import { Call } from "./call.ts";
import { Deadlines } from "./deadline.ts";
import { json, Problem } from "./error.ts";
import { pathNames, type Query, type QueryValues, readQuery } from "./parameter.ts";
import type { Services } from "./service.ts";

export type Tag = "workflow" | "run" | "step" | "log" | "queue" | "system" | "control" | "signal" | "view";

export interface Endpoint<Q extends Query = Query> {
  readonly method: "get" | "post" | "put" | "delete";
  /** With `{name}` for parameters. */
  readonly path: string;
  /** Stable: generated clients name their methods after it. */
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tag: Tag;
  /** Needs the `user` header. */
  readonly caller?: boolean;
  /** Needs the token of an attempt, in the header `Authorization`. */
  readonly bearer?: boolean;
  readonly query?: Q;
  /** Undefined: a body is neither needed nor looked at. */
  readonly body?: { readonly schema: z.ZodType; readonly contentType?: string; readonly limit?: number };
  readonly reply: {
    readonly description: string;
    readonly status?: number;
    /** Undefined: no body. */
    readonly schema?: z.ZodType | undefined;
    readonly contentType?: string;
  };
  /** Beyond BAD_REQUEST and INTERNAL_ERROR, which every endpoint may answer. */
  readonly errors?: readonly ErrorCode[];
  /**
   * What to know before the request is sent again, when the database has not answered or was lost on the way. By default
   * that it may be: reads, and what leads to the same end twice.
   */
  readonly again?: string;
  /** Does not need the database: has no deadline, and is answered when the database is silent. */
  readonly local?: boolean;
}

/** What becomes of an error that a handler throws. */
export type Failed = (error: unknown, context: Context) => Response;

/** Returns the reply's JSON, or a whole response. @param query as the endpoint describes it */
export type Handler<Q extends Query = Query> = (
  call: Call,
  services: Services,
  query: QueryValues<Q>,
) => Promise<unknown> | unknown;

/** Reads the parameters and answers. */
type Answer = (call: Call, services: Services) => Promise<unknown> | unknown;

interface Known {
  readonly endpoint: Endpoint;
  readonly answer: Answer;
  readonly pattern: RegExp;
}

const duration = metrics.histogram(
  "maestro_http_request_seconds",
  "Time to answer a request, by operation and status.",
);

export class Router {
  readonly #app: OpenAPIHono;
  readonly #services: Services;
  readonly #failed: Failed;
  readonly #deadlines = new Deadlines();
  readonly #known: Known[] = [];

  constructor(app: OpenAPIHono, services: Services, failed: Failed) {
    this.#app = app;
    this.#services = services;
    this.#failed = failed;
  }

  /** @throws Error when the path has a parameter that nothing describes */
  add<Q extends Query = Readonly<Record<never, never>>>(endpoint: Endpoint<Q>, handle: Handler<Q>): void {
    const names = pathNames(endpoint.path);
    const answer: Answer = (call, services) => {
      if (endpoint.caller === true) call.user();
      for (const name of names) call.path(name);
      return handle(
        call,
        services,
        readQuery(endpoint.query ?? ({} as Q), (name) => call.context.req.query(name)),
      );
    };
    this.#known.push({ endpoint, answer, pattern: patternOf(endpoint.path) });
  }

  get endpoints(): readonly Endpoint[] {
    return this.#known.map(({ endpoint }) => endpoint);
  }

  /** Call once, after the last `add`: where two paths match, the one with the literal segment is taken. */
  mount(): void {
    for (const { endpoint, answer } of this.#known.toSorted((a, b) => bySegments(a.endpoint.path, b.endpoint.path))) {
      this.#app.on(endpoint.method.toUpperCase(), endpoint.path.replace(/\{(\w+)\}/g, ":$1"), (context) =>
        this.#serve(context, endpoint, answer),
      );
    }
  }

  async #serve(context: Context, endpoint: Endpoint, answer: Answer): Promise<Response> {
    const start = performance.now();
    const { bodyBytes, requestSeconds } = this.#services.config.limits;
    const deadline = this.#deadlines.of(endpoint.local === true ? Number.POSITIVE_INFINITY : requestSeconds);
    const call = new Call(context, endpoint.body?.limit ?? bodyBytes, deadline);
    let response: Response;
    try {
      response = await this.#answer(call, endpoint, answer);
    } catch (error) {
      response = this.#failed(this.#explained(error, call, endpoint), context);
    }
    call.hurry();
    const seconds = (performance.now() - start) / 1000;
    duration.observe(seconds, { operation: endpoint.operationId, status: response.status });
    return counted(response);
  }

  async #answer(call: Call, endpoint: Endpoint, answer: Answer): Promise<Response> {
    if (endpoint.method !== "get") checkMediaType(call.request, endpoint.body?.contentType ?? "application/json");
    const result = await this.#within(call, endpoint, answer);
    return result instanceof Response ? result : json(result, endpoint.reply.status ?? 200);
  }

  async #within(call: Call, { local }: Endpoint, answer: Answer): Promise<unknown> {
    if (local === true) return answer(call, this.#services);
    const { outage, givenUp } = this.#services;
    givenUp.check();
    return call.deadline.during(
      () => answer(call, this.#services),
      (work) => {
        givenUp.add(work);
        outage.begun(new Error("a request was not answered in time"));
      },
    );
  }

  /** Of a request that the database did not answer, what its caller needs to know to send it again. */
  #explained(error: unknown, call: Call, { again, method }: Endpoint): unknown {
    const { outage, readiness } = this.#services;
    const known = outage.seen(error);
    readiness.watch();
    if (!(known instanceof MaestroError) || known.code !== "UNAVAILABLE" || !known.retryable) return known;
    const otherwise =
      method === "get" ? "The request may be sent again." : "It may have been done all the same. It may be sent again.";
    const details = [call.again ?? again ?? otherwise, ...known.details];
    return new MaestroError(known.code, known.message, { retryable: true, details, cause: known.cause });
  }

  /** What to say to a request that no endpoint takes. */
  refuse(method: string, path: string): Problem {
    const matching = this.#known.filter((it) => it.pattern.test(path));
    const methods = [...new Set(matching.map((it) => it.endpoint.method.toUpperCase()))];
    if (methods.length === 0) return new Problem(404, `There is no endpoint ${path}.`);
    const detail = `Method '${method}' is not supported here; use ${methods.join(" or ")}.`;
    return new Problem(405, detail, { allow: methods.join(", ") });
  }
}

/** Literal segments before parameters, from the left. */
function bySegments(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = Number(left[at]?.startsWith("{")) - Number(right[at]?.startsWith("{"));
    if (difference !== 0) return difference;
  }
  return 0;
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replace(/[.+*?^$()[\]\\|]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+")}$`);

/**
 * Also where a body is not looked at: the types that a page of another site can send without asking are refused.
 *
 * @throws Problem 415 for a body of another type, or of none
 */
function checkMediaType(request: Request, wanted: string): void {
  const given = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (given === wanted || (wanted === "application/json" && given.endsWith("+json"))) return;
  if (!hasBody(request)) return;
  const wrong = given === "" ? "The body has no Content-Type" : `Content-Type '${given}' is not supported`;
  throw new Problem(415, `${wrong}; send ${wanted}.`, { accept: wanted });
}

export function hasBody({ headers, body }: Request): boolean {
  const length = headers.get("content-length");
  return length === null ? headers.has("transfer-encoding") || body !== null : length !== "0";
}
