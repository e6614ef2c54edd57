/** Every number of a definition that has a range: its ends pass, and what is outside is refused at its place. */
import { describe, expect, test } from "bun:test";
import { DEFAULT_LIMITS } from "../../src/definition/limit.ts";
import { RANGE, type Range } from "../../src/definition/range.ts";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import { MaestroError } from "../../src/error.ts";
import { parseJson } from "../../src/json.ts";

const step = (body: string): string => `{"id": "w", "steps": [{"step": {"id": "a", "type": "NoOp", ${body}}}]}`;
const workflow = (body: string): string => `{"id": "w", "steps": [{"step": {"id": "a", "type": "NoOp"}}], ${body}}`;
const request = (definition: string, properties = ""): string =>
  `{"workflow": ${definition}, "properties": {"owner": "ann"${properties}}}`;
const noop = `{"step": {"id": "a", "type": "NoOp"}}`;
const loops = `"params": {"loop_params": {"type": "MAP", "value": {"i": {"type": "LONG_ARRAY", "value": [1]}}}}`;
const retry = (field: string) => (value: string) => request(step(`"retry_policy": {"${field}": ${value}}`));
const backoff = (field: string) => (value: string) =>
  request(step(`"retry_policy": {"backoff": {"type": "EXPONENTIAL_BACKOFF", "${field}": ${value}}}`));

interface Field {
  readonly path: string;
  readonly range: Range;
  /** How many of the range's units the field counts in: 1000 for seconds of a range in milliseconds. */
  readonly unit?: number;
  readonly with: (value: string) => string;
}

const POLICY = "workflow.steps[0].step.retry_policy";
const trigger = "workflow.time_triggers[0]";
const FIELDS: readonly Field[] = [
  {
    path: "workflow.timeout",
    range: RANGE.timeout,
    unit: 1000,
    with: (value) => request(workflow(`"timeout": ${value}`)),
  },
  {
    path: "workflow.steps[0].step.timeout",
    range: RANGE.timeout,
    unit: 1000,
    with: (value) => request(step(`"timeout": ${value}`)),
  },
  ...["error", "platform", "timeout"].flatMap((kind): readonly Field[] => [
    { path: `${POLICY}.${kind}_retry_limit`, range: RANGE.retries, with: retry(`${kind}_retry_limit`) },
    {
      path: `${POLICY}.backoff.${kind}_retry_exponent`,
      range: RANGE.exponent,
      with: backoff(`${kind}_retry_exponent`),
    },
    ...[`${kind}_retry_backoff_in_secs`, `${kind}_retry_limit_in_secs`].map((field) => ({
      path: `${POLICY}.backoff.${field}`,
      range: RANGE.backoff,
      unit: 1000,
      with: backoff(field),
    })),
  ]),
  {
    path: `${trigger}.fuzzy_max_delay`,
    range: RANGE.fuzzyDelay,
    with: (value) =>
      request(workflow(`"time_triggers": [{"type": "CRON", "cron": "0 3 * * *", "fuzzy_max_delay": ${value}}]`)),
  },
  {
    path: `${trigger}.interval`,
    range: RANGE.interval,
    unit: 1000,
    with: (value) =>
      request(
        workflow(`"time_triggers": [{"type": "INTERVAL", "interval": ${value}, "start": "2026-01-01T00:00:00Z"}]`),
      ),
  },
  {
    path: "properties.run_strategy.workflow_concurrency",
    range: RANGE.workflowConcurrency,
    with: (value) =>
      request(workflow(`"name": "w"`), `, "run_strategy": {"rule": "PARALLEL", "workflow_concurrency": ${value}}`),
  },
  {
    path: "properties.step_concurrency",
    range: RANGE.stepConcurrency,
    with: (value) => request(workflow(`"name": "w"`), `, "step_concurrency": ${value}`),
  },
  {
    path: "workflow.instance_step_concurrency",
    range: RANGE.instanceStepConcurrency,
    with: (value) => request(workflow(`"instance_step_concurrency": ${value}`)),
  },
  {
    path: "workflow.steps[0].foreach.concurrency",
    range: RANGE.foreachConcurrency,
    with: (value) =>
      request(
        `{"id": "w", "steps": [{"foreach": {"id": "f", ${loops}, "steps": [${noop}], "concurrency": ${value}}}]}`,
      ),
  },
  {
    path: "properties.alerting.tct.completed_by_hour",
    range: RANGE.alertHours,
    with: (value) => request(workflow(`"name": "w"`), `, "alerting": {"tct": {"completed_by_hour": ${value}}}`),
  },
  {
    path: "properties.alerting.tct.duration_minutes",
    range: RANGE.alertMinutes,
    with: (value) => request(workflow(`"name": "w"`), `, "alerting": {"tct": {"duration_minutes": ${value}}}`),
  },
  {
    path: "properties.alerting.tct.completed_by_ts",
    range: RANGE.instant,
    with: (value) => request(workflow(`"name": "w"`), `, "alerting": {"tct": {"completed_by_ts": ${value}}}`),
  },
];

function findings(json: string): readonly string[] {
  try {
    parseWorkflowCreateRequest(parseJson(json), DEFAULT_LIMITS);
    return [];
  } catch (error) {
    if (error instanceof MaestroError) return error.details;
    throw error;
  }
}

describe.each(FIELDS)("$path", ({ path, range, unit = 1, with: write }) => {
  const least = Math.ceil(range.min / unit);
  const most = range.max / unit;

  test("takes both ends of its range", () => {
    expect([findings(write(String(least))), findings(write(String(most)))]).toEqual([[], []]);
  });

  test.each([String(most + 1), "9223372036854775807", "1e300", ...(least > 0 ? [String(least - 1)] : [])])(
    "refuses %s at its place, and names the range",
    (value) => {
      const found = findings(write(value));
      expect(found).toHaveLength(1);
      expect(found[0]).toStartWith(`${path}: `);
      expect(found[0]).toEndWith(`is out of range; it must be ${range.text}`);
    },
  );

  test.each(["-1", "-9223372036854775808", '""', "[]", "true"])("refuses %s at its place", (value) => {
    const found = findings(write(value));
    expect(found).toHaveLength(1);
    expect(found[0]).toStartWith(`${path}: `);
  });
});
