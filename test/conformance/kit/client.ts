/** The server under test, over HTTP and nothing else. */
import { serverUrl } from "./server.ts";

/** Milliseconds that a scenario waits for something to become so. */
const PATIENCE = 30_000;
/** Milliseconds between two looks. */
const PAUSE = 40;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @param path below `/api/v3` */
export async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${await serverUrl()}/api/v3${path}`, {
    method,
    headers: { user: "tester", "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** @throws Error with request and answer, unless the answer is one of success */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { status, text } = await send(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text === "" ? "null" : text) as T;
}

/** @throws Error with request and answer, unless it is refused with this HTTP status */
export async function refuses(expected: number, method: string, path: string, body?: unknown): Promise<void> {
  const { status, text } = await send(method, path, body);
  if (status !== expected) throw new Error(`${method} ${path}: expected ${expected}, answered ${status} ${text}`);
}

/**
 * Looks until it is as expected: the only place where a scenario waits.
 * @param look what the server says now
 * @param show what an error says of it
 * @throws Error with what was expected and what the server said last
 */
export async function eventually<T>(
  expected: string,
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  show: (seen: T) => string = JSON.stringify,
): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > end) {
      throw new Error(`expected ${expected}; after ${PATIENCE / 1000} s the server says: ${show(seen)}`);
    }
    await Bun.sleep(PAUSE);
  }
}
