import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Glob } from "bun";
import type { z } from "zod";
import { alertingSchema } from "../../src/definition/alerting.ts";
import { parsableLongSchema } from "../../src/definition/duration.ts";
import { initiatorSchema } from "../../src/definition/initiator.ts";
import { definitionExtrasSchema, gitInfoSchema, metadataSchema } from "../../src/definition/metadata.ts";
import { paramDefinitionsSchema } from "../../src/definition/parameter.ts";
import { parseWire } from "../../src/definition/parse.ts";
import { propertiesSchema, propertiesUpdateRequestSchema } from "../../src/definition/properties.ts";
import { retryPolicySchema } from "../../src/definition/retry.ts";
import {
  signalDependencyDefinitionSchema,
  signalOutputDefinitionSchema,
  signalTriggerSchema,
} from "../../src/definition/signal.ts";
import { stepSchema } from "../../src/definition/step.ts";
import { tagSchema } from "../../src/definition/tag.ts";
import { artifactSchema, timelineEventSchema } from "../../src/definition/timeline.ts";
import { timeTriggerSchema } from "../../src/definition/trigger.ts";
import { userSchema } from "../../src/definition/user.ts";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import { workflowSchema } from "../../src/definition/workflow.ts";
import { MaestroError } from "../../src/error.ts";
import { type Json, type JsonObject, parseJson, stringifyJson } from "../../src/json.ts";

const dir = resolve(process.env.MAESTRO_COMPAT_DIR ?? resolve(import.meta.dir, "../../../shared/compat"));
const present = existsSync(dir);
if (!present) console.warn(`SKIPPED: definition compatibility tests, since ${dir} is absent (set MAESTRO_COMPAT_DIR)`);

const read = async (path: string): Promise<JsonObject> =>
  parseJson(await Bun.file(`${dir}/${path}`).text()) as JsonObject;
const list = (pattern: string): string[] => (present ? [...new Glob(pattern).scanSync(dir)].sort() : []);

/** Parses, and checks that the canonical form is its own canonical form. */
function settles<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = parseWire(schema, json, "unexpected");
  const text = stringifyJson(parsed);
  expect(stringifyJson(parseWire(schema, parseJson(text), "unexpected"))).toBe(text);
  return parsed;
}

function details(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof MaestroError) return error.details;
    throw error;
  }
  return [];
}

/** Key order and the order of lists put aside: what the goldens' README leaves free. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal).sort((a, b) => (stringifyJson(a) < stringifyJson(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, field]) => [key, normal(field)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const REFUSED_REQUESTS: Readonly<Record<string, RegExp>> = {
  "sample-invalid-wf.json": /^workflow: is required/,
  "sample-invalid-wf-def.json": /^workflow\.name: has 260 characters/,
  "sample-invalid-cron-wf-def.json": /^workflow\.time_triggers\[0\]\.cron: "0 30 \* \* \*" is not a cron schedule/,
  "sample-dag-with-cycle-wf.json": /job\.2 → job\.3 → job\.4 → job\.2/,
};

describe.skipIf(!present)("fixtures", () => {
  test.each(list("{fixtures,samples}/**/*.json"))("%s: its workflow settles in canonical form", async (path) => {
    const json = parseJson(await Bun.file(`${dir}/${path}`).text()) as JsonObject;
    if (typeof json?.workflow === "object") settles(workflowSchema, json.workflow);
    if (typeof json?.properties === "object") settles(propertiesSchema, json.properties);
    if (path.includes("workflows/definition") && json?.properties_snapshot) {
      const { workflow_id: _, ...properties } = json.properties_snapshot as JsonObject;
      settles(propertiesSchema, properties);
    }
  });

  test.each(list("fixtures/workflows/request/*.json"))("%s: is pushed, or refused with the reason", async (path) => {
    const {
      metadata: _,
      is_default: _d,
      activate_time: _t,
      activated_by: _b,
      modify_time: _m,
      ...json
    } = await read(path);
    const refusal = REFUSED_REQUESTS[path.split("/").at(-1) ?? ""];
    const findings = details(() => parseWorkflowCreateRequest(json));
    if (refusal) expect(findings[0]).toMatch(refusal);
    else expect(findings).toEqual([]);
  });

  test("samples are pushed", async () => {
    for (const path of list("samples/**/*.json")) {
      const json = await read(path);
      if (json.workflow) expect([path, ...details(() => parseWorkflowCreateRequest(json))]).toEqual([path]);
    }
  });

  test("users keep the form in which they were given", async () => {
    const fixture = (name: string) => read(`fixtures/workflows/definition/${name}.json`);
    expect(settles(userSchema, await fixture("sample-user-only-name"))).toBe("demo");
    expect(settles(userSchema, await fixture("sample-user-simple"))).toEqual({ name: "demo" });
    expect(Object.keys(settles(userSchema, await fixture("sample-user-nullable")) as object)).toEqual([
      "name",
      "AUTH_BLOB",
    ]);
    expect(settles(userSchema, await fixture("sample-user-nested"))).toEqual(
      (await fixture("sample-user-nested")) as never,
    );
  });

  test("parts of definitions settle", async () => {
    const fixture = (name: string) => read(`fixtures/workflows/definition/${name}.json`);
    expect(settles(tagSchema, await fixture("sample-tag-with-attributes")).creator).toBe("maestro-dev");
    expect(settles(propertiesSchema, await fixture("sample-properties")).run_strategy?.rule).toBe("PARALLEL");
    settles(definitionExtrasSchema, await fixture("sample-workflow-definition-extras"));
    settles(gitInfoSchema, await fixture("sample-valid-git-info"));
    settles(metadataSchema, { ...(await fixture("sample-valid-metadata")), workflow_version_id: 1 });
    expect(details(() => settles(gitInfoSchema, { timestamp1: 5 }))).toEqual([
      'unknown field "timestamp1", did you mean "timestamp"?',
    ]);
    for (const name of ["sample-numbers", "sample-timeouts", "sample-retry-strings"]) {
      for (const value of Object.values(await fixture(name)))
        expect(settles(parsableLongSchema, value)).toEqual(value as never);
    }
  });

  test("params of every type settle", async () => {
    const params = settles(
      paramDefinitionsSchema,
      (await read("fixtures/parameters/sample-wf-params.json")).params ?? {},
    );
    expect(params).toBeDefined();
    const schema = (await read("fixtures/template/sample-template-schema-notebook.json")).params as Json;
    expect(Object.keys(settles(paramDefinitionsSchema, schema))).toContain("titus");
  });

  test("retry policies, triggers, signals, alerting, steps, initiators, artifacts and timelines settle", async () => {
    const each = async (pattern: string, check: (json: JsonObject) => unknown) => {
      for (const path of list(pattern)) check(await read(path));
    };
    await each("fixtures/retry_policy/*.json", (json) => settles(retryPolicySchema, json));
    await each("fixtures/time_triggers/*.json", (json) => settles(timeTriggerSchema, json));
    await each("fixtures/signal_triggers/*.json", (json) => settles(signalTriggerSchema, json));
    await each("fixtures/alerting/workflow_*.json", (json) => settles(alertingSchema, json));
    await each("fixtures/initiator/*.json", (json) => Object.values(json).map((one) => settles(initiatorSchema, one)));
    await each("fixtures/artifact/*-artifact*.json", (json) => settles(artifactSchema, json));
    await each("fixtures/typedsteps/*.json", (json) => {
      const findings = details(() => settles(stepSchema, json));
      const invalid = stringifyJson(json).includes('"signal_dependencies":[{"match_params"');
      expect(findings).toEqual(invalid ? ["step.signal_dependencies[0].name: is required, a text"] : []);
    });
    const rows = async (path: string) => (await read(path)) as unknown as readonly Json[];
    for (const one of await rows("fixtures/timeline/sample-timeline.json")) settles(timelineEventSchema, one);
    for (const path of ["signal/sample-signal-dependencies-definition", "parameters/signal-dependency-params"]) {
      for (const one of await rows(`fixtures/${path}.json`)) settles(signalDependencyDefinitionSchema, one);
    }
    for (const one of await rows("fixtures/parameters/signal-output-params.json"))
      settles(signalOutputDefinitionSchema, one);
    const updates = list("fixtures/api/sample-workflow-properties-update-request*.json");
    for (const path of updates) settles(propertiesUpdateRequestSchema, await read(path));
    expect(updates.length).toBe(2);
  });
});

