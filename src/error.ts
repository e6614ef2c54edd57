/**
 * The one error class of the program. A code says what kind of failure it is; `api/` maps codes to HTTP statuses
 * (reference: upstream's error table). A message says what was wrong, where, and what would be right.
 */
export const ERROR_CODES = [
  "BAD_REQUEST",
  "UNAUTHORIZED",
  "FORBIDDEN",
  "NOT_FOUND",
  "REQUEST_TIMEOUT",
  "CONFLICT",
  "GONE",
  "PRECONDITION_FAILED",
  "UNPROCESSABLE_ENTITY",
  "INTERNAL_ERROR",
  "BAD_GATEWAY",
  "UNAVAILABLE",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Errors as plain data, to cross threads. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly string[];
  readonly retryable: boolean;
}

export class MaestroError extends Error {
  override readonly name = "MaestroError";
  readonly code: ErrorCode;
  /** One entry a finding, each with its place (a JSON path, or line and column). */
  readonly details: readonly string[];
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: readonly string[]; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? [];
    this.retryable = options.retryable ?? false;
  }

  toData(): ErrorData {
    return { code: this.code, message: this.message, details: this.details, retryable: this.retryable };
  }

  static fromData(data: ErrorData): MaestroError {
    return new MaestroError(data.code, data.message, { details: data.details, retryable: data.retryable });
  }
}

export const badRequest = (message: string, details?: readonly string[]): MaestroError =>
  new MaestroError("BAD_REQUEST", message, details ? { details } : {});
export const notFound = (message: string): MaestroError => new MaestroError("NOT_FOUND", message);
export const conflict = (message: string): MaestroError => new MaestroError("CONFLICT", message);
export const internalError = (message: string, cause?: unknown): MaestroError =>
  new MaestroError("INTERNAL_ERROR", message, { cause });

/** Whatever was thrown, as plain data. A foreign error becomes INTERNAL_ERROR with its message. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof MaestroError) return error.toData();
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL_ERROR", message, details: [], retryable: false };
}
