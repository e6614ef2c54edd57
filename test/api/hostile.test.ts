import { describe, expect, test } from "bun:test";
import { apiFixture, definition, noop } from "./fixture.ts";

const { call, send, logged } = await apiFixture();
const BASE = "/api/v3/workflows";

const good = JSON.stringify(definition("good"));
const withId = (id: string): string => JSON.stringify(definition(id));
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const steps = (count: number): string =>
  JSON.stringify(definition("many", ...Array.from({ length: count }, (_, i) => noop(`s${i}`))));

const BODIES: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["blanks", "  \n"],
  ["half an object", '{"workflow": {'],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"text"'],
  ["a number", "1"],
  ["a comment", "{ /* c */ }"],
  ["two values", "{} {}"],
  ["a trailing comma", '{"workflow":{},}'],
  ["steps that are a text", '{"properties":{"owner":"a"},"workflow":{"id":"x","steps":"a"}}'],
  ["steps that are an object", '{"properties":{"owner":"a"},"workflow":{"id":"x","steps":{"a":1}}}'],
  ["a step that is null", '{"properties":{"owner":"a"},"workflow":{"id":"x","steps":[null]}}'],
  ["an id that is a list", '{"properties":{"owner":"a"},"workflow":{"id":["x"],"steps":[]}}'],
  ["an unknown step type", JSON.stringify(definition("x", { step: { id: "a", type: "Gizmo" } }))],
  ["an unknown wrapper", JSON.stringify(definition("x", { gizmo: { id: "a" } }))],
  ["a cycle", JSON.stringify(definition("x", noop("a", { b: "true" }), noop("b", { a: "true" })))],
  ["a step that leads to itself", JSON.stringify(definition("x", noop("a", { a: "true" })))],
  ["a successor that is nowhere", JSON.stringify(definition("x", noop("a", { zz: "true" })))],
  ["a step id twice", JSON.stringify(definition("x", noop("a"), noop("a")))],
  ["1,001 steps", steps(1001)],
  ["an id with a blank", withId("has space")],
  ["an id with a slash", withId("a/b")],
  ["an id with a NUL", withId("a\0b")],
  ["a NUL in a param", good.replace('"steps"', '"params":{"p":{"type":"STRING","value":"\\u0000"}},"steps"')],
  ["half a surrogate pair", good.replace('"steps"', '"description":"\\ud800","steps"')],
  ["a NUL in a key", good.replace('"steps"', '"params":{"p\\u0000":{"type":"LONG","value":1}},"steps"')],
  ["a key that is a prototype", good.replace('"steps"', '"params":{"__proto__":{"type":"LONG","value":1}},"steps"')],
  ["lists nested 100,000 deep", nested(100_000)],
  ["objects nested 400 deep", `${'{"a":'.repeat(400)}1${"}".repeat(400)}`],
  [
    "a definition over 256 KB",
    good.replace('"steps"', `"params":{"p":{"type":"STRING","value":"${"x".repeat(262_144)}"}},"steps"`),
  ],
];

test("a definition whose key stands twice is refused with both places; elsewhere the last one counts", async () => {
  const body = good.replace('"id":"good"', '"id":"good","id":"twice"');
  const at = body.indexOf('"id":"good"') + 1;
  const detail = `workflow.id: line 1, column ${at + 12}: this key stands in line 1, column ${at} too; keep one of them`;
  for (const [method, path] of [
    ["POST", BASE],
    ["PUT", `${BASE}/actions/validate`],
  ] as const) {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.errors]).toEqual([400, [detail]]);
  }
  await call("POST", BASE, good);
  const start = await call(
    "POST",
    `${BASE}/good/versions/latest/actions/start`,
    '{"initiator":{"type":"nobody"},"initiator":{"type":"manual"}}',
  );
  expect(start.status).toBe(200);
});

describe("a push of", () => {
  for (const [name, body] of BODIES) {
    test(`${name} is a bad request that says what is wrong`, async () => {
      const answer = await call("POST", BASE, body);
      expect([answer.status, answer.body.status]).toEqual([400, "BAD_REQUEST"]);
      expect(answer.body.message.length).toBeGreaterThan(10);
      expect(answer.body.errors.length).toBeGreaterThan(0);
      expect(answer.text).not.toMatch(/\bat .*\.ts:\d+/);
    });
  }

  test("bytes that are not UTF-8 is a bad request", async () => {
    const response = await send("POST", BASE, { body: new Uint8Array([0x22, 0xff, 0x22]) as unknown as string });
    expect(response.status).toBe(400);
  });

  test("more than the limit is refused before it is read", async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1_000_000;
        if (sent > 100_000_000) controller.close();
        else controller.enqueue(new Uint8Array(1_000_000).fill(0x20));
      },
    });
    const response = await send("POST", BASE, { body: body as unknown as string });
    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(20_000_000);
    expect(await response.json()).toMatchObject({ type: "about:blank", status: 413 });
  });

  test("what the limits just allow is stored", async () => {
    const params = { p: { type: "STRING", value: '"\\u0000" is fine when it is escaped twice: \\\\u0000' } };
    const { properties, workflow } = definition("fine") as { properties: object; workflow: object };
    expect((await call("POST", BASE, { properties, workflow: { ...workflow, params } })).status).toBe(200);
    expect((await call("POST", BASE, steps(1000))).status).toBe(200);
  });
});

