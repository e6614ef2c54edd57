import { expect, test } from "bun:test";
import { z } from "zod";
import { initiatorSchema, isInline, isUpstream } from "../../src/definition/initiator.ts";
import { workflowCreateRequestSchema, workflowDefinitionSchema } from "../../src/definition/metadata.ts";
import { paramDefinitionSchema, parameterSchema } from "../../src/definition/parameter.ts";
import { parseWire } from "../../src/definition/parse.ts";
import { allSteps, nestedSteps, type Step, stepIdOf, stepOf, stepSchema } from "../../src/definition/step.ts";
import { tagSchema } from "../../src/definition/tag.ts";
import { timelineEventSchema } from "../../src/definition/timeline.ts";
import { nameOf, userSchema } from "../../src/definition/user.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";

test.each([
  ['{"type":"string","value":12}', '{"value":"12","type":"STRING"}'],
  ['{"type":"LONG","value":"12","mode":"mutable_on_start"}', '{"value":12,"type":"LONG","mode":"MUTABLE_ON_START"}'],
  ['{"type":"LONG","value":9007199254740993}', '{"value":9007199254740993,"type":"LONG"}'],
  ['{"type":"double_array","value":[1.10,2,"3.5"]}', '{"value":[1.10,2,3.5],"type":"DOUBLE_ARRAY"}'],
  ['{"type":"BOOLEAN","value":"true","tags":["t"]}', '{"value":true,"type":"BOOLEAN","tags":[{"name":"t"}]}'],
  ['{"type":"STRING_MAP","value":{"b":1,"a":"x"}}', '{"value":{"b":"1","a":"x"},"type":"STRING_MAP"}'],
  [
    '{"type":"MAP","value":{"z":{"type":"long","expression":"1"}}}',
    '{"value":{"z":{"expression":"1","type":"LONG"}},"type":"MAP"}',
  ],
  ['{"why":1.0,"type":"LONG","expression":"1","name":"n"}', '{"expression":"1","type":"LONG","why":1.0,"name":"n"}'],
  [
    '{"type":"LONG","value":1,"source":"launch","internal_mode":"reserved"}',
    '{"value":1,"type":"LONG","source":"LAUNCH","internal_mode":"RESERVED"}',
  ],
  ['{"meta":{"a":1,"type":"x"},"type":"LONG","value":1}', '{"value":1,"type":"LONG","a":1}'],
  ['{"type":"BOOLEAN","value":false,"expression":null}', '{"value":false,"type":"BOOLEAN"}'],
])("the param %s is written %s", (json, expected) => {
  const once = stringifyJson(parseWire(paramDefinitionSchema, parseJson(json), "refused"));
  expect(once).toBe(expected);
  expect(stringifyJson(parseWire(paramDefinitionSchema, parseJson(once), "refused"))).toBe(once);
});

test("a param of a run has its evaluation before the meta keys", () => {
  const json = {
    source: "DEFINITION",
    evaluated_time: 5,
    evaluated_result: { a: [1] },
    type: "MAP",
    value: {},
    mode: "MUTABLE",
  };
  expect(Object.keys(parseWire(parameterSchema, json, "refused"))).toEqual([
    "value",
    "type",
    "mode",
    "evaluated_result",
    "evaluated_time",
    "source",
  ]);
});

test("a step without its wrapper tells its kind", () => {
  const json = {
    foreach: {
      id: "f",
      steps: [
        { while: { id: "w", condition: "true", steps: [{ step: { id: "x", type: "HTTP" } }] } },
        { template: { id: "t" } },
      ],
    },
  };
  const step: Step = parseWire(stepSchema, json, "refused");
  const kinds = [...allSteps([step])].map((one) => `${stepOf(one).kind} ${stepIdOf(one)}`);
  expect(kinds).toEqual(["foreach f", "while w", "step x", "template t"]);
  expect(nestedSteps(step).length).toBe(2);
  const sub = parseWire(stepSchema, { subworkflow: { id: "s" } }, "refused");
  expect(stepOf(sub)).toEqual({ kind: "subworkflow", body: { id: "s", transition: {} } });
});

test("tags and users keep their attributes", () => {
  expect(parseWire(tagSchema, { name: 5, namespace: "platform", a: null, permit: 9, b: [] }, "refused")).toEqual({
    name: "5",
    namespace: "PLATFORM",
    b: [],
  });
  expect(() => parseWire(tagSchema, { namespace: "PLATFORM" }, "refused")).toThrow("refused");
  expect(nameOf(parseWire(userSchema, "ann", "refused"))).toBe("ann");
  expect(nameOf(parseWire(userSchema, { name: "ann", x: 1 }, "refused"))).toBe("ann");
  for (const bad of [5, true, [], {}, { name: 5 }])
    expect(() => parseWire(userSchema, bad, "refused")).toThrow("refused");
});

test("initiators: depth is the number of ancestors, and the kinds tell what they are", () => {
  const hop = { workflow_id: "w", instance_id: 1, run_id: 1, step_id: "s", step_attempt_id: 1 };
  const child = parseWire(initiatorSchema, { type: "foreach", ancestors: [hop, hop], depth: 9 }, "refused");
  expect([child.type, child.depth, isUpstream(child), isInline(child)]).toEqual(["FOREACH", 2, true, true]);
  const manual = parseWire(initiatorSchema, { type: "manual", user: "ann" }, "refused");
  expect([stringifyJson(manual), isUpstream(manual), isInline(manual)]).toEqual([
    '{"depth":0,"user":"ann","type":"MANUAL"}',
    false,
    false,
  ]);
  expect(isInline(parseWire(initiatorSchema, { type: "SUBWORKFLOW", ancestors: [hop] }, "refused"))).toBe(false);
});

test("timeline events refuse what their type does not have", () => {
  const log = { timestamp: 5, type: "log", level: "INFO", message: "m" };
  expect(parseWire(timelineEventSchema, log, "refused")).toEqual({
    timestamp: 5,
    type: "LOG",
    level: "INFO",
    message: "m",
  });
  expect(() => parseWire(timelineEventSchema, { ...log, action: "x" }, "refused")).toThrow("refused");
});

test("the schemas describe themselves, by name, for requests and for answers", () => {
  const request = z.toJSONSchema(workflowCreateRequestSchema, { io: "input" });
  const answer = z.toJSONSchema(workflowDefinitionSchema);
  const names = [
    "Workflow",
    "StepDefinition",
    "TypedStep",
    "ForeachStep",
    "ParamDefinition",
    "RetryPolicy",
    "TimeTrigger",
    "Tag",
    "User",
  ];
  for (const document of [request, answer])
    expect(Object.keys(document.$defs ?? {})).toEqual(expect.arrayContaining(names));
  expect(answer.$defs?.Workflow?.required).toEqual(["id", "steps"]);
  expect(answer.$defs?.StepDefinition).toMatchObject({
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  });
});
