import { expect, test } from "bun:test";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../src/definition/limit.ts";
import { metadataOf } from "../../src/definition/metadata.ts";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import { MaestroError } from "../../src/error.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";

const minimal = { id: "w", steps: [{ step: { id: "a", type: "noop" } }] };

function refusal(json: unknown, limits = DEFAULT_LIMITS): MaestroError {
  try {
    parseWorkflowCreateRequest(json, limits);
  } catch (error) {
    if (error instanceof MaestroError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

test("a request comes back in canonical form: enums, tags, types, an empty transition, is_active", () => {
  const request = parseWorkflowCreateRequest(
    parseJson(`{
      "ticket": "ABC-1", "big": 12345678901234567890, "none": null,
      "properties": {"owner": {"name": "ann", "team": null}, "run_strategy": "last_only", "tags": []},
      "workflow": {
        "steps": [
          {"step": {"type": "NOOP", "failure_mode": "ignore_failure", "id": "a", "timeout": null,
                    "transition": {"predecessors": [], "successors": {"b": "true"}}}},
          {"subworkflow": {"id": "b", "type": "SUBWORKFLOW",
                           "params": {"subworkflow_id": {"value": "x", "type": "string", "mode": "constant"}}}}
        ],
        "params": {"d": {"name": "n", "type": "double", "value": 1.10, "meta": {"k": 1.0}}, "l": {"type": "LONG", "value": 9223372036854775807}},
        "tags": ["t", {"k": "v", "name": "u", "permit": 3, "attributes": {"z": 1}}],
        "id": "w", "criticality": "high"
      }}`),
  );
  expect(stringifyJson(request)).toBe(
    stringifyJson(
      parseJson(`{
      "properties": {"owner": {"name": "ann"}, "run_strategy": {"rule": "LAST_ONLY", "workflow_concurrency": 1}, "tags": []},
      "workflow": {
        "id": "w",
        "tags": [{"name": "t"}, {"name": "u", "z": 1, "k": "v"}],
        "criticality": "HIGH",
        "params": {"d": {"value": 1.10, "type": "DOUBLE", "k": 1.0, "name": "n"}, "l": {"value": 9223372036854775807, "type": "LONG"}},
        "steps": [
          {"step": {"id": "a", "transition": {"successors": {"b": "true"}}, "type": "NoOp", "failure_mode": "IGNORE_FAILURE"}},
          {"subworkflow": {"id": "b", "transition": {}, "params": {"subworkflow_id": {"value": "x", "type": "STRING", "mode": "CONSTANT"}}}}
        ]
      },
      "is_active": true, "ticket": "ABC-1", "big": 12345678901234567890}`),
    ),
  );
});

test("every finding is told at once, each with its place", () => {
  const error = refusal({
    properties: { owner: 5, step_concurency: 3 },
    workflow: {
      id: 7,
      steps: [{ step: { type: "NoOp" } }, { step: { id: "b" } }],
      params: { x: { type: "LONG", value: {} } },
    },
    is_active: "maybe",
  });
  expect([error.code, error.message]).toEqual(["BAD_REQUEST", "Invalid workflow create request"]);
  expect(error.details).toEqual([
    'properties.owner: must be a text, or an object with the text "name"',
    'properties: unknown field "step_concurency", did you mean "step_concurrency"?',
    "workflow.params.x.value: an object is not an integer from -9223372036854775808 to 9223372036854775807",
    "workflow.steps[0].step.id: is required, a text",
    "workflow.steps[1].step.type: is required, a text",
    'is_active: "maybe" is not true or false',
  ]);
});

test("rules are told at once, too", () => {
  const steps = [{ step: { id: "1", type: "NoOp", timeout: 0 } }];
  expect(refusal({ workflow: { id: "a b", steps, tags: [" "] } }).details.length).toBe(4);
});

test.each([
  [null, "null is not an object"],
  [[], "a list is not an object"],
  ["text", '"text" is not an object'],
  [{}, "workflow: is required, an object"],
  [{ workflow: 1 }, "workflow: 1 is not an object"],
  [{ workflow: minimal, create_time: 1 }, "create_time: is set by the server; leave it out"],
  [{ workflow: minimal, git_info: { shaa: "x" } }, 'git_info: unknown field "shaa", did you mean "sha"?'],
  [{ workflow: minimal, properties: { tags: ["x"] } }, "properties.tags: dynamic tags are not set by a push"],
  [
    { workflow: minimal, properties: { access_control: {} } },
    "properties.access_control: access control is not supported",
  ],
  [
    { workflow: minimal, properties: { description: "x".repeat(16_385) } },
    "properties.description: has 16385 characters",
  ],
])("%j is refused", (json, finding) => {
  expect(refusal(json).details[0]).toStartWith(finding);
});

test("the size of a request is limited, in bytes of its canonical form", () => {
  const request = (text: string) => ({ workflow: minimal, note: text });
  const rest = stringifyJson(parseWorkflowCreateRequest(request(""))).length;
  parseWorkflowCreateRequest(request("x".repeat(262_144 - rest)));
  expect(refusal(request("x".repeat(262_145 - rest))).details).toEqual([
    "the request has 262145 bytes; at most 262144 are allowed",
  ]);
  expect(refusal(request("é".repeat(100)), { ...DEFAULT_LIMITS, requestBytes: rest + 199 }).details.length).toBe(1);
});

test("extra keys and git info go to the metadata", () => {
  const request = parseWorkflowCreateRequest({
    workflow: minimal,
    git_info: { sha: "abc" },
    ticket: "T",
    is_active: false,
  });
  expect(metadataOf(request, { id: 3, createTime: 5, author: "ann" })).toEqual({
    workflow_id: "w",
    workflow_version_id: 3,
    create_time: 5,
    version_author: "ann",
    git_info: { sha: "abc" },
    ticket: "T",
  });
});

test("whatever the JSON, a request is accepted or refused with findings", () => {
  const keys = fc.constantFrom(
    "workflow",
    "steps",
    "step",
    "foreach",
    "while",
    "id",
    "params",
    "type",
    "value",
    "tags",
    "transition",
    "backoff",
    "time_triggers",
    "timeout",
    "MAP",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.oneof(fc.jsonValue({ maxDepth: 1 }), keys, fc.constant(parseJson("12345678901234567890"))),
      fc.dictionary(keys, tie("tree"), { noNullPrototype: true }),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (json) => {
      for (const request of [
        json,
        { workflow: json },
        { workflow: { id: "w", steps: [{ step: json }, { foreach: json }], params: { x: json } } },
      ]) {
        const error = refusal(request);
        expect(error.details.length).toBeGreaterThan(0);
        expect(error.details.every((line) => line.length > 0)).toBe(true);
      }
    }),
  );
});
