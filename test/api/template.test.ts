import { describe, expect, test } from "bun:test";
import { apiFixture } from "./fixture.ts";

const { call, engine } = await apiFixture();
const BASE = "/api/v3/job-templates";

const request = (definition: object, more: object = {}) => ({
  ...{
    owner: "ann",
    status: "PROD",
    support: "x",
    definition: { step_type: "NoOp", version: "default", ...definition },
  },
  ...more,
});
const put = (definition: object, more: object = {}) => call("POST", BASE, request(definition, more));
const push = (id: string, step: object, workflow: object = {}) =>
  call("POST", "/api/v3/workflows", { properties: { owner: "ann" }, workflow: { id, steps: [step], ...workflow } });

describe("a job template", () => {
  test("is stored, replaced, read, listed and removed, and every node is told", async () => {
    const before = engine.templateChanges;
    const made = await put({ job_type: "one", tags: ["t"] }, { team: { n: 1 } });
    expect(made.body).toMatchObject({
      metadata: { owner: "ann", version_author: "ann", team: { n: 1 } },
      definition: { job_type: "one", tags: [{ name: "t" }] },
    });
    await put({ job_type: "one", description: "newer" });
    await put({ job_type: "one", version: "v2" });
    const read = await call("GET", `${BASE}/one`);
    expect([read.body.definition.description, "tags" in read.body.definition]).toEqual(["newer", false]);
    const list = await call("GET", `${BASE}?version=v2`);
    expect(list.body.map((it: typeof read.body) => it.definition.job_type)).toEqual(["one"]);
    expect((await call("DELETE", `${BASE}/one`)).text).toBe("Removed [2] job template versions for job type: [one]");
    const none = await call("DELETE", `${BASE}/one?version=v2`);
    expect([none.status, none.text]).toEqual([200, "Removed [0] job template versions for job type: [one][v2]"]);
    expect((await call("GET", `${BASE}/one`)).status).toBe(404);
    expect(engine.templateChanges - before).toBe(5);
  });

  test("is read from YAML, in which a text may look like a number", async () => {
    const send = (body: string, type = "application/yaml") =>
      call("POST", `${BASE}/yaml`, body, { "content-type": type });
    const yaml = "owner: ann\nstatus: 1\nsupport: x\ndefinition:\n  job_type: y\n  step_type: noop\n  version: V1.10\n";
    expect((await send(yaml)).body).toMatchObject({
      metadata: { status: "1" },
      definition: { step_type: "NoOp", version: "V1.10" },
    });
    const twice = (await send(`${yaml}  version: v2\n`)).body;
    expect([twice.status, twice.errors[0]]).toEqual(["BAD_REQUEST", expect.stringContaining("line 8")]);
    expect((await send("")).status).toBe(400);
    expect((await send('a: "\\0"')).status).toBe(400);
    expect((await send(yaml, "application/json")).status).toBe(415);
  });

  test("inherits from what may not exist, and not from what inherits from it", async () => {
    expect((await put({ job_type: "a", inherit_from: { b: "default" } })).status).toBe(200);
    expect((await put({ job_type: "b", inherit_from: { c: "default" } })).status).toBe(200);
    const cycle = await put({ job_type: "c", inherit_from: { a: "default" } });
    expect([cycle.status, cycle.body.errors[0]]).toEqual([
      400,
      expect.stringContaining("[b][default] inherits from it"),
    ]);
    expect((await put({ job_type: "c", version: "v2", inherit_from: { a: "default" } })).status).toBe(200);
  });
});

describe("a push", () => {
  const params = { need: { type: "LONG", internal_mode: "REQUIRED" } };
  const typed = (more: object = {}) => ({ step: { id: "s", type: "NoOp", sub_type: "needs", ...more } });

  test("gives a step what its template has, and asks it for what that needs", async () => {
    await put({ job_type: "needs", params });
    const refused = await push("needs1", typed());
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("[need] is a required parameter")]);
    expect((await push("needs1", typed({ params: { need: { type: "LONG", value: 1 } } }))).status).toBe(200);
    await put({ job_type: "needs", version: "v2", params: { need: { type: "LONG", value: 2 } } });
    expect((await push("needs2", typed({ sub_type_version: "v2" }))).status).toBe(200);
    const version = (value: string) => ({ params: { job_template_version: { type: "STRING", value } } });
    expect((await push("needs3", typed(), version("v2"))).status).toBe(200);
    expect((await push("needs4", typed({ sub_type_version: "${v}" }))).status).toBe(200);
  });

  test("takes no template of another type, and no step whose type nobody knows", async () => {
    await put({ job_type: "sleeps", step_type: "Sleep" });
    expect((await push("other", typed({ sub_type: "sleeps" }))).text).toContain("is for steps of type [Sleep]");
    const untyped = (sub_type?: string) => ({ template: { id: "s", sub_type } });
    expect((await push("untyped1", untyped("sleeps"))).status).toBe(200);
    expect((await push("untyped2", untyped("none"))).text).toContain("there is none");
    expect((await push("untyped3", untyped())).text).toContain("the name of the job template");
  });
});
