/** Runs commands in this process: against a fake server, with streams that are lists of lines. */

import type { Command, Io } from "../../src/cli/command.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { COMMANDS, GROUPS } from "../../src/cli/index.ts";
import { type Json, parseJson, stringifyJson } from "../../src/json.ts";

export interface Result {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Options extends Partial<Omit<Io, "out" | "err" | "raw">> {
  readonly commands?: readonly Command[];
  readonly stdin?: string | Uint8Array;
}

export async function run(argv: readonly string[], options: Options = {}): Promise<Result> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => void out.push(`${line}\n`),
    err: (line) => void err.push(`${line}\n`),
    log: (lines, written) => {
      err.push(lines);
      written();
    },
    raw: (text) => void out.push(text),
    input: async () => Buffer.from(options.stdin ?? ""),
    ask: async () => "",
    env: {},
    cwd: "/",
    home: "/home/ann",
    user: "ann",
    uid: 1000,
    cores: 4,
    terminal: { in: false, out: false, err: false },
    columns: 80,
    rows: 24,
    colour: false,
    onSignal: () => () => {},
    sleep: async () => {},
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
    ...options,
  };
  const exit = await dispatch(argv, options.commands ?? COMMANDS, GROUPS, io);
  return { exit, out: out.join(""), err: err.join("") };
}

export interface Request {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly user: string | null;
  readonly body: Json | undefined;
}

export interface FakeServer {
  readonly url: string;
  readonly requests: Request[];
  stop(): void;
}

/** What the fake answers: a body, or a body with a status. */
export type Answer = (request: Request) => { readonly status?: number; readonly body: unknown } | undefined;

/** @param port 0: a free one */
export function fakeServer(answer: Answer, port = 0): FakeServer {
  const requests: Request[] = [];
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: async (incoming) => {
      const url = new URL(incoming.url);
      const text = await incoming.text();
      const request: Request = {
        method: incoming.method,
        path: url.pathname + url.search,
        user: incoming.headers.get("user"),
        body: text === "" ? undefined : parseJson(text),
      };
      requests.push(request);
      const { status = 200, body } = answer(request) ?? {
        status: 404,
        body: { status: "NOT_FOUND", message: `nothing at ${request.path}` },
      };
      const whole = typeof body === "string" || body instanceof ReadableStream ? body : stringifyJson(body);
      return new Response(whole, { status });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, requests, stop: () => void server.stop(true) };
}
