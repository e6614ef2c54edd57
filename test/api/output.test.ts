import { beforeEach, describe, expect, test } from "bun:test";
import { issueToken } from "../../src/runtime/token.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, FakeEngine } from "./fixture.ts";

const { call, engine, logged, read, write } = await apiFixture();
const PATH = "/api/v3/output-data";
const uuid = "0b8a5b0e-4f1c-4c5e-9a51-5f1e6a3f9d10";
const tokenOf = (runKey: number) => issueToken(FakeEngine.key, { groupId: 3, runKey, uuid });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const put = (body: unknown, token = tokenOf(1)) => call("PUT", PATH, body, bearer(token));

async function running() {
  await call("POST", "/api/v3/workflows", definition("etl"));
  await call("POST", "/api/v3/workflows/etl/versions/latest/actions/start", { initiator: { type: "manual" } });
  return read("etl");
}

beforeEach(() => {
  engine.reports.length = 0;
  engine.reportAnswer = "stored";
});

describe("a job's report", () => {
  const outputs = { params: { rows: { type: "LONG", value: 12 } }, artifacts: { mine: { a: 1 } } };

  test("goes to the owner of its step, and is answered once that has stored it", async () => {
    const extra = { external_job_type: "SHELL", external_job_id: "j", created_time: 1, more: true };
    const answer = await put({ ...outputs, workflow_id: "etl", ...extra });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    const reported = {
      params: { rows: { type: "LONG" as const, evaluated_result: 12 } },
      artifacts: { mine: { a: 1 } },
    };
    expect(engine.reports).toEqual([{ groupId: 3, uuid, workflowId: "etl", reported }]);
  });

  test("without a token is refused with 401", async () => {
    for (const headers of [{}, { authorization: "" }, { authorization: `Basic ${tokenOf(1)}` }]) {
      const { status, body } = await call("PUT", PATH, outputs, headers);
      expect([status, body.status]).toEqual([401, "UNAUTHORIZED"]);
    }
    expect(engine.reports).toEqual([]);
  });

  test("with a token of somebody else is refused with 403, and the token is told to nobody", async () => {
    const foreign = issueToken("another key", { groupId: 3, runKey: 1, uuid });
    for (const token of [foreign, "x", tokenOf(1).replace(".1.", ".2.")]) {
      const { status, text } = await put(outputs, token);
      expect(status).toBe(403);
      expect(text).not.toContain(token.slice(-43));
    }
    expect(engine.reports).toEqual([]);
    engine.reportAnswer = "foreign";
    expect((await put({ ...outputs, workflow_id: "other" })).body.message).toContain("[other]");
    expect(logged.join("")).not.toContain("mst1_");
  });

  test("is refused with 409 when its job has ended", async () => {
    engine.reportAnswer = "late";
    const { status, body } = await put(outputs);
    expect([status, body.message]).toEqual([409, expect.stringContaining(uuid)]);
  });

  test("that no owner takes is refused for good when the attempt has ended, and else may be sent again", async () => {
    const run = await running();
    engine.reportAnswer = "unknown";
    await write(run, [attempt("a", 1, { uuid, status: "RUNNING" })]);
    const busy = await put(outputs, tokenOf(run.key));
    expect([busy.status, busy.body.retryable]).toEqual([503, true]);
    expect(engine.reports.length).toBeGreaterThan(1);
    await write(run, [attempt("a", 1, { uuid, status: "USER_FAILED" })]);
    expect((await put(outputs, tokenOf(run.key))).status).toBe(409);
    expect((await put(outputs, tokenOf(run.key + 1000))).status).toBe(409);
  });

  test.each([
    [{}, "no outputs"],
    [{ params: [] }, "params"],
    [{ params: { rows: null } }, "rows"],
    [{ params: { rows: { type: "LONG", value: "many" } } }, "Output [rows] is declared LONG"],
    [{ artifacts: { maestro_while: {} } }, "maestro_while"],
    ['{"params":{"a":"\\u0000"}}', "params.a"],
  ])("%j is refused, and says where it is wrong", async (body, where) => {
    const answer = await put(body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(where);
    expect(engine.reports).toEqual([]);
  });
});
