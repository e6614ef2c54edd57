import { describe, expect, test } from "bun:test";
import { DEFAULT_LIMITS } from "../../src/definition/limit.ts";
import { accepted, type Body, findings, foreach, longs, loop, map, one, refused, step, to } from "./harness.ts";

describe("ids and names", () => {
  refused([
    ["an empty workflow id", { id: "" }, "workflow.id: must not be empty"],
    ["a blank in a workflow id", { id: "a b" }, 'workflow.id: "a b" is not a workflow id'],
    ["a workflow id that starts with a dot", { id: ".a" }, 'workflow.id: ".a" is not a workflow id'],
    ["NUL in a workflow id", { id: "a\0" }, 'workflow.id: "a\\u0000" is not a workflow id'],
    ["a reserved prefix in any case", { id: "Maestro_x" }, 'workflow.id: "Maestro_x" must not start with "maestro_"'],
    ["a reserved suffix in any case", { id: "x_MAESTRO" }, 'workflow.id: "x_MAESTRO" must not end with "_maestro"'],
    ["a long workflow id", { id: "x".repeat(129) }, "workflow.id: has 129 characters"],
    ["a long name", { name: "x".repeat(257) }, "workflow.name: has 257 characters"],
    ["a long description", { description: "x".repeat(16_385) }, "workflow.description: has 16385 characters"],
    ["an empty step id", { steps: [step("")] }, "workflow.steps[0].step.id: must not be empty"],
    ["a digit first in a step id", { steps: [step("1a")] }, 'workflow.steps[0].step.id: "1a" is not a valid name'],
    [
      "two underscores in a step id",
      { steps: [step("a__b")] },
      'workflow.steps[0].step.id: "a__b" must not contain "__"',
    ],
    ["a reserved step id", { steps: [step("maestro_a")] }, 'workflow.steps[0].step.id: "maestro_a" must not start'],
    ["a long step id", { steps: [step("x".repeat(129))] }, "workflow.steps[0].step.id: has 129 characters"],
    ["a long step name", one({ name: "x".repeat(257) }), "workflow.steps[0].step.name: has 257"],
    ["a long step description", one({ description: "x".repeat(16_385) }), "workflow.steps[0].step.description: has"],
    ["a bad tag name", { tags: ["a;b"] }, 'workflow.tags[0].name: "a;b" is not a valid name'],
    ["a blank tag name", { tags: [" "] }, "workflow.tags[0].name: must not be blank"],
    ["a reserved tag name", { tags: [{ name: "x_maestro" }] }, 'workflow.tags[0].name: "x_maestro" must not end'],
    ["a repeated tag", { tags: ["x", { name: "x" }] }, 'workflow.tags[1]: the tag "x" is there already'],
    ["a repeated tag of a step", one({ tags: ["x", "x"] }), 'workflow.steps[0].step.tags[1]: the tag "x"'],
  ]);
  accepted([
    ["ids at the limit", { id: "9".repeat(128), name: "x".repeat(256), steps: [step("_".concat("x".repeat(127)))] }],
    ["a tag with every character that names may have", { tags: ["a_1 .,:@&='(){}$+[]-/\\"] }],
    ["a step id that ends like a reserved one", { steps: [step("a_maestro")] }],
    ["NUL in free text", { description: "a\0b", params: { x: { type: "STRING", value: "\0" } } }],
  ]);
});

