import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, ...argv: readonly string[]) {
  server = fakeServer(answer);
  return run(["dead-letter", ...argv], { env: { MAESTRO_SERVER: server.url } });
}

const asked = () => server?.requests.map(({ method, path }) => `${method} ${path}`);
const letter = {
  id: 7,
  topic: "dequeue",
  key: "etl",
  error: "no\x1b[2J",
  attempts: 1,
  create_time: 1,
  dead_time: 2000,
};

test("list shows a line a letter, what others wrote escaped, and where it goes on", async () => {
  const result = await at(() => ({ body: { elements: [letter], next_cursor: "7" } }), "list", "--topic", "dequeue");
  expect(result.out.split("\n")).toEqual([
    "LETTER  TOPIC    KEY  DIED                  ERROR",
    "7       dequeue  etl  1970-01-01 00:00:02Z  no\\x1b[2J",
    "",
  ]);
  expect(result.err).toBe("More: --cursor 7\n");
  expect(asked()).toEqual(["GET /api/v3/dead-letters?topic=dequeue&limit=20"]);
});

test("get prints the letter", async () => {
  const { out } = await at(() => ({ body: letter }), "get", "7");
  expect(JSON.parse(out)).toEqual(letter);
  expect(asked()).toEqual(["GET /api/v3/dead-letters/7"]);
});

test("replay takes letters, or all of them, maybe of a topic", async () => {
  const answer: Answer = ({ path }) => ({ body: { replayed: path.includes("/dead-letters/actions") ? 5 : 1 } });
  expect((await at(answer, "replay", "7", "8")).out).toBe("replayed: 2\n");
  expect(asked()).toEqual([7, 8].map((id) => `POST /api/v3/dead-letters/${id}/actions/replay`));
  expect((await at(answer, "replay", "--all", "--topic", "dequeue")).out).toBe("replayed: 5\n");
  expect(asked()).toEqual(["POST /api/v3/dead-letters/actions/replay?topic=dequeue"]);
  expect(JSON.parse((await at(answer, "replay", "--all", "--json")).out)).toEqual({ replayed: 5 });
});

test.each([[["replay"]], [["replay", "7", "--all"]], [["replay", "7", "--topic", "t"]], [["get", "0"]]])(
  "%p is refused before anything is asked",
  async (argv) => {
    expect((await at(() => ({ body: {} }), ...argv)).exit).toBe(2);
    expect(asked()).toEqual([]);
  },
);

test("delete says what was", async () => {
  expect((await at(() => ({ body: letter }), "delete", "7")).out).toBe("deleted: 7 dequeue etl\n");
  expect(asked()).toEqual(["DELETE /api/v3/dead-letters/7"]);
});

test("a letter that is not there, and one that can't be replayed, have exit codes of their own", async () => {
  const body = { status: "NOT_FOUND", message: "There is no dead letter [7]" };
  expect((await at(() => ({ status: 404, body }), "replay", "7")).exit).toBe(3);
  const other = { status: "PRECONDITION_FAILED", message: "no", errors: ["restart instance [1] of [etl]"] };
  expect(await at(() => ({ status: 412, body: other }), "replay", "7")).toMatchObject({
    exit: 5,
    err: expect.stringContaining("restart instance [1] of [etl]"),
  });
});
