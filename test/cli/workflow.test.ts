import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

/** Runs against a server that answers like this. */
function at(answer: Answer, argv: readonly string[], options: Parameters<typeof run>[1] = {}) {
  server = fakeServer(answer);
  return run(argv, { ...options, env: { MAESTRO_SERVER: server.url, ...options.env } });
}

const pushed = {
  workflow_definition: { metadata: { workflow_id: "etl", workflow_version_id: 3 }, is_active: true },
};
const DEFINITION = '{"workflow":{"id":"etl","big":9223372036854775807,"steps":[]}}';

test("push sends the file as it is, and says which version it became", async () => {
  const result = await at(() => ({ body: pushed }), ["workflow", "push", "-"], { stdin: DEFINITION });
  expect(result).toEqual({ exit: 0, out: "etl version 3\n", err: "" });
  expect(server?.requests).toMatchObject([{ method: "POST", path: "/api/v3/workflows", user: "ann" }]);
  expect(JSON.stringify(server?.requests[0]?.body)).toBe(DEFINITION);
});

test("push sends a YAML file as the JSON that it stands for, with whole numbers and texts", async () => {
  const params = "{big: {type: LONG, value: 9223372036854775807}, v: {type: STRING, value: 1.10}}";
  const stdin = `workflow:\n  id: 007\n  params: ${params}\n  steps: []\n`;
  expect(await at(() => ({ body: pushed }), ["workflow", "push", "-"], { stdin })).toMatchObject({ exit: 0 });
  expect(JSON.stringify(server?.requests[0]?.body)).toBe(
    '{"workflow":{"id":"007","params":{"big":{"type":"LONG","value":9223372036854775807},' +
      '"v":{"type":"STRING","value":"1.10"}},"steps":[]}}',
  );
});

test("push points at what the server finds in flow style, behind keys with dots and quotes", async () => {
  const stdin = "workflow:\n  params: {'a.b': {type: LONG}, \"c d\": {type: STRING, value: [1, 2]}}\n";
  const errors = [
    'workflow.params["a.b"].type: no',
    'workflow.params["c d"].value[1]: no',
    'workflow.params: unknown field "c d"',
  ];
  const body = { status: "BAD_REQUEST", message: "Invalid", errors };
  const { err } = await at(() => ({ status: 400, body }), ["workflow", "push", "-"], { stdin });
  expect(err.match(/-:\d+:\d+/g)).toEqual(["-:2:26", "-:2:66", "-:2:33"]);
});

test("push warns of references that nothing in the file has, and pushes all the same", async () => {
  const step = { id: "a", type: "NoOp", params: { x: { type: "STRING", value: "$HOME" } } };
  const stdin = JSON.stringify({ workflow: { id: "etl", steps: [{ step }] } });
  const { exit, out, err } = await at(() => ({ body: pushed }), ["workflow", "push", "-"], { stdin });
  expect([exit, out, server?.requests.length]).toEqual([0, "etl version 3\n", 1]);
  expect(err).toContain("-:1:105: workflow.steps[0].step.params.x.value: warning: [HOME] is not found");
});

test("push --json prints the answers, one per file", async () => {
  const { out } = await at(() => ({ body: pushed }), ["workflow", "push", "-", "--json"], { stdin: DEFINITION });
  expect(JSON.parse(out)).toEqual([pushed]);
});

test("what the server finds is shown at its place in the file", async () => {
  const body = {
    status: "BAD_REQUEST",
    message: "Invalid workflow create request",
    errors: ["workflow.id: too short"],
  };
  const { exit, out, err } = await at(() => ({ status: 400, body }), ["workflow", "push", "-"], { stdin: DEFINITION });
  expect([exit, out]).toEqual([1, ""]);
  expect(err).toContain("- was refused: Invalid workflow create request");
  expect(err).toContain("-:1:19: workflow.id: too short");
});

test("a file that can't be read pushes nothing", async () => {
  const { exit, err } = await at(() => ({ body: pushed }), ["workflow", "push", "-"], { stdin: "{" });
  expect([exit, server?.requests.length]).toEqual([1, 0]);
  expect(err).toContain("-:1:2: expected a key");
});

test("get prints the definition with its numbers as they are", async () => {
  const answer: Answer = ({ path }) =>
    path === "/api/v3/workflows/a%2Fb/versions/2" ? { body: '{"n": 9223372036854775807}' } : undefined;
  const { exit, out } = await at(answer, ["workflow", "get", "a/b", "--version", "2"]);
  expect([exit, out]).toEqual([0, '{\n  "n": 9223372036854775807\n}\n']);
});

test.each([
  [404, { status: "NOT_FOUND", message: "no etl" }, 3, "maestro: no etl\n"],
  [401, { status: "UNAUTHORIZED", message: "who?" }, 4, "maestro: who?\n"],
  [409, { status: "CONFLICT", message: "busy" }, 5, "maestro: busy\n"],
  [500, "<html>", 1, "maestro: the server answered 500: <html>\n"],
  [404, { title: "Not Found", detail: "There is no endpoint x." }, 3, "maestro: the server answered 404: There is no"],
  [200, "<html>", 1, "did not answer with JSON: is it a maestro server?"],
] as const)("an answer %i %j exits with %i", async (status, body, exit, err) => {
  const result = await at(() => ({ status, body }), ["workflow", "get", "etl"]);
  expect([result.exit, result.out]).toEqual([exit, ""]);
  expect(result.err).toContain(err);
});

