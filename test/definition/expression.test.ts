import { expect, test } from "bun:test";
import { expressionProblems, expressionsOf } from "../../src/definition/expression.ts";
import { workflowSchema } from "../../src/definition/workflow.ts";

const param = (expression: string) => ({ type: "LONG", expression });
const workflow = workflowSchema.parse({
  id: "w",
  params: {
    a: param("1 + b"),
    "m.n": { type: "MAP", value: { "x y": param("2"), expression: { type: "STRING", value: "no expression" } } },
    s: { type: "STRING_MAP", value: { expression: "none", condition: "none" } },
  },
  time_triggers: [{ type: "PREDEFINED", expression: "@daily" }],
  signal_triggers: [{ definitions: { t: {} }, condition: "3 > 2", dedup_expr: "4", params: { p: param("5") } }],
  steps: [
    {
      step: {
        id: "s",
        type: "NoOp",
        tags: [{ name: "t", condition: "none", expression: "none" }],
        transition: { successors: { s2: "a > 6" } },
        signal_dependencies: [{ name: "d", match_params: { k: { param: param("7"), operator: "=" } } }],
        signal_outputs: [{ name: "o", params: { k: param("8") }, payload: { l: param("9") } }],
      },
    },
    {
      while: {
        id: "l",
        condition: "i < 10",
        params: { loop_params: { type: "MAP", value: { i: param("11") } } },
        steps: [{ step: { id: "b", type: "NoOp", params: { q: param("1 +") } } }],
      },
    },
  ],
});

test("the expressions of a definition are found at their paths, and nothing that merely has such a key", () => {
  expect(expressionsOf(workflow).map(({ path, source }) => [path, source])).toEqual([
    ["workflow.params.a.expression", "1 + b"],
    ['workflow.params["m.n"].value["x y"].expression', "2"],
    ["workflow.signal_triggers[0].condition", "3 > 2"],
    ["workflow.signal_triggers[0].dedup_expr", "4"],
    ["workflow.signal_triggers[0].params.p.expression", "5"],
    ["workflow.steps[0].step.transition.successors.s2", "a > 6"],
    ["workflow.steps[0].step.signal_dependencies[0].match_params.k.param.expression", "7"],
    ["workflow.steps[0].step.signal_outputs[0].params.k.expression", "8"],
    ["workflow.steps[0].step.signal_outputs[0].payload.l.expression", "9"],
    ["workflow.steps[1].while.params.loop_params.value.i.expression", "11"],
    ["workflow.steps[1].while.condition", "i < 10"],
    ["workflow.steps[1].while.steps[0].step.params.q.expression", "1 +"],
  ]);
});

test("those that do not parse are told with what is wrong", () => {
  expect(expressionProblems(workflow)).toEqual([
    {
      path: "workflow.steps[1].while.steps[0].step.params.q.expression",
      problem: expect.stringContaining("of the expression)"),
    },
  ]);
});
