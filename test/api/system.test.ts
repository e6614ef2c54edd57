import { describe, expect, test } from "bun:test";
import { apiFixture, definition } from "./fixture.ts";

const { call, send } = await apiFixture();

describe("the server about itself", () => {
  test("is alive, ready, and knows its version", async () => {
    expect((await call("GET", "/livez")).body).toEqual({ status: "ok" });
    expect((await call("GET", "/readyz")).body).toEqual({ status: "ok" });
    expect((await call("GET", "/version")).body).toEqual({ version: "1.2.3" });
  });

  test("counts its requests by operation", async () => {
    await call("POST", "/api/v3/workflows", definition("counted"));
    const { text, headers } = await call("GET", "/metrics");
    expect(headers.get("content-type")).toContain("text/plain");
    expect(text).toMatch(/maestro_http_request_seconds_count\{operation="createWorkflow",status="200"\} \d/);
  });

  test("counts its answers by status, once each, those to what fits no endpoint or fails too", async () => {
    const counted = async () => {
      const { text } = await call("GET", "/metrics");
      const lines = [...text.matchAll(/maestro_http_responses_total\{status="(\d+)"\} (\d+)/g)];
      return new Map(lines.map(([, status, count]) => [Number(status), Number(count)]));
    };
    const before = await counted();
    await call("GET", "/nowhere");
    await call("POST", "/livez");
    await call("GET", "/api/v3/runs?limit=x");
    const after = await counted();
    const more = [...after].map(([status, count]) => [status, count - (before.get(status) ?? 0)]);
    expect(more.filter(([, count]) => count !== 0).sort()).toEqual([
      [200, 1], // for the first look
      [400, 1],
      [404, 1],
      [405, 1],
    ]);
  });

  test("answers HEAD as GET, without the body", async () => {
    const head = await send("HEAD", "/version");
    expect([head.status, await head.text(), head.headers.get("content-type")]).toEqual([200, "", "application/json"]);
    expect((await send("HEAD", "/nowhere")).status).toBe(404);
  });

  test("tells what may be done in which status, though an instance could be named alike", async () => {
    expect((await call("GET", "/api/v3/workflows/instances/action-map")).body.FAILED).toEqual(["RESTART", "UNBLOCK"]);
    const steps = (await call("GET", "/api/v3/workflows/steps/instances/action-map")).body;
    expect(steps.UNSATISFIED).toEqual(["RESTART"]);
    expect(steps.NOT_CREATED).toBeUndefined();
  });

  test("lists step types", async () => {
    const { body } = await call("GET", "/api/v3/step-types");
    expect(body).toContainEqual({ type: "shell", runnable: true, schema: { type: "object" } });
  });

  test("serves its reference without anything from elsewhere", async () => {
    const { text, headers } = await call("GET", "/docs");
    expect(headers.get("content-type")).toContain("text/html");
    expect(text).toContain('id="startRun"');
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});
