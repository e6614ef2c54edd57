import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, argv: readonly string[], stdin?: string) {
  server = fakeServer(answer);
  return run(argv, { env: { MAESTRO_SERVER: server.url }, ...(stdin !== undefined && { stdin }) });
}

const definition = { job_type: "nap", step_type: "Sleep", version: "v1", description: "Short" };
const template = { metadata: { owner: "ann", status: "PROD" }, definition };

test("template push sends YAML as JSON, with texts where the template has texts", async () => {
  const yaml = "owner: ann\nstatus: PROD\nsupport: x\ndefinition: {job_type: nap, step_type: Sleep, version: 1.10}\n";
  const result = await at(() => ({ body: template }), ["template", "push", "-"], yaml);
  expect(result).toEqual({ exit: 0, out: "nap version v1\n", err: "" });
  expect(server?.requests).toMatchObject([
    { method: "POST", path: "/api/v3/job-templates", body: { definition: { job_type: "nap", version: "1.10" } } },
  ]);
});

test("template push shows findings at their places", async () => {
  const refused = () => ({
    status: 400,
    body: { status: "BAD_REQUEST", message: "no", errors: ["definition.version: is wrong"] },
  });
  const result = await at(refused, ["template", "push", "-"], "definition:\n  version: 1bad\n");
  expect(result.exit).not.toBe(0);
  expect(result.err).toContain("2:");
});

test("template list and get ask for a version", async () => {
  const pages = (path: string) => ({ body: path.includes("cursor=nap") ? [] : [template] });
  const list = await at(({ path }) => pages(path), ["template", "list", "--version", "v1"]);
  expect(list.out).toMatch(/^nap +v1 +Sleep +PROD +Short/m);
  expect(server?.requests).toMatchObject([
    { path: "/api/v3/job-templates?version=v1" },
    { path: "/api/v3/job-templates?version=v1&cursor=nap" },
  ]);
  server?.stop();
  const get = await at(() => ({ body: template }), ["template", "get", "nap"]);
  expect(JSON.parse(get.out)).toEqual(template);
  expect(server?.requests).toMatchObject([{ path: "/api/v3/job-templates/nap" }]);
});

test("template rm removes one version, and says when there is none", async () => {
  const removed = await at(() => ({ body: "Removed [1] job template versions" }), ["template", "rm", "nap"]);
  expect(removed).toEqual({ exit: 0, out: "nap version default: removed\n", err: "" });
  expect(server?.requests).toMatchObject([{ method: "DELETE", path: "/api/v3/job-templates/nap?version=default" }]);
  server?.stop();
  const none = await at(() => ({ body: "Removed [0] job template versions" }), ["template", "rm", "nap"]);
  expect([none.exit, none.out]).toEqual([3, ""]);
  server?.stop();
  expect((await at(() => ({ body: "<html>" }), ["template", "rm", "nap"])).err).toContain("is it one?");
});
