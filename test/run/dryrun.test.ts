import { describe, expect, test } from "bun:test";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import { MaestroError } from "../../src/error.ts";
import type { Json } from "../../src/json.ts";
import { dryRunDefinition } from "../../src/run/dryrun.ts";

const STEP: Json = { step: { id: "a", type: "NoOp" } };

/** The findings; none when the definition is good. */
function findings(workflow: { readonly [key: string]: Json }, enforceValidators = false): readonly string[] {
  const request = parseWorkflowCreateRequest({
    properties: { owner: "ann" },
    workflow: { id: "w", steps: [STEP], ...workflow },
  });
  try {
    dryRunDefinition(request, "ann", { now: 1_700_000_000_000, seed: 1, environment: "test", enforceValidators });
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError) || error.code !== "BAD_REQUEST") throw error;
    return error.details;
  }
}

const param = (more: { readonly [key: string]: Json }): Json => ({ type: "STRING", ...more });

describe("a dry run", () => {
  test("passes what evaluates, dates of a range and signals of triggers included", () => {
    expect(
      findings({
        params: {
          n: { type: "LONG", value: 3 },
          s: param({ value: "${n} ${FROM_DATE} ${ready__day}" }),
          FROM_DATE: param({ value: "not yet known" }),
          who: param({ expression: "params.getFromInstance('INITIATOR_TYPE')" }),
        },
        signal_triggers: [{ definitions: { ready: { join_keys: ["day"] } } }],
        timeout: "${n} hours",
      }),
    ).toEqual([]);
  });

  const bad: readonly (readonly [string, { readonly [key: string]: Json }, string])[] = [
    ["an unknown name", { params: { x: param({ expression: "nosuch + 1" }) } }, "nosuch"],
    ["a broken expression", { params: { x: param({ expression: "1 +" }) } }, "x"],
    ["a cycle", { params: { x: param({ expression: "y" }), y: param({ expression: "x" }) } }, "cycle"],
    ["a division by zero", { params: { x: { type: "LONG", expression: "1 / 0" } } }, "x"],
    ["a reserved param", { params: { owner: param({ value: "me" }) } }, "owner"],
    ["a default of the wrong type", { params: { RUN_TS: param({ value: "abc" }) } }, "RUN_TS"],
    ["an undeclared signal", { params: { x: param({ value: "${ready__day}" }) } }, "ready"],
    ["a timeout that is none", { timeout: "${t}", params: { t: param({ value: "soon" }) } }, "soon"],
    ["a timeout that is too long", { timeout: "${t}", params: { t: param({ value: "200 days" }) } }, "120 days"],
  ];
  for (const [name, workflow, mention] of bad) {
    test(`refuses ${name} in workflow params`, () => {
      const [first] = findings(workflow);
      expect(first).toStartWith("workflow.params: ");
      expect(first).toContain(mention);
    });
  }

  test("merges the params of top-level steps with what their types ask for, and names each step", () => {
    const steps: Json[] = [
      { subworkflow: { id: "sub", params: { subworkflow_id: { type: "MAP", value: {} } } } },
      { step: { id: "k", type: "Kubernetes" } },
      { step: { id: "fine", type: "NoOp", params: { later: param({ value: "${nosuch}" }) } } },
    ];
    const found = findings({ steps });
    expect(found[0]).toContain("workflow.steps[0].subworkflow.params (step sub)");
    expect(found[0]).toContain("subworkflow_id");
    expect(found[1]).toContain("workflow.steps[1].step.params (step k)");
    expect(found.length).toBe(2);
  });
});

describe("a dry run where validators are enforced", () => {
  const workflow = {
    params: {
      bad: { type: "LONG", value: -1, validator: "@Min(0)" },
      unclear: { type: "LONG", value: -1, validator: "@Minn(0)" },
      later: { type: "LONG", expression: "0 - 1", validator: "@Min(0)" },
      day: param({ value: "${ready__day}", validator: "@Size(max = 2)" }),
      FROM_DATE: param({ value: "x", validator: '@Pattern(regexp = "x|\\\\d{4}")' }),
    },
    signal_triggers: [{ definitions: { ready: { join_keys: ["day"] } } }],
    steps: [
      { step: { id: "a", type: "NoOp", params: { s: param({ value: "", validator: "@NotBlank" }) } } },
      {
        foreach: {
          id: "loop",
          params: {
            loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [1] } }, validator: "@Size(min = 2)" },
          },
          steps: [{ step: { id: "b", type: "NoOp", params: { t: param({ value: "", validator: "NotBlank" }) } } }],
        },
      },
    ],
  } as const;

  test("finds literals that do not pass, and validators that can't be run, at any depth", () => {
    expect(findings(workflow, true).map((line) => line.replace(/(not known|expected).*/, "$1"))).toEqual([
      "workflow.params: bad: must be greater than or equal to 0, and is -1",
      'workflow.steps[0].step.params (step a): s: must not be blank, and is ""',
      "workflow.steps[1].foreach.params (step loop): loop_params: its size must be at least 2, and is a map of 1",
      "workflow.params.unclear.validator: @Minn is not known",
      'workflow.steps[1].foreach.steps[0].step.params.t.validator: "NotBlank" expected',
    ]);
  });

  test("and nothing where they are not", () => {
    expect(findings(workflow)).toEqual([]);
  });
});