describe("params", () => {
  const param = (definition: unknown): Body => ({ params: { x: definition } });
  refused([
    ["a bad param name", { params: { "a b": { type: "LONG", value: 1 } } }, 'workflow.params["a b"]: "a b" is not'],
    ["a separator in a param name", { params: { a__b: { type: "LONG", value: 1 } } }, "workflow.params.a__b:"],
    ["value and expression", param({ type: "LONG", value: 1, expression: "1" }), 'workflow.params.x: has both "value"'],
    ["neither value nor expression", param({ type: "LONG" }), 'workflow.params.x: has neither "value"'],
    [
      "an OPTIONAL of a user without a value",
      param({ type: "LONG", internal_mode: "OPTIONAL" }),
      "workflow.params.x: has",
    ],
    ["a blank expression", param({ type: "LONG", expression: " " }), "workflow.params.x.expression: must not be blank"],
    ["no type", param({ value: 1 }), "workflow.params.x.type: is required, one of STRING, LONG"],
    ["an unknown type", param({ type: "STRNG", value: 1 }), 'workflow.params.x.type: "STRNG" is not one of'],
    ["an unknown mode", param({ type: "LONG", value: 1, mode: "NEVER" }), 'workflow.params.x.mode: "NEVER"'],
    ["an unknown source", param({ type: "LONG", value: 1, source: "me" }), 'workflow.params.x.source: "me"'],
    ["a text as LONG", param({ type: "LONG", value: "abc" }), 'workflow.params.x.value: "abc" is not an integer'],
    [
      "a null in a list",
      param({ type: "STRING_ARRAY", value: ["a", null] }),
      "workflow.params.x.value[1]: null is not a text",
    ],
    [
      "a list as STRING_MAP",
      param({ type: "STRING_MAP", value: [] }),
      "workflow.params.x.value: a list is not an object",
    ],
    ["a bad entry of a MAP", param(map({ y: { type: "LONG" } })), "workflow.params.x.value.y: has neither"],
    ["a param of a step", one({ params: { x: { type: "LONG" } } }), "workflow.steps[0].step.params.x: has neither"],
    ["a repeated tag of a param", param({ type: "LONG", value: 1, tags: ["t", "t"] }), "workflow.params.x.tags[1]:"],
  ]);

  const nested = (levels: number): Body => (levels === 1 ? map({}) : map({ m: nested(levels - 1) }));
  test("MAPs may be nested fifty deep", () => {
    expect(findings({ params: { x: nested(50) } })).toEqual([]);
    expect(findings({ params: { x: nested(51) } })[0]).toEndWith(
      "MAP params are nested more than 50 levels deep; nest less",
    );
    expect(findings({ params: { x: nested(5000) } })[0]).toContain("is nested more than 200 levels deep");
  });
});