describe("a request", () => {
  test("with another media type is answered with 415, and so is a body without one", async () => {
    const refused = await call("POST", BASE, good, { "content-type": "text/plain" });
    expect(refused.body).toMatchObject({ type: "about:blank", status: 415, instance: BASE });
    const bytes = new TextEncoder().encode(good) as unknown as string;
    expect((await send("POST", BASE, { body: bytes, headers: { "content-type": "" } })).status).toBe(415);
    expect((await call("POST", BASE, good, { "content-type": "application/json; charset=utf-8" })).status).toBe(200);
  });

  test("without a user is refused where something would change, and served where not", async () => {
    const anonymous = { user: "" };
    const answer = await call("POST", BASE, good, anonymous);
    expect([answer.status, answer.body.message]).toEqual([400, "the user name cannot be null"]);
    for (const path of ["good/actions/stop", "good/instances/1/actions/stop", "good/actions/deactivate"]) {
      expect([path, (await call("PUT", `${BASE}/${path}`, undefined, anonymous)).status]).toEqual([path, 400]);
    }
    expect((await call("DELETE", `${BASE}/good`, undefined, anonymous)).status).toBe(400);
    expect((await call("GET", `${BASE}/good/versions/latest`, undefined, anonymous)).status).toBe(200);
  });

  test.each([
    ["UTF-8", Buffer.from("Zoë 李"), "Zoë 李"],
    ["Latin-1", Buffer.from("Zoë", "latin1"), "Zoë"],
  ])("takes a user's name in %s", async (_, bytes, name) => {
    const user = bytes.toString("latin1");
    const { body } = await call("POST", BASE, withId("named"), { user });
    expect(body).toMatchObject({ workflow_definition: { activated_by: name } });
  });

  test("that fits no endpoint is answered with problem details", async () => {
    const patch = await call("PATCH", BASE, "{}");
    expect([patch.status, patch.headers.get("allow")]).toEqual([405, "POST, GET"]);
    expect(patch.body).toMatchObject({ type: "about:blank", title: "Method Not Allowed", instance: BASE });
    expect((await call("GET", `${BASE}/x/versions`)).body).toMatchObject({ status: 404, title: "Not Found" });
    expect((await call("GET", "/api/v3/nothing-here")).status).toBe(404);
    expect((await call("PUT", `${BASE}/x/instances/abc/actions/stop`)).body).toMatchObject({
      type: "about:blank",
      status: 400,
    });
  });

  const IDS: readonly (readonly [string, number])[] = [
    ["%00", 400],
    ["a%00b", 400],
    [`${"x".repeat(600)}`, 400],
    ["%E0%A4%A", 404],
    ["a%2Fb", 404],
    ["%F0%9F%92%A9", 404],
    ["..%2f..%2fetc", 404],
    ["'%3B%20DROP%20TABLE%20run%3B--", 404],
  ];
  for (const [id, status] of IDS) {
    test(`for the workflow ${id.slice(0, 20)} is answered with ${status}`, async () => {
      expect((await call("GET", `${BASE}/${id}/versions/latest`)).status).toBe(status);
    });
  }

  const NUMBERS: readonly (readonly [string, number])[] = [
    ["0", 404],
    ["-1", 404],
    ["1e3", 400],
    ["0x10", 400],
    ["1.5", 400],
    ["9007199254740991", 404],
    ["9007199254740992", 400],
    ["99999999999999999999", 400],
    ["%201", 400],
  ];
  for (const [id, status] of NUMBERS) {
    test(`for the instance ${id} is answered with ${status}`, async () => {
      expect((await call("GET", `${BASE}/good/instances/${id}`)).status).toBe(status);
    });
  }

  test("with odd query values is a bad request", async () => {
    for (const query of ["enriched=maybe", "aggregated=2", "wait=-1", "wait=x"]) {
      expect([query, (await call("GET", `${BASE}/good/instances/1/runs/1?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await call("GET", `${BASE}?search=%00`)).status).toBe(400);
  });

  test("never ends in an error of ours", () => expect(logged).toEqual([]));
});
