/** The connection of a request, as far as a handler may ask something of it. The server that calls the application provides it. */

export interface Connections {
  /** How long a connection is kept that sends and takes nothing, seconds. */
  readonly idleSeconds: number;
  /** From now on the request's connection is closed after so many seconds; 0: never. */
  timeout(request: Request, seconds: number): void;
  /**
   * Something is about to stay open for its caller.
   *
   * @returns to be called at its end
   * @throws UNAVAILABLE when too many are open
   */
  stream(): () => void;
}

/** For an application that nobody serves. */
const NONE: Connections = { idleSeconds: 0, timeout() {}, stream: () => () => {} };

/** @param env what the application was given beside the request */
export function connectionsOf(env: unknown): Connections {
  return typeof env === "object" && env !== null && "idleSeconds" in env ? (env as Connections) : NONE;
}
