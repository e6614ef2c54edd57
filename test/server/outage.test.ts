/** A server whose database is silent, read-only or over its limits: what it answers, and that it goes on afterwards. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Sql } from "../../src/store/connection.ts";
import { PATIENCE, read, type Served, served } from "./served.ts";

const REQUEST_SECONDS = 1;
const START = "/api/v3/workflows/out/versions/latest/actions/start";

let server: Served;
let sql: Sql;
let name: string;

interface Answer {
  readonly status: number;
  readonly body: { readonly status?: string; readonly retryable?: boolean; readonly errors?: readonly string[] };
  readonly retryAfter: string | null;
  /** Milliseconds. */
  readonly time: number;
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const begin = performance.now();
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { user: "ann", "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer["body"];
  const time = performance.now() - begin;
  return { status: response.status, body: answer, retryAfter: response.headers.get("retry-after"), time };
}

const start = (requestId?: string) =>
  ask("POST", START, { initiator: { type: "manual" }, ...(requestId && { request_id: requestId }) });

const definition = (id: string) => ({
  properties: { owner: "ann" },
  workflow: { id, steps: [{ step: { id: "a", type: "NoOp" } }] },
});

/** Whatever may be asked of the database. */
const REQUESTS: readonly (readonly [name: string, () => Promise<Answer>])[] = [
  ["a read", () => ask("GET", "/api/v3/workflows/out/versions/latest")],
  ["a list", () => ask("GET", "/api/v3/workflows")],
  ["a start", () => start()],
  ["a push", () => ask("POST", "/api/v3/workflows", definition("out"))],
  ["a stop", () => ask("PUT", "/api/v3/workflows/out/actions/stop")],
  ["a deletion", () => ask("DELETE", "/api/v3/workflows/nothing")],
];
const WRITES = REQUESTS.slice(2);

function expectUnavailable(answers: readonly Answer[]): void {
  for (const { status, body, retryAfter } of answers) {
    expect({ status, retryAfter, code: body.status, retryable: body.retryable }).toEqual({
      status: 503,
      retryAfter: "1",
      code: "UNAVAILABLE",
      retryable: true,
    });
    expect(JSON.stringify(body)).not.toMatch(/read-only transaction|canceling|lock|Postgres/);
  }
}

const all = (requests: typeof REQUESTS) => Promise.all(requests.map(([, send]) => send()));

/** Sessions that are open keep what they began with, so they are ended. */
async function set(setting: string, value: string | undefined): Promise<void> {
  const change = value === undefined ? `RESET ${setting}` : `SET ${setting} = '${value}'`;
  await sql.unsafe(`ALTER DATABASE "${name}" ${change}`);
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name} AND pid <> pg_backend_pid()`;
}

beforeAll(async () => {
  server = await served({ MAESTRO_LIMITS_REQUEST_SECONDS: String(REQUEST_SECONDS) });
  name = new URL(server.database).pathname.slice(1);
  sql = connect(server.database, { max: 2 });
  await server.send("POST", "", definition("out"));
}, PATIENCE);
afterAll(() => sql.end());

/** Until the server is well again: what `/readyz` says. */
async function recovered(): Promise<void> {
  for (;;) if ((await fetch(`${server.url}/readyz`)).ok) return;
}

describe("a database that is silent", () => {
  /** Nobody gets at these tables meanwhile. */
  const locked = <T>(work: () => Promise<T>): Promise<T> =>
    sql.begin(async (held) => {
      await held`LOCK TABLE workflow, run, run_word, setting IN ACCESS EXCLUSIVE MODE`;
      return work();
    }) as Promise<T>;

  test(
    "is given up after the limit, and what was started meanwhile is started once",
    async () => {
      const requestId = crypto.randomUUID();
      const { answers, own, named } = await locked(async () => {
        const [answers, own, named] = await Promise.all([all(REQUESTS), start(), start(requestId)]);
        return { answers, own, named };
      });
      expectUnavailable([...answers, own, named]);
      for (const { time } of answers) expect(time).toBeGreaterThan(REQUEST_SECONDS * 1000 - 50);
      expect(named.body.errors?.[0]).toContain(`request_id ${requestId}`);
      const [given] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(own.body.errors?.[0] ?? "") ?? [];
      await recovered();
      for (const id of [requestId, given]) {
        const [first, second] = [await start(id), await start(id)];
        expect([first.status, second.status]).toEqual([200, 200]);
        expect((second.body as { readonly status: string }).status).toBe("DUPLICATED");
        const [{ count } = { count: -1 }] = await sql<{ count: number }[]>`
          SELECT count(*) AS count FROM run WHERE uuid = ${id ?? ""}`;
        expect(count).toBe(1);
      }
    },
    PATIENCE,
  );

  test(
    "is noticed by /readyz within two seconds, however many ask, and /livez does not mind",
    async () => {
      const answers = await locked(async () => {
        const [ready, live] = await Promise.all([
          Promise.all(Array.from({ length: 20 }, () => ask("GET", "/readyz"))),
          ask("GET", "/livez"),
        ]);
        expect(live.status).toBe(200);
        return ready;
      });
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
      for (const { time } of answers) expect(time).toBeLessThan(2_000);
      await recovered();
    },
    PATIENCE,
  );

  test(
    "does not end a wait for a run before its time",
    async () => {
      const sleep = { id: "a", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 2 * REQUEST_SECONDS } } };
      await server.send("POST", "", {
        properties: { owner: "ann" },
        workflow: { id: "long", steps: [{ step: sleep }] },
      });
      await server.send("POST", "/long/versions/latest/actions/start", { initiator: { type: "manual" } });
      expect(read(await server.send("GET", "/long/instances/1/runs/1?wait=60")).status).toBe("SUCCEEDED");
    },
    PATIENCE,
  );
});

test(
  "a database that takes no writes refuses writes with 503, and /readyz with it; reads go on",
  async () => {
    await set("default_transaction_read_only", "on");
    try {
      expectUnavailable(await all(WRITES));
      expect((await ask("GET", "/api/v3/workflows/out/versions/latest")).status).toBe(200);
      const ready = await ask("GET", "/readyz");
      expect(ready.status).toBe(503);
      expect(JSON.stringify(ready.body)).toMatch(/read-only/);
    } finally {
      await set("default_transaction_read_only", undefined);
    }
    await recovered();
    expect((await start()).status).toBe(200);
    expect(server.log()).toContain("the database takes writes again");
  },
  PATIENCE,
);

test(
  "statements over the database's time limit are 503",
  async () => {
    await set("statement_timeout", "50ms");
    try {
      const answers = await (sql.begin(async (held) => {
        await held`SET LOCAL statement_timeout = 0`;
        await held`LOCK TABLE workflow, run, run_word IN ACCESS EXCLUSIVE MODE`;
        return all(REQUESTS);
      }) as Promise<readonly Answer[]>);
      expectUnavailable(answers);
    } finally {
      await set("statement_timeout", undefined);
    }
    await recovered();
    expect((await start()).status).toBe(200);
  },
  PATIENCE,
);

test("the log says why, each reason once, however many were refused", () => {
  const lines = server.log().split("\n");
  const said = lines.filter((line) => line.includes("the database does not take what it is given"));
  expect(said.length).toBeGreaterThan(0);
  expect(said.length).toBeLessThan(30);
  expect(said.join("\n")).toMatch(/read-only transaction/);
});
