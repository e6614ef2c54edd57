/** Errors as answers: the one table from codes to HTTP statuses, the error body, and problem details. */
import { type ErrorCode, MaestroError, toErrorData } from "../error.ts";
import { stringifyJson } from "../json.ts";

export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  GONE: 410,
  PRECONDITION_FAILED: 412,
  UNPROCESSABLE_ENTITY: 422,
  INTERNAL_ERROR: 500,
  BAD_GATEWAY: 502,
  UNAVAILABLE: 503,
};

/** What the framework refuses before a handler sees it, with the reason phrase that titles it. */
const TITLES = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
} as const;

export type ProblemStatus = keyof typeof TITLES;

/** A request that fits no endpoint: answered as problem details (RFC 9457), as upstream's framework does. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ProblemStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ProblemStatus, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

export interface ErrorBody {
  readonly status: ErrorCode;
  readonly message: string;
  readonly errors?: readonly string[];
  readonly retryable?: true;
}

/** The status, as nginx counts it, of requests whose client has left; see {@link hasLeft}. */
export const CLIENT_LEFT = 499;

/** The client has left before its request was whole, or before the answer was: nobody's failure, and nobody to tell. */
export const hasLeft = (error: unknown, { signal }: Request): boolean =>
  signal.aborted && error instanceof Error && error.name === "AbortError";

/** Whether the failure is ours: worth a line in the log, and no word about its cause to the client. */
export const isOurs = (error: unknown): boolean => !(error instanceof MaestroError) && !(error instanceof Problem);

/** @param path of the request, which problem details repeat */
export function errorResponse(error: unknown, path: string): Response {
  if (error instanceof Problem) return problemResponse(error, path);
  if (isOurs(error)) {
    const message = "The server failed to answer this request; its log says why. The request may be sent again.";
    return json({ status: "INTERNAL_ERROR", message } satisfies ErrorBody, HTTP_STATUS.INTERNAL_ERROR);
  }
  const { code, message, details, retryable } = toErrorData(error);
  const body: ErrorBody = {
    status: code,
    message,
    ...(details.length > 0 && { errors: details }),
    ...(retryable && { retryable: true as const }),
  };
  return json(body, HTTP_STATUS[code], retryable ? { ...JSON_HEADERS, "retry-after": "1" } : JSON_HEADERS);
}

function problemResponse({ status, message, headers }: Problem, path: string): Response {
  const body = { type: "about:blank", title: TITLES[status], status, detail: message, instance: path };
  return json(body, status, { "content-type": "application/problem+json", ...headers });
}

const JSON_HEADERS = { "content-type": "application/json" };

/** JSON with its 64-bit numbers whole. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = JSON_HEADERS): Response {
  return new Response(stringifyJson(value), { status, headers });
}