interface GoldenStep {
  readonly method: string;
  readonly path: string;
  readonly body?: JsonObject;
  readonly expect: { readonly status: number; readonly body?: JsonObject };
}

const golden = async (path: string): Promise<readonly GoldenStep[]> =>
  (
    parseJson((await Bun.file(`${dir}/golden/${path}.json`).text()).replaceAll("{{u}}", "abc")) as unknown as {
      steps: readonly GoldenStep[];
    }
  ).steps;

const isPush = (step: GoldenStep): boolean => step.body?.workflow !== undefined || step.body?.properties !== undefined;

/** What needs the previous version or an evaluation: not this folder's to refuse. */
const elsewhere = (body: JsonObject): boolean => {
  const { properties, workflow } = body as { properties?: JsonObject; workflow: JsonObject };
  const params = stringifyJson(workflow.params ?? {});
  return !properties?.owner || /expression":"(1 \+|y|nosuch \+ 1)"|"owner":|"RUN_TS":/.test(params);
};

describe.skipIf(!present)("goldens", () => {
  test("every refused definition is refused, but for what only evaluation or the store can tell", async () => {
    const steps = [
      ...(await golden("errors/refused-definitions")),
      ...(await golden("definitions/triggers")),
      ...(await golden("definitions/validate")),
    ].filter((step) => isPush(step) && step.expect.status === 400);
    const accepted = steps.filter(({ body }) => details(() => parseWorkflowCreateRequest(body)).length === 0);
    expect(steps.length).toBeGreaterThan(60);
    expect(
      accepted.filter(({ body }) => !elsewhere(body as JsonObject)).map(({ body }) => stringifyJson(body)),
    ).toEqual([]);
    expect(accepted.length).toBe(7);
  });

  test("what upstream accepts comes back in its canonical form", async () => {
    let compared = 0;
    const files = [
      "create-and-read",
      "every-step-kind",
      "triggers",
      "properties",
      "samples",
      "versions-and-activation",
    ];
    for (const file of files) {
      for (const { body, expect: expected } of (await golden(`definitions/${file}`)).filter(isPush)) {
        if (expected.status !== 200) continue;
        const request = parseWorkflowCreateRequest(body);
        const answer = (expected.body?.workflow_definition as JsonObject | undefined)?.workflow;
        if (answer === undefined) continue;
        expect(normal(request.workflow)).toEqual(normal(answer));
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(5);
  });
});
