/** The HTTP API as the commands see it: JSON in and out, errors as {@link MaestroError}. */
import { ERROR_CODES, type ErrorCode, MaestroError } from "../error.ts";
import { isJsonObject, type Json, parseJson, stringifyJson } from "../json.ts";
import { VERSION } from "../version.ts";
import type { Arguments } from "./argument.ts";
import { Failure, type Io } from "./command.ts";
import { clientConfigOf } from "./setting.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface RequestOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
}

/** No answer came from the server. */
export class Unreachable extends Failure {
  constructor(
    server: string,
    readonly reason: string,
  ) {
    super(`can't reach ${server} (${reason})`, 1, [
      "Start a server with `maestro serve`, or name one with --server or MAESTRO_SERVER.",
    ]);
  }
}

export class Client {
  constructor(
    /** Without a trailing slash. */
    readonly server: string,
    readonly user: string,
  ) {}

  /**
   * @param path below `/api/v3`, its parts escaped: see {@link path}.
   * @throws MaestroError what the server answered; Failure when it can't be reached.
   */
  async request(method: Method, path: string, options: RequestOptions = {}): Promise<Json> {
    const response = await this.#send(method, path, "application/json", options);
    const text = await this.#whole(response);
    const body = parseBody(text);
    if (!response.ok) throw errorOf(response, body, text);
    if (body === undefined) throw new Failure(`${this.server} did not answer with JSON: is it a maestro server?`);
    return body;
  }

  /** Where the server has nothing to say but that it is done. @throws as {@link request} does */
  async tell(method: Method, path: string, options: RequestOptions = {}): Promise<void> {
    const response = await this.#send(method, path, "application/json", options);
    const text = await this.#whole(response);
    if (!response.ok) throw errorOf(response, parseBody(text), text);
    if (text !== "") throw new Failure(`${this.server} did not answer as a maestro server does: is it one?`);
  }

  /** An answer that is a text, whole. @throws as {@link request} does */
  async textOf(method: Method, path: string, options: RequestOptions = {}): Promise<string> {
    const response = await this.#send(method, path, "*/*", options);
    const text = await this.#whole(response);
    if (!response.ok) throw errorOf(response, parseBody(text), text);
    return text;
  }

  /**
   * An answer that is a text, as it comes.
   *
   * @throws as {@link request} does; so does reading it, when the connection ends before the text
   */
  async open(path: string, options: RequestOptions = {}): Promise<AsyncIterable<string>> {
    const response = await this.#send("GET", path, "*/*", options);
    if (response.ok) return this.#pieces(response);
    const text = await this.#whole(response);
    throw errorOf(response, parseBody(text), text);
  }

  #send(method: Method, path: string, accept: string, options: RequestOptions): Promise<Response> {
    const url = new URL(`${this.server}/api/v3${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return this.#fetch(url, {
      method,
      headers: {
        // As UTF-8, of which `fetch` takes the bytes.
        user: Buffer.from(this.user).toString("latin1"),
        accept,
        "user-agent": `maestro/${VERSION}`,
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(options.body === undefined ? {} : { body: stringifyJson(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  async *#pieces({ body }: Response): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body ?? []) yield decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw this.#unreachable(error);
    }
    yield decoder.decode();
  }

  async #whole(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): Unreachable {
    const { code, message } = error as NodeJS.ErrnoException;
    return new Unreachable(this.server, code ?? message);
  }
}

/** @throws ConfigError */
export function clientOf(args: Arguments, io: Io): Client {
  const { server, user } = clientConfigOf(args, io);
  return new Client(server.replace(/\/+$/, ""), user ?? io.user);
}

/** `/workflows/a%20b/instances/1` from parts: path`/workflows/${id}/instances/${1}`. */
export function path(texts: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return texts.reduce((whole, text, index) => `${whole}${encodeURIComponent(parts[index - 1] ?? "")}${text}`);
}

function parseBody(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  408: "REQUEST_TIMEOUT",
  409: "CONFLICT",
  410: "GONE",
  412: "PRECONDITION_FAILED",
  422: "UNPROCESSABLE_ENTITY",
  502: "BAD_GATEWAY",
  503: "UNAVAILABLE",
};

function errorOf(response: Response, body: Json | undefined, text: string): MaestroError {
  const fallback = CODE_OF_STATUS[response.status] ?? "INTERNAL_ERROR";
  if (!isJsonObject(body) || typeof body.message !== "string") {
    // Of what is no part of the API: a problem document, or another server's page.
    const excerpt = isJsonObject(body) && typeof body.detail === "string" ? body.detail : text.trim().slice(0, 200);
    return new MaestroError(fallback, `the server answered ${response.status}${excerpt === "" ? "" : `: ${excerpt}`}`);
  }
  const code = ERROR_CODES.find((it) => it === body.status) ?? fallback;
  const details = Array.isArray(body.errors) ? body.errors.map(String) : [];
  return new MaestroError(code, body.message, { details });
}
