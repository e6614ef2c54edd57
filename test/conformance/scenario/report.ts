/**
 * What a job reports while it runs: scenarios that need the step type `shell`. The job is a program of Bun's own, which
 * a server on this machine finds where these scenarios have it.
 */
import { expect } from "bun:test";
import { send } from "../kit/client.ts";
import { having, long, map, noop, retried, shell, text, to, when } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

const once = retried({ error: 0, platform: 0, timeout: 0 }, 1);
const often = retried({ error: 3, platform: 3, timeout: 3 }, 1);

/** A program that sends these, one after the other, prints the statuses, and then does this. It has no dollar in it. */
const reports = (id: string, bodies: readonly object[], after: string, ...parts: Parameters<typeof noop>[1][]) => {
  const script = [
    "const { MAESTRO_API_URL: url, MAESTRO_STEP_TOKEN: token } = process.env;",
    `for (const body of ${JSON.stringify(bodies)}) {`,
    '  const headers = { authorization: "Bearer " + token, "content-type": "application/json" };',
    '  const answer = await fetch(url + "/api/v3/output-data", { method: "PUT", headers, body: JSON.stringify(body) });',
    "  console.log(answer.status, await answer.text());",
    "}",
    after,
  ].join("\n");
  const params = having({ shell: map({ script: text(script), interpreter: text(process.execPath) }) });
  return shell(id, script, params, ...parts);
};
const rows = (value: number) => ({ params: { rows: { type: "LONG", value, evaluated_result: value } } });

export const REPORT = {
  "report: what a job reports changes the step's params, which conditions and later steps read": async () => {
    const steps = [
      reports("a", [rows(4), rows(5)], "", having({ rows: long(0) }), when({ b: "rows == 5", c: "rows != 5" })),
      noop("b", having({ seen: text("${a__rows}") })),
      noop("c"),
    ];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    const { rows: output } = (await run.step("a").read()).params;
    expect([output?.evaluated_result, output?.source]).toEqual([5, "OUTPUT_PARAMETER"]);
    expect(await run.step("b").value("seen")).toBe("5");
    expect(await run.statuses()).toMatchObject({ b: "SUCCEEDED", c: "UNSATISFIED" });
  },

  "report: what a job puts out at its end counts over what it has reported": async () => {
    const file = "await Bun.write(process.env.MAESTRO_OUTPUT, JSON.stringify({ rows: 6 }));";
    const both = { params: { rows: { type: "LONG", value: 5 }, day: { type: "STRING", value: "monday" } } };
    const step = reports("a", [both], file, having({ rows: long(0), day: text("none") }));
    const run = await (await given([step])).start();
    await run.ends("SUCCEEDED");
    expect([await run.step("a").value("rows"), await run.step("a").value("day")]).toEqual([6, "monday"]);
  },

  "report: of a name that the step does not declare, it fails the step": async () => {
    const run = await (await given([reports("a", [rows(5)], "", once)])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED" });
  },

  "report: one that says so ends the retries": async () => {
    const artifacts = { maestro_retry: { type: "RETRY", retryable: false } };
    const run = await (await given([reports("a", [{ artifacts }], "process.exit(1);", often)])).start();
    await run.ends("FAILED");
    const { step_attempt_id, runtime_state } = await run.step("a").read();
    expect([step_attempt_id, runtime_state.status]).toEqual([1, "FATALLY_FAILED"]);
  },

  "report: signals that a job names are shown with the step": async () => {
    const value = { name: text("demo/table"), day: long(20260301) };
    const signal_outputs = [{ type: "MAP", value, evaluated_result: { name: "demo/table", day: 20260301 } }];
    const artifacts = { maestro_dynamic_output: { type: "DYNAMIC_OUTPUT", signal_outputs } };
    const run = await (await given([reports("a", [{ artifacts }], "", to("b")), noop("b")])).start();
    await run.ends("SUCCEEDED");
    const outputs = [{ name: "demo/table", params: { day: 20260301 } }];
    expect((await run.step("a").read()).signal_outputs).toMatchObject({ outputs });
  },

  "report: without the attempt's token, or with another, it is refused, and so is what can't be read": async () => {
    const bad = { params: { rows: { type: "LONG", value: "many" } } };
    const step = reports("a", [bad, { ...rows(1), workflow_id: "another" }, {}], "", having({ rows: long(0) }));
    const run = await (await given([step])).start();
    await run.ends("SUCCEEDED");
    const { text: log } = await send("GET", `${run.step("a").attemptPath(1)}/logs`);
    expect(log.match(/^\d{3}(?= )/gm)).toEqual(["400", "403", "400"]);
    expect(await run.step("a").value("rows")).toBe(0);
    const headers = { authorization: "Bearer mst1_1.1.0b8a5b0e-4f1c-4c5e-9a51-5f1e6a3f9d10.x" };
    expect((await send("PUT", "/output-data", rows(1))).status).toBe(401);
    expect((await send("PUT", "/output-data", rows(1), headers)).status).toBe(403);
  },
};