describe("steps", () => {
  refused([
    ["no steps", { steps: [] }, "workflow.steps: a workflow needs at least one step"],
    [
      "an unknown type",
      { steps: [{ step: { id: "a", type: "Sleeep" } }] },
      'workflow.steps[0].step.type: "Sleeep" is not a step type; did you mean "Sleep"?',
    ],
    [
      "a loop as a type",
      { steps: [{ step: { id: "a", type: "FOREACH" } }] },
      'workflow.steps[0].step.type: "FOREACH" is not a type of "step"; write the step under the key "foreach"',
    ],
    [
      "a repeated id",
      { steps: [step("a"), step("b"), step("a")] },
      'workflow.steps[2].step.id: "a" is the id of workflow.steps[0].step too',
    ],
    [
      "an id repeated in a loop",
      { steps: [foreach("f", { i: longs }, [step("f")])] },
      'workflow.steps[0].foreach.steps[0].step.id: "f" is the id of',
    ],
    [
      "an unknown successor",
      { steps: [step("load", to("stor")), step("store")] },
      'workflow.steps[0].step.transition.successors.stor: there is no step "stor" in the same list of steps; did you mean "store"?',
    ],
    [
      "a successor in a loop",
      { steps: [step("a", to("in")), foreach("f", { i: longs }, [step("in")])] },
      "workflow.steps[0].step.transition.successors.in: there is no step",
    ],
    [
      "a blank condition",
      { steps: [step("a", { transition: { successors: { b: "" } } }), step("b")] },
      "workflow.steps[0].step.transition.successors.b: the condition must not be blank",
    ],
    [
      "wrong predecessors",
      { steps: [step("a", to("b")), step("b", { transition: { predecessors: ["z"] } })] },
      "workflow.steps[1].step.transition.predecessors: does not match the successors of the other steps: the steps that lead here are a",
    ],
    [
      "missing predecessors",
      { steps: [step("a", to("c")), step("b", to("c")), step("c", { transition: { predecessors: ["a"] } })] },
      "workflow.steps[2].step.transition.predecessors:",
    ],
    [
      "a cycle",
      { steps: [step("a", to("b")), step("b", to("a"))] },
      "workflow.steps: the steps make a cycle, a → b → a",
    ],
    [
      "a cycle in a loop",
      { steps: [foreach("f", { i: longs }, [step("x", to("x"))])] },
      "workflow.steps[0].foreach.steps: the steps make a cycle, x → x",
    ],
    ["no timeout left", one({ timeout: 0 }), "workflow.steps[0].step.timeout: 0 is out of range"],
    ["a timeout nobody understands", { timeout: "5 fortnights" }, 'workflow.timeout: "5 fortnights" is not a duration'],
    [
      "too many retries",
      one({ retry_policy: { error_retry_limit: 100 } }),
      "workflow.steps[0].step.retry_policy.error_retry_limit: 100",
    ],
    [
      "a subworkflow without id",
      { steps: [{ subworkflow: { id: "s" } }] },
      'workflow.steps[0].subworkflow.params: needs the param "subworkflow_id"',
    ],
    [
      "a concurrency of the instance beyond the limit",
      { instance_step_concurrency: 1000 },
      "workflow.instance_step_concurrency: 1000 is out of range; it must be 1 to 999",
    ],
    [
      "a concurrency of the instance of 0",
      { instance_step_concurrency: 0 },
      "workflow.instance_step_concurrency: 0 is out of range",
    ],
    [
      "retries on a loop",
      { steps: [foreach("f", { i: longs }, [step("x")], { retry_policy: {} })] },
      'workflow.steps[0].foreach: unknown field "retry_policy"',
    ],
    [
      "a sub type on a subworkflow",
      { steps: [{ subworkflow: { id: "s", sub_type: "x" } }] },
      'workflow.steps[0].subworkflow: unknown field "sub_type"',
    ],
    [
      "a misspelt field",
      one({ tiemout: 5 }),
      'workflow.steps[0].step: unknown field "tiemout", did you mean "timeout"?',
    ],
    ["a step without a kind", { steps: [{}] }, "workflow.steps[0]: needs exactly one of the keys step, subworkflow"],
    [
      "a step of two kinds",
      { steps: [{ ...step("a"), template: { id: "b" } }] },
      "workflow.steps[0]: needs exactly one of the keys step",
    ],
  ]);
  accepted([
    [
      "timeouts and retries that refer to params",
      { timeout: "${x}", ...one({ timeout: "$x min", retry_policy: { error_retry_limit: "$n" } }) },
    ],
    [
      "predecessors in another order",
      { steps: [step("a", to("c")), step("b", to("c")), step("c", { transition: { predecessors: ["b", "a"] } })] },
    ],
    ["a template", { steps: [{ template: { id: "t", sub_type: "x" } }] }],
    ["a stray type beside a wrapper", { steps: [foreach("f", { i: longs }, [step("x")], { type: "FOREACH" })] }],
    ["the longest timeout", { timeout: "120 days" }],
  ]);

  test("only types that a runtime is registered for pass, in any case", () => {
    expect(
      findings({ steps: [{ step: { id: "a", type: "SHELL" } }] }, { ...DEFAULT_LIMITS, stepTypes: ["shell"] }),
    ).toEqual([]);
    expect(findings({}, { ...DEFAULT_LIMITS, stepTypes: ["shell"] })).toEqual([
      'workflow.steps[0].step.type: "NoOp" is not a step type; known are shell',
    ]);
  });

  test("nested steps count, up to the limit", () => {
    const body = (count: number) => ({
      steps: [
        foreach(
          "f",
          { i: longs },
          Array.from({ length: count }, (_, index) => step(`s${index}`)),
        ),
      ],
    });
    expect(findings(body(999))).toEqual([]);
    expect(findings(body(1000))).toEqual([
      "workflow.steps: has 1001 steps, nested ones included; at most 1000 are allowed",
    ]);
    expect(findings(body(2), { ...DEFAULT_LIMITS, steps: 2 })[0]).toContain("has 3 steps");
  });
});