test("a server that can't be reached is said, with what to do", async () => {
  const gone = fakeServer(() => undefined);
  gone.stop();
  const { exit, err } = await run(["workflow", "list", "--server", gone.url]);
  expect(exit).toBe(1);
  expect(err).toContain(`can't reach ${gone.url}`);
  expect(err).toContain("maestro serve");
});

test("--server and --user win over the environment, and a bad URL is a usage error", async () => {
  const env = { MAESTRO_SERVER: "http://nowhere.invalid", MAESTRO_USER: "bob" };
  server = fakeServer(() => ({ body: {} }));
  await run(["workflow", "get", "x", "--server", `${server.url}/`, "--user", "eve"], { env });
  await run(["workflow", "get", "x", "--server", server.url], { env });
  expect(server.requests.map((it) => it.user)).toEqual(["eve", "bob"]);
  expect(await run(["workflow", "get", "x", "--server", "localhost:1"])).toMatchObject({ exit: 2 });
  expect((await run(["workflow", "get", "x"], { env: { MAESTRO_SERVER: "x" } })).err).toContain(
    'MAESTRO_SERVER is "x", and must be a URL',
  );
});

test("pause and resume say what the server says, which is done twice without harm", async () => {
  const timeline_event = { type: "ACTION", message: "Caller [ann] paused workflow [a/b]" };
  const answer: Answer = ({ method, path }) =>
    method === "PUT" && path === "/api/v3/workflows/a%2Fb/actions/pause" ? { body: { timeline_event } } : undefined;
  expect(await at(answer, ["workflow", "pause", "a/b"])).toEqual({
    exit: 0,
    out: "Caller [ann] paused workflow [a/b]\n",
    err: "",
  });
  server?.stop();
  const resumed = { timeline_event: { message: "resumed" }, workflow_version_id: 1 };
  const json = await at(() => ({ body: resumed }), ["workflow", "resume", "etl", "--json"]);
  expect(JSON.parse(json.out)).toEqual(resumed);
  expect(server?.requests).toMatchObject([{ method: "PUT", path: "/api/v3/workflows/etl/actions/resume" }]);
});

test("the list shows which workflows are paused", async () => {
  const paused = { workflow_id: "etl", active_version_id: 3, latest_version_id: 3, owner: "ann", paused: true };
  const { out } = await at(() => ({ body: { elements: [paused] } }), ["workflow", "list"]);
  expect(out).toContain("3 (paused)");
});

const version = (id: number, active: boolean) => ({
  metadata: { workflow_id: "etl", workflow_version_id: id, version_author: { name: "ann" }, create_time: 0 },
  is_active: active,
});

test("versions are a table, and the next page is said on stderr", async () => {
  const body = {
    elements: [version(12, false), version(3, true)],
    page_info: { has_next_page: true, end_cursor: "3" },
  };
  const { exit, out, err } = await at(() => ({ body }), ["workflow", "versions", "etl", "--limit", "2"]);
  expect(server?.requests[0]?.path).toBe("/api/v3/workflows/etl/versions/pagination?first=2");
  expect([exit, err]).toEqual([0, "More: --cursor 3\n"]);
  expect(out).toBe(
    [
      "VERSION  ACTIVE  AUTHOR  CREATED",
      "12       -       ann     1970-01-01 00:00:00Z",
      "3        yes     ann     1970-01-01 00:00:00Z",
      "",
    ].join("\n"),
  );
});

test("list is a table of what is found", async () => {
  const body = {
    elements: [
      { workflow_id: "etl", owner: "ann", active_version_id: 2, latest_version_id: 3 },
      {
        workflow_id: "x",
        owner: { name: "bob" },
        latest_version_id: 1,
        latest_run: { workflow_instance_id: 4, status: "FAILED" },
      },
    ],
    next_cursor: "x",
  };
  const { exit, out, err } = await at(() => ({ body }), ["workflow", "list", "t", "--limit", "2", "--cursor", "a"]);
  expect(server?.requests[0]?.path).toBe("/api/v3/workflows?search=t&limit=2&cursor=a");
  expect([exit, err]).toEqual([0, "More: --cursor x\n"]);
  expect(out.split("\n").map((it) => it.split(/ {2,}/))).toEqual([
    ["WORKFLOW", "ACTIVE", "LATEST", "OWNER", "LATEST RUN"],
    ["etl", "2", "3", "ann", "-"],
    ["x", "-", "1", "bob", "4 FAILED"],
    [""],
  ]);
});

test("versions of what doesn't exist are not found", async () => {
  const body = { elements: [], page_info: {} };
  expect(await at(() => ({ body }), ["workflow", "versions", "etl"])).toMatchObject({ exit: 3, out: "" });
});

const deleted = { type: "LOG", message: "gone" };

test("delete wants a yes", async () => {
  const refused = await at(() => ({ body: deleted }), ["workflow", "delete", "etl"]);
  expect([refused.exit, server?.requests.length]).toEqual([2, 0]);
  const yes = await at(() => ({ body: deleted }), ["workflow", "delete", "etl", "--yes"]);
  expect(yes).toEqual({ exit: 0, out: "gone\n", err: "" });
  expect(server?.requests).toMatchObject([{ method: "DELETE", path: "/api/v3/workflows/etl" }]);
});

test("on a terminal delete asks for the id", async () => {
  const terminal = { in: true, out: true, err: true };
  const argv = ["workflow", "delete", "etl"];
  const no = await at(() => ({ body: deleted }), argv, { terminal, ask: async () => "y" });
  expect([no.exit, server?.requests.length]).toEqual([1, 0]);
  const yes = await at(() => ({ body: deleted }), argv, { terminal, ask: async () => "etl\n" });
  expect([yes.exit, server?.requests.length]).toEqual([0, 1]);
});
