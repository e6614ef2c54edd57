/**
 * The socket that the node listens on, and what holds for every connection before a handler sees its request.
 *
 * - Headers must be in within 12 seconds, which is Bun's own limit; a body, and the reading of an answer, within
 *   `limits.idle_seconds`. A connection that nobody uses for so long is closed.
 * - Handlers that wait for something (streams, `?wait`, expressions) lift that limit while they do, see `Connections`.
 * - A request beyond `limits.requests` at once is answered with 503 before its body is read, and its connection closed.
 *   Connections that have not sent their headers can't be counted: the system's limit of open files holds for them.
 */

import { counted } from "../api/answer.ts";
import type { Connections } from "../api/connection.ts";
import { errorResponse } from "../api/error.ts";
import { MaestroError } from "../error.ts";
import type { Logger } from "../log.ts";
import { metrics } from "../metric.ts";
import type { Config } from "./config.ts";
import { doorOf } from "./door.ts";
import { PEER_PATH } from "./peer.ts";

export interface Http {
  readonly url: string;
  /** The same for programs on this host. */
  readonly localUrl: string;
  /** From now on requests are answered; until then with 503, that the server is starting. */
  open(answers: Answers): void;
  stop(): Promise<void>;
}

export interface Answers {
  /** What is asked at `PEER_PATH`, for which no door is: what is there looks after itself. */
  readonly peer: (request: Request) => Response | Promise<Response>;
  readonly fetch: (request: Request, connections: Connections) => Response | Promise<Response>;
}

/** Who listens on all addresses is reached by one of them. */
const ANY_ADDRESS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "[::1]"],
]);

/** Answered however much is going on. */
const ALWAYS = ["/livez", "/readyz", "/metrics"];

const refused = metrics.counter("maestro_http_refused_total", "Requests that were refused at the door, by reason.");

/** @throws CONFLICT when the address can't be listened on */
export function listen(config: Config, log: Logger): Http {
  let answers: Answers | undefined;
  const { requests, streams, idleSeconds } = config.limits;
  const refusalOf = doorOf(config);
  const refuse = (reason: string, error: unknown, request: Request): Response => {
    refused.add(1, { reason });
    return counted(errorResponse(error, pathOf(request)));
  };
  const bind = () =>
    Bun.serve({
      hostname: config.host,
      port: config.port,
      idleTimeout: idleSeconds,
      // An error page would show sources.
      development: false,
      // Bun's default outside development is true: a second server would silently take half of the requests.
      reusePort: false,
      routes: { [PEER_PATH]: (request: Request) => answers?.peer(request) ?? refuse("starting", STARTING, request) },
      fetch(request, server) {
        const refusal = refusalOf(request);
        if (refusal !== undefined) return refuse(refusal.reason, refusal.problem, request);
        if (server.pendingRequests > requests && !ALWAYS.includes(pathOf(request))) {
          return closing(refuse("requests", tooMany(requests), request));
        }
        return answers?.fetch(request, connections) ?? closing(refuse("starting", STARTING, request));
      },
      error(error) {
        log.error("a request failed", { error });
        return errorResponse(error, "");
      },
    });
  const server = bound(config, bind);
  const open = new Set<object>();
  const connections: Connections = {
    idleSeconds,
    timeout: (request, seconds) => server.timeout(request, seconds),
    stream() {
      if (open.size >= streams) {
        refused.add(1, { reason: "streams" });
        throw tooManyStreams(streams);
      }
      const stream = {};
      open.add(stream);
      return () => void open.delete(stream);
    },
  };
  metrics.gauge("maestro_http_requests", "Requests that are being answered.", () => server.pendingRequests);
  metrics.gauge("maestro_http_streams", "Followed logs and waits that are open.", () => open.size);
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const local = ANY_ADDRESS.get(config.host) ?? host;
  return {
    url: `http://${host}:${server.port}`,
    localUrl: `http://${local}:${server.port}`,
    open: (given) => {
      answers = given;
    },
    stop: () => server.stop(true),
  };
}

/** Without a usable `Host`, the URL is a path alone. */
const pathOf = ({ url }: Request): string => URL.parse(url, "http://localhost")?.pathname ?? "/";

function closing(response: Response): Response {
  response.headers.set("connection", "close");
  response.headers.set("retry-after", "1");
  return response;
}

const STARTING = new MaestroError("UNAVAILABLE", "The server is starting; send this request again in a moment.", {
  details: ['it prints "ready URL" when it has started'],
  retryable: true,
});

const tooMany = (limit: number): MaestroError =>
  new MaestroError("UNAVAILABLE", `The server is answering ${limit} requests already; send this one again later.`, {
    details: ["limits.requests sets how many it answers at once"],
    retryable: true,
  });

const tooManyStreams = (limit: number): MaestroError =>
  new MaestroError("UNAVAILABLE", `${limit} logs are followed and runs waited for already; try again later.`, {
    details: ["limits.streams sets how many may be; without follow and wait the answer comes at once"],
    retryable: true,
  });

function bound<T>(config: Config, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    const where = `Cannot listen on ${config.host}:${config.port}: `;
    const inUse = code === "EADDRINUSE";
    const reason =
      inUse && config.port !== 0
        ? "the port is in use. Stop what uses it, or choose another with --port (0 picks a free one)."
        : `${inUse ? "there is no such address" : message}. Choose another with --host.`;
    throw new MaestroError("CONFLICT", where + reason, { cause: error });
  }
}