describe("loops", () => {
  const typed = (type: string, value: unknown): Body => ({ type, value });
  refused([
    [
      "a foreach without loop params",
      { steps: [{ foreach: { id: "f", steps: [step("x")] } }] },
      'workflow.steps[0].foreach.params: a foreach needs the MAP param "loop_params"',
    ],
    [
      "a while without loop params",
      { steps: [{ while: { id: "w", condition: "true", steps: [step("x")] } }] },
      'workflow.steps[0].while.params: a while needs the MAP param "loop_params"',
    ],
    [
      "loop params that are no MAP",
      { steps: [foreach("f", {}, [step("x")], { params: { loop_params: longs } })] },
      "workflow.steps[0].foreach.params.loop_params.type: LONG_ARRAY is not MAP",
    ],
    [
      "empty loop params of a foreach",
      { steps: [foreach("f", {}, [step("x")])] },
      "workflow.steps[0].foreach.params.loop_params.value: must not be empty",
    ],
    [
      "a loop param that is no list",
      { steps: [foreach("f", { i: typed("LONG", 1) }, [step("x")])] },
      "workflow.steps[0].foreach.params.loop_params.value.i.type: LONG cannot be looped over; it must be a list",
    ],
    [
      "a list as loop param of a while",
      { steps: [loop("w", { i: longs }, [step("x")])] },
      "workflow.steps[0].while.params.loop_params.value.i.type: LONG_ARRAY cannot be looped over",
    ],
    [
      "a loop param with a bad name",
      { steps: [foreach("f", { a__b: longs }, [step("x")])] },
      "workflow.steps[0].foreach.params.loop_params.value.a__b:",
    ],
    [
      "a loop param of an enclosing loop",
      {
        steps: [
          foreach("f", { i: longs }, [loop("w", { j: typed("LONG", 1) }, [foreach("g", { i: longs }, [step("x")])])]),
        ],
      },
      'workflow.steps[0].foreach.steps[0].while.steps[0].foreach.params.loop_params.value.i: the enclosing loop "f" has a loop param "i" too',
    ],
    [
      "a loop without steps",
      { steps: [foreach("f", { i: longs }, [])] },
      "workflow.steps[0].foreach.steps: a loop needs at least one step",
    ],
    [
      "a concurrency beyond 500",
      { steps: [foreach("f", { i: longs }, [step("x")], { concurrency: 501 })] },
      "workflow.steps[0].foreach.concurrency: 501 is out of range; it must be 1 to 500",
    ],
    [
      "a concurrency of 0",
      { steps: [foreach("f", { i: longs }, [step("x")], { concurrency: 0 })] },
      "workflow.steps[0].foreach.concurrency: 0 is out of range",
    ],
    [
      "a while without a condition",
      { steps: [loop("w", { i: typed("LONG", 1) }, [step("x")], { condition: null })] },
      "workflow.steps[0].while.condition: is required, a text",
    ],
    [
      "a while with a blank condition",
      { steps: [loop("w", { i: typed("LONG", 1) }, [step("x")], { condition: " " })] },
      "workflow.steps[0].while.condition: must not be blank",
    ],
  ]);
  accepted([
    ["an empty list: no iterations", { steps: [foreach("f", { i: typed("LONG_ARRAY", []) }, [step("x")])] }],
    [
      "loop params by expression",
      { steps: [foreach("f", {}, [step("x")], { params: { loop_params: { type: "MAP", expression: "m" } } })] },
    ],
    [
      "equal loop params of siblings",
      { steps: [foreach("f", { i: longs }, [step("x")]), foreach("g", { i: longs }, [step("y")])] },
    ],
    ["the highest concurrency", { steps: [foreach("f", { i: longs }, [step("x")], { concurrency: 500 })] }],
  ]);

  test("loops may be nested ten deep", () => {
    const nest = (levels: number): Body =>
      levels === 0 ? step("leaf") : foreach(`f${levels}`, { [`i${levels}`]: longs }, [nest(levels - 1)]);
    expect(findings({ steps: [nest(10)] })).toEqual([]);
    expect(findings({ steps: [nest(11)] })[0]).toEndWith("loops are nested more than 10 levels deep; nest less");
  });
});
