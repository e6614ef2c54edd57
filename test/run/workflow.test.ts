import { describe, expect, test } from "bun:test";
import type { Initiator } from "../../src/definition/initiator.ts";
import type { Step } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { Run } from "../../src/run/model.ts";
import { runtimeDag, runtimeWorkflow } from "../../src/run/workflow.ts";

const step = (id: string, successors?: Record<string, string>): Step => ({
  step: { id, type: "NoOp", transition: successors ? { successors } : {} },
});

const definition: Workflow = {
  id: "w",
  tags: [{ name: "wt" }],
  steps: [
    step("a", { each: "true" }),
    {
      foreach: {
        id: "each",
        transition: {},
        steps: [{ while: { id: "loop", condition: "true", transition: {}, steps: [step("in")] } }],
      },
    },
  ],
};

const run = (initiator: Initiator, tags?: readonly string[]) =>
  ({
    workflowId: "maestro_foreach_x",
    instanceId: 4,
    runId: 1,
    initiator,
    config: { policy: "START_FRESH_NEW_RUN", ...(tags && { runtime_tags: tags.map((name) => ({ name })) }) },
  }) as Pick<Run, "workflowId" | "initiator" | "config"> as Run;

const ancestor = { workflow_id: "w", instance_id: 1, run_id: 1, step_id: "loop", step_attempt_id: 1 };

describe("the workflow of a run", () => {
  test("is its definition, with runtime tags beside its own", () => {
    const workflow = runtimeWorkflow(run({ type: "MANUAL", depth: 0 }, ["rt"]), definition);
    expect([workflow.id, workflow.tags]).toEqual(["w", [{ name: "wt" }, { name: "rt" }]]);
    expect(definition.tags).toEqual([{ name: "wt" }]);
  });

  test("of an iteration is the body of its loop, at any depth", () => {
    const workflow = runtimeWorkflow(run({ type: "WHILE", depth: 1, ancestors: [ancestor] }), definition);
    expect([workflow.id, workflow.name]).toEqual(["maestro_foreach_x", "[w][1][1][loop][1]"]);
    expect(workflow.steps).toEqual([step("in")]);
  });

  test("of an iteration whose loop is gone cannot be told", () => {
    const lost = run({ type: "FOREACH", depth: 1, ancestors: [{ ...ancestor, step_id: "nope" }] });
    expect(() => runtimeWorkflow(lost, definition)).toThrow("Cannot find the loop");
  });

  test("has a graph with predecessors, in the definition's order, without empty parts", () => {
    const dag = runtimeDag(definition);
    expect(Object.keys(dag)).toEqual(["a", "each"]);
    expect(dag).toEqual({ a: { successors: { each: "true" } }, each: { predecessors: ["a"] } });
  });
});
