import { expect, test } from "bun:test";
import type { StepType } from "@maestro/sdk";
import { shell } from "../../plugins/script/shell.ts";
import type { JsonObject } from "../../src/json.ts";
import { StepTypeRegistry } from "../../src/runtime/registry.ts";

const type = shell as unknown as StepType;
const registry = new StepTypeRegistry([
  {
    type: type.type,
    version: type.version,
    title: "Shell",
    schema: type.schema() as JsonObject,
    code: ["script"],
    defaultParams: {},
  },
]);

test("types are found in any case, under their canonical names", () => {
  expect(["noop", "NOOP", "sleep", "SHELL", "http"].map((name) => registry.find(name)?.name)).toEqual([
    "NoOp",
    "NoOp",
    "Sleep",
    "shell",
    "Http",
  ]);
  expect(registry.find("echo")).toBeUndefined();
  expect(registry.names).toEqual(["Http", "Kubernetes", "NoOp", "Notebook", "shell", "Sleep", "Titus"]);
});

test("a type known upstream is unavailable, with the reason, until a plugin brings it", () => {
  expect(registry.find("titus")).toEqual({
    kind: "unavailable",
    name: "Titus",
    reason: "Step type [Titus] has no runtime on this server: load a plugin that provides it",
  });
  const http = { type: "Http", version: "1", title: "Http", schema: {}, code: [], defaultParams: {} };
  expect(new StepTypeRegistry([http]).find("HTTP")?.kind).toBe("plugin");
});

test("a definition's own params are checked as far as it tells", () => {
  const string = (value: string) => ({ type: "STRING", value }) as const;
  expect(registry.check("Shell", { shell: { type: "MAP", value: { script: string("echo hello") } } })).toEqual([]);
  expect(registry.check("shell", { shell: { type: "MAP", expression: "return x;" } })).toEqual([]);
  expect(registry.check("shell", {})).toEqual(["Param [shell.script] is required"]);
  expect(registry.check("shell", { shell: string("echo") })).toEqual(["Param [shell] must be a MAP and is a STRING"]);
  const value = {
    scirpt: string("x"),
    env: { type: "LONG", value: 1 },
    grace_period: { type: "LONG", value: 1 },
    interpreter: { type: "STRING_ARRAY", value: ["sh"] },
  } as const;
  expect(registry.check("shell", { shell: { type: "MAP", value } })).toEqual([
    "Param [shell.script] is required",
    "Param [shell.scirpt] is unknown; known are script, interpreter, env, working_dir, grace_period, limits, keep, detach",
    "Param [shell.env] is a LONG; it must be of JSON type object",
  ]);
  expect(registry.check("NoOp", { anything: string("x") })).toEqual([]);
});
