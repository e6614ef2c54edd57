import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, argv: readonly string[]) {
  server = fakeServer(answer);
  return run(argv, { env: { MAESTRO_SERVER: server.url } });
}

const step = (state: string, id: string) => ({
  ...{ workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 1, step_id: id, step_attempt_id: 2, state },
  wait_time: 1_790_000_000_000,
});
const steps = (path: string, held: readonly unknown[], waiting: readonly unknown[]) => {
  const elements = path.includes("state=HELD") ? held : waiting;
  return { total_count: elements.length, elements };
};

test("permit set says what holds from now on", async () => {
  const result = await at(() => ({ body: "" }), ["permit", "set", "db 1", "3"]);
  expect(result).toEqual({ exit: 0, out: "db 1: at most 3 at a time\n", err: "" });
  expect(server?.requests).toMatchObject([
    { method: "POST", path: "/api/v3/tag-permits", user: "ann", body: { tag: "db 1", max_allowed: 3 } },
  ]);
});

test("permit set takes a whole number from 0 on", async () => {
  const result = await at(() => ({ body: "" }), ["permit", "set", "db", "-1"]);
  expect([result.exit, server?.requests]).toEqual([2, []]);
});

test("permit get shows the limit, who holds a permit and who waits", async () => {
  const answer: Answer = ({ path }) => ({
    body: path.includes("/steps")
      ? steps(path, [{ ...step("HELD", "load"), grant_time: 1_790_000_060_000 }], [step("WAITING", "copy")])
      : { tag: "db", max_allowed: 1, timeline: [] },
  });
  const result = await at(answer, ["permit", "get", "db"]);
  expect(result.out.split("\n")).toEqual([
    "db: at most 1 at a time, 1 held, 1 waiting",
    "STATE    WORKFLOW  INSTANCE  RUN  STEP  ATTEMPT  SINCE",
    "HELD     etl       7         1    load  2        2026-09-21 14:14:20Z",
    "WAITING  etl       7         1    copy  2        2026-09-21 14:13:20Z",
    "",
  ]);
});

test("permit get shows steps under a limit that is not the tag's own", async () => {
  const answer: Answer = ({ path }) =>
    path.includes("/steps") ? { body: steps(path, [step("HELD", "load")], []) } : undefined;
  const result = await at(answer, ["permit", "get", "maestro_etl"]);
  expect([result.exit, result.out.split("\n")[0]]).toEqual([0, "maestro_etl: no limit of its own, 1 held, 0 waiting"]);
});

test("permit get of a tag that nobody knows says so", async () => {
  const result = await at(
    ({ path }) => (path.includes("/steps") ? { body: steps(path, [], []) } : undefined),
    ["permit", "get", "nothing"],
  );
  expect(result.exit).toBe(3);
});

test("permit list names what each limit does, and where the list goes on", async () => {
  const body = { elements: [{ tag: "db", max_allowed: 3, held: 3, waiting: 12 }], next_cursor: "db" };
  const result = await at(() => ({ body }), ["permit", "list", "d", "--limit", "1"]);
  expect(result).toEqual({
    exit: 0,
    out: "TAG  LIMIT  HELD  WAITING\ndb   3      3     12\n",
    err: "More: --cursor db\n",
  });
  expect(server?.requests[0]?.path).toBe("/api/v3/tag-permits?search=d&limit=1");
});

test("permit rm takes the limit away", async () => {
  const result = await at(() => ({ body: "" }), ["permit", "rm", "db/1"]);
  expect(result.out).toBe("db/1: no limit\n");
  expect(server?.requests).toMatchObject([{ method: "DELETE", path: "/api/v3/tag-permits/db%2F1" }]);
});
