/** Numbers out of their ranges that only a run can find, through a whole server: the step's timeline names the range. */
import { beforeAll, expect, test } from "bun:test";
import { RANGE } from "../../src/definition/range.ts";
import { type Json, parseJson, stringifyJson } from "../../src/json.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

let server: Served;
beforeAll(async () => {
  server = await served();
}, PATIENCE);

/** Runs a workflow of that one step, whose run param `given` is the LONG. @returns the step's last attempt */
async function attempt(step: object, given: string): Promise<Json> {
  const definition = {
    properties: { owner: "ann" },
    workflow: {
      id: "w",
      params: { given: { type: "LONG", value: 1 } },
      steps: [{ step: { id: "a", ...step } }],
    },
  };
  await server.send("POST", "", definition);
  const run = await server.run("w", read(`{"given": {"type": "LONG", "value": ${given}}}`));
  return parseJson(await server.send("GET", `${run}/steps/a/attempts/latest`));
}

const status = (found: Json): Json | undefined => at(found, "runtime_state", "status");
const timeline = (found: Json): string => stringifyJson(at(found, "timeline") ?? null);

const sleep = { type: "Sleep", params: { sleep_seconds: { type: "LONG", expression: "given" } } };

test.each(["10368001", "1795708700000000001", "9223372036854775807"])("a Sleep of %s seconds fails", async (given) => {
  const found = await attempt(sleep, given);
  expect(status(found)).toBe("INTERNALLY_FAILED");
  expect(timeline(found)).toContain(`[sleep_seconds]: ${given} is out of range; it must be ${RANGE.sleep.text}`);
});

test("a Sleep until an instant that has passed is over at once", async () => {
  expect(status(await attempt(sleep, "-9223372036854775808"))).toBe("SUCCEEDED");
});

const noWait = { sleep_seconds: { type: "LONG", value: 0 } };

test.each(["0", "-5", "10368001", "9223372036854775807"])("a step's timeout of %s seconds fails it", async (given) => {
  const found = await attempt({ type: "Sleep", params: noWait, timeout: "$" + "{given}" }, given);
  expect(status(found)).toBe("INTERNALLY_FAILED");
  expect(timeline(found)).toContain("timeout of step [a]: ");
  expect(timeline(found)).toContain(given === "-5" ? "not a duration" : `it must be ${RANGE.timeout.text}`);
});

test.each([
  [{ error_retry_limit: "$" + "{given}" }, "100", RANGE.retries],
  [{ platform_retry_limit: "$" + "{given}" }, "9223372036854775807", RANGE.retries],
  [
    { backoff: { type: "EXPONENTIAL_BACKOFF", error_retry_backoff_in_secs: "$" + "{given}" } },
    "9223372036854775807",
    RANGE.backoff,
  ],
  [{ backoff: { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: "$" + "{given}" } }, "0", RANGE.backoff],
])("a retry policy of %j with %s says in the timeline why the default applies", async (policy, given, range) => {
  const found = await attempt({ type: "Sleep", params: noWait, retry_policy: policy }, given);
  expect(status(found)).toBe("SUCCEEDED");
  expect(timeline(found)).toContain("The retry policy cannot be used, so the default one applies");
  expect(timeline(found)).toContain(`it must be ${range.text}`);
  expect(timeline(found)).toContain('"WARN"');
  expect(at(found, "step_retry", "error_retry_limit")).toBe(2);
});

test("a shell step's grace period out of range fails it", async () => {
  const script = { type: "STRING", value: "true" };
  const shell = { type: "MAP", value: { script, grace_period: { type: "LONG", expression: "given" } } };
  const found = await attempt({ type: "shell", params: { shell } }, "86401");
  expect(status(found)).toBe("FATALLY_FAILED");
  expect(timeline(found)).toContain("[shell.grace_period]: must be a number of seconds from 0 to 86400");
});
