import { describe, expect, test } from "bun:test";
import { DEFAULT_LIMITS } from "../../src/definition/limit.ts";
import { accepted, type Body, findings, one, refused } from "./harness.ts";

describe("triggers", () => {
  const time = (...triggers: unknown[]): Body => ({ time_triggers: triggers });
  const signal = (trigger: unknown): Body => ({ signal_triggers: [trigger] });
  const cron = { type: "CRON", cron: "0 3 * * *" };
  refused([
    [
      "a text that is no cron",
      time({ type: "CRON", cron: "0 30 * * *" }),
      'workflow.time_triggers[0].cron: "0 30 * * *" is not a cron schedule (Invalid value for hour: 30)',
    ],
    [
      "a zone that does not exist",
      time({ ...cron, timezone: "Mars/Base" }),
      'workflow.time_triggers[0].timezone: "Mars/Base" is not a time zone',
    ],
    ["a day that does not exist", time({ type: "CRON", cron: "0 0 30 2 *" }), "workflow.time_triggers[0]: never fires"],
    [
      "an unknown kind",
      time({ type: "CRONN", cron: "x" }),
      'workflow.time_triggers[0].type: "CRONN" is not one of CRON, PREDEFINED, INTERVAL; did you mean "CRON"?',
    ],
    [
      "an unknown predefined schedule",
      time({ type: "PREDEFINED", expression: "@fortnightly" }),
      'workflow.time_triggers[0].expression: "@fortnightly" is not one of',
    ],
    [
      "a fuzz of zero",
      time({ ...cron, fuzzy_max_delay: 0 }),
      "workflow.time_triggers[0].fuzzy_max_delay: 0 is out of range",
    ],
    [
      "a fuzz with a reference",
      time({ ...cron, fuzzy_max_delay: "${x}" }),
      "workflow.time_triggers[0].fuzzy_max_delay:",
    ],
    [
      "an interval below a second",
      time({ type: "INTERVAL", interval: "500 ms", start: "2026-01-01T00:00:00Z" }),
      "workflow.time_triggers[0]: fires twice within 0.5 seconds",
    ],
    ["no signals", signal({ definitions: {} }), "workflow.signal_triggers[0].definitions: has 0 signals; 1 to 8"],
    [
      "nine signals",
      signal({ definitions: Object.fromEntries([..."abcdefghi"].map((name) => [name, {}])) }),
      "workflow.signal_triggers[0].definitions: has 9 signals",
    ],
    [
      "a bad signal name",
      signal({ definitions: { "a;b": {} } }),
      'workflow.signal_triggers[0].definitions["a;b"]: "a;b" is not a valid name',
    ],
    [
      "join keys of different lengths",
      signal({ definitions: { a: { join_keys: ["x"] }, b: {} } }),
      'workflow.signal_triggers[0].definitions.b.join_keys: has 0 keys, but "a" has 1',
    ],
    [
      "a join key that is matched too",
      signal({ definitions: { a: { match_params: { x: { value: 1, operator: "=" } }, join_keys: ["x"] } } }),
      'workflow.signal_triggers[0].definitions.a.join_keys: "x" is in match_params too',
    ],
    [
      "an unknown operator",
      signal({ definitions: { a: { match_params: { x: { value: 1, operator: "<>" } } } } }),
      'workflow.signal_triggers[0].definitions.a.match_params.x.operator: "<>" is not one of',
    ],
    [
      "a value that is neither text nor integer",
      signal({ definitions: { a: { match_params: { x: { value: true, operator: "=" } } } } }),
      "workflow.signal_triggers[0].definitions.a.match_params.x.value: must be a text or an integer",
    ],
    [
      "a bad param of a trigger",
      signal({ definitions: { a: {} }, params: { x: { type: "LONG" } } }),
      "workflow.signal_triggers[0].params.x: has neither",
    ],
  ]);
  accepted([
    [
      "every second, every minute, an interval",
      time(
        { type: "CRON", cron: "* * * * * ?" },
        { type: "CRON", cron: "* * * * *" },
        { type: "INTERVAL", interval: "3h", start: "2021-03-26 16:00:18.089PST" },
      ),
    ],
    ["a schedule that is over", time({ type: "CRON", cron: "0 0 0 1 1 ? 2020" })],
    ["eight signals", signal({ definitions: Object.fromEntries([..."abcdefgh"].map((name) => [name, {}])) })],
  ]);

  test("the least distance of firings is configurable, and looks beyond the next one", () => {
    const limits = { ...DEFAULT_LIMITS, triggerIntervalMs: 120_000 };
    expect(findings(time({ type: "CRON", cron: "*/2 * * * *" }), limits)).toEqual([]);
    expect(findings(time({ type: "CRON", cron: "0,59 * * * *" }), limits)[0]).toContain(
      "fires twice within 60 seconds; firings must be at least 120 seconds apart",
    );
  });
});

describe("signals of steps", () => {
  const match = (operator: string, type = "LONG"): Body => ({ param: { type, expression: "1" }, operator });
  const waits = (match_params: Body): Body => one({ signal_dependencies: [{ name: "s", match_params }] });
  const at = "workflow.steps[0].step";
  refused([
    ["no dependencies", one({ signal_dependencies: [] }), `${at}.signal_dependencies: must not be empty`],
    ["no outputs", one({ signal_outputs: [] }), `${at}.signal_outputs: must not be empty`],
    ["a dependency without name", one({ signal_dependencies: [{}] }), `${at}.signal_dependencies[0].name: is required`],
    [
      "a dependency with an empty name",
      one({ signal_dependencies: [{ name: "" }] }),
      `${at}.signal_dependencies[0].name: must not be blank`,
    ],
    [
      "two ranges",
      waits({ p: match(">"), q: match("<=") }),
      `${at}.signal_dependencies[0].match_params: has 2 params with a range operator`,
    ],
    [
      "a match of another type",
      waits({ p: match("=", "DOUBLE") }),
      `${at}.signal_dependencies[0].match_params.p.param.type: DOUBLE cannot be matched`,
    ],
    [
      "a match without a value",
      waits({ p: { param: { type: "LONG" }, operator: "=" } }),
      `${at}.signal_dependencies[0].match_params.p.param: has neither`,
    ],
    [
      "an output param of another type",
      one({ signal_outputs: [{ name: "s", params: { p: { type: "BOOLEAN", value: true } } }] }),
      `${at}.signal_outputs[0].params.p.type: BOOLEAN`,
    ],
    [
      "an output with a reserved name",
      one({ signal_outputs: [{ name: "maestro_s" }] }),
      `${at}.signal_outputs[0].name: "maestro_s" must not start`,
    ],
  ]);
  accepted([
    ["one range among equals", waits({ p: match(">"), q: match("="), r: match("=", "STRING") })],
    ["a payload of any type", one({ signal_outputs: [{ name: "a/b", payload: { p: { type: "MAP", value: {} } } }] })],
  ]);
});
