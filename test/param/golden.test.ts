/** Params of recorded runs, computed here from the recorded definitions. The recordings stay outside the repository. */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from "../../src/json.ts";
import {
  allStepParams,
  allWorkflowParams,
  evaluateWorkflowParams,
  mergeWorkflowParams,
  type ParamDefinitions,
  type Params,
  type WorkflowParams,
} from "../../src/param/index.ts";
import { context, finishedStep, runStep, scope, start } from "./support.ts";

const folder = join(process.env.MAESTRO_COMPAT_DIR ?? join(import.meta.dir, "../../../shared/compat"), "golden");
const here = existsSync(folder);
if (!here) console.warn(`SKIPPED: no recorded conversations at ${folder}; set MAESTRO_COMPAT_DIR`);

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body?: JsonObject;
  readonly expect: { readonly status: number; readonly body: JsonObject };
}

function read(name: string): readonly Exchange[] {
  const text = readFileSync(join(folder, `${name}.json`), "utf8");
  return (parseJson(text) as unknown as { steps: readonly Exchange[] }).steps;
}

const UPPER = new Set(["type", "mode"]);
const META = new Set(["name", "meta", "note"]);

/** Definitions as the definition layer hands them over: enums in upper case, tags as objects. */
function normalise(definitions: Json | undefined): ParamDefinitions {
  const entries = Object.entries((definitions ?? {}) as JsonObject).map(([name, definition]) => {
    const fields = Object.entries(definition as JsonObject).flatMap(([key, value]): [string, Json][] => {
      if (META.has(key)) return [];
      if (UPPER.has(key)) return [[key, String(value).toUpperCase()]];
      if (key === "tags") return [[key, (value as Json[]).map((tag) => (isJsonObject(tag) ? tag : { name: tag }))]];
      const isMap = key === "value" && String((definition as JsonObject).type).toUpperCase() === "MAP";
      return [[key, isMap ? (normalise(value) as unknown as Json) : value]];
    });
    return [name, Object.fromEntries(fields)];
  });
  return Object.fromEntries(entries);
}

/** As recorded: times masked; numbers by value. */
function masked(params: Params): Record<string, unknown> {
  const text = stringifyJson(params).replaceAll(/"evaluated_time":\d+/g, '"evaluated_time":"<ms>"');
  return JSON.parse(text);
}

function bodies(exchanges: readonly Exchange[], method: string, end: string) {
  return exchanges.filter((exchange) => exchange.method === method && exchange.path.endsWith(end));
}

interface Pushed {
  readonly params: Json;
  readonly steps: readonly { readonly step: { readonly params: Json } }[];
}

/** The workflow that a conversation's first request pushes. */
function pushed(exchanges: readonly Exchange[]): Pushed {
  return exchanges[0]?.body?.workflow as unknown as Pushed;
}

describe.if(here)("recorded params", () => {
  test("every type, literal and expression, in a run and in a step", () => {
    const steps = read("params/every-type");
    const workflow = pushed(steps);
    const run = start(normalise(workflow.params));
    const recorded = bodies(steps, "GET", "/runs/1")[0]?.expect.body as { params: Record<string, object> };
    const mine = masked(allWorkflowParams(run));
    for (const [name, param] of Object.entries(recorded.params))
      expect([name, mine[name]]).toMatchObject([name, param]);
    const step = masked(allStepParams(runStep(normalise(workflow.steps[0]?.step.params), scope(run))));
    const attempt = bodies(steps, "GET", "/attempts/latest")[0]?.expect.body as { params: Record<string, object> };
    for (const [name, param] of Object.entries(attempt.params)) {
      if (name !== "maestro_step_satisfied") expect([name, step[name]]).toMatchObject([name, param]);
    }
  });

  test("references between params, runs and steps", () => {
    const steps = read("params/references");
    const workflow = pushed(steps);
    const run = start(normalise(workflow.params));
    const recorded = bodies(steps, "GET", "/runs/1")[0]?.expect.body as { params: object };
    expect(masked(run.params)).toMatchObject(recorded.params);
    const a = runStep(normalise(workflow.steps[0]?.step.params), scope(run));
    const at = scope(run, { a: finishedStep("a", a.params) });
    const b = normalise(workflow.steps[1]?.step.params);
    expect(() => runStep(b, at)).toThrow(/\[m\]/);
    const { m: _, ...rest } = b;
    expect(runStep(rest, at).params).toMatchObject({
      y: { evaluated_result: 50 },
      z: { evaluated_result: "5/4/txt" },
      el: { evaluated_result: 5 },
      cfg: { evaluated_result: { size: 8, env: { A: "4" }, deep: { s: "txt" } } },
    });
  });

  test("each mode against a change at start and at restart", () => {
    const steps = read("params/merge-modes");
    const definition = normalise(pushed(steps).params);
    let run: WorkflowParams | undefined;
    for (const { body, expect: wanted } of bodies(steps, "POST", "/actions/start")) {
      const attempt = () => start(definition, { runParams: normalise(body?.run_params) });
      if (wanted.status === 400) expect(attempt).toThrow();
      else run = attempt();
    }
    const recorded = bodies(steps, "GET", "/runs/1")[0]?.expect.body as { params: object };
    expect(masked(run?.params ?? {})).toEqual(recorded.params as Record<string, unknown>);
    let again: WorkflowParams | undefined;
    for (const { body, expect: wanted } of bodies(steps, "POST", "/actions/restart")) {
      const restart = { previous: run, restartParams: normalise(body?.run_params) };
      const attempt = () => evaluateWorkflowParams(mergeWorkflowParams({ source: "LAUNCH", restart }), context());
      if (wanted.status === 400) expect(attempt).toThrow();
      else again = attempt();
    }
    const second = bodies(steps, "GET", "/runs/2")[0]?.expect.body as { params: object };
    expect(masked(again?.params ?? {})).toEqual(second.params as Record<string, unknown>);
  });

  test("the server's own, of runs and steps", () => {
    const recorded = bodies(read("params/server-defaults"), "GET", "/runs/1")[0]?.expect.body as { params: Params };
    const mine = allWorkflowParams(start({}));
    expect(Object.keys(mine).sort()).toEqual(Object.keys(recorded.params).sort());
    for (const [name, { type, mode, source, tags }] of Object.entries(recorded.params)) {
      expect([name, mine[name]]).toMatchObject([name, { type, mode, source, tags: [...(tags ?? [])] }]);
    }
  });
});
