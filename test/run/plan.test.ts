import { describe, expect, test } from "bun:test";
import type { Initiator } from "../../src/definition/initiator.ts";
import type { Step } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { RunConfig } from "../../src/run/model.ts";
import { dagOf, type Earlier, planKey, planOf, withRunTags } from "../../src/run/plan.ts";
import type { StepStatus } from "../../src/step/status.ts";

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

/** extract ─▶ clean, check; both ─▶ load. */
const diamond: Workflow = {
  id: "d",
  steps: [
    step("extract", { clean: "true", check: "true" }),
    step("clean", { load: "true" }),
    step("check", { load: "rows > 0" }),
    step("load"),
  ],
};

const MANUAL: Initiator = { type: "MANUAL", depth: 0 };
const ancestor = { workflow_id: "w", instance_id: 1, run_id: 1, step_id: "loop", step_attempt_id: 1 };
const iteration = (step_id = "loop"): Initiator => ({
  type: "WHILE",
  depth: 1,
  ancestors: [{ ...ancestor, step_id }],
});

const run = (initiator: Initiator = MANUAL, config: Partial<RunConfig> = {}) => ({
  workflowId: "maestro_foreach_x",
  internalId: 3,
  versionId: 2,
  initiator,
  config: { policy: "START_FRESH_NEW_RUN" as const, ...config },
});

const restart = (policy: RunConfig["policy"], step_id?: string) =>
  run(MANUAL, {
    policy,
    restart_config: {
      restart_path: [
        { workflow_id: "in", step_id: "deep" },
        { workflow_id: "d", ...(step_id && { step_id }) },
      ],
    },
  });

const earlier = (statuses: Record<string, StepStatus>): Earlier =>
  new Map(
    Object.entries(statuses).map(([id, status]) => [id, { status, runId: status === "NOT_CREATED" ? undefined : 4 }]),
  );

const FAILED = earlier({ extract: "SUCCEEDED", clean: "FATALLY_FAILED", check: "SUCCEEDED", load: "NOT_CREATED" });
const SUCCEEDED = earlier({ extract: "SUCCEEDED", clean: "SUCCEEDED", check: "UNSATISFIED", load: "SUCCEEDED" });

const shown = (plan: ReturnType<typeof planOf>) => ({
  steps: [...plan.nodes.keys()],
  roots: plan.roots,
  done: Object.fromEntries(plan.done),
  forced: plan.forced,
});

describe("the plan of a fresh run", () => {
  test("is the whole definition", () => {
    const plan = planOf(run(), definition);
    expect(plan.workflow).toBe(definition);
    expect(shown(plan)).toEqual({ steps: ["a", "each"], roots: ["a"], done: {}, forced: undefined });
  });

  test("of an iteration is the body of its loop, at any depth", () => {
    const { workflow, roots } = planOf(run(iteration()), definition);
    expect([workflow.id, workflow.name]).toEqual(["maestro_foreach_x", "[w][1][1][loop][1]"]);
    expect(workflow.steps).toEqual([step("in")]);
    expect(roots).toEqual(["in"]);
  });

  test("of an iteration whose loop is gone cannot be told", () => {
    expect(() => planOf(run(iteration("nope")), definition)).toThrow("Cannot find the loop");
  });

  test("of a subworkflow is the subworkflow's definition", () => {
    expect(planOf(run({ type: "SUBWORKFLOW", depth: 1, ancestors: [ancestor] }), definition).workflow).toBe(definition);
  });

  test("ignores what earlier runs did", () => {
    expect(shown(planOf(run(), diamond, FAILED)).steps).toEqual(["extract", "clean", "check", "load"]);
  });
});

describe("the plan of a restart", () => {
  test("from the beginning is the whole definition", () => {
    expect(shown(planOf(restart("RESTART_FROM_BEGINNING"), diamond, FAILED)).steps).toHaveLength(4);
  });

  test("from what is incomplete has that and what follows; the others count as done in the run that did them", () => {
    expect(shown(planOf(restart("RESTART_FROM_INCOMPLETE"), diamond, FAILED))).toEqual({
      steps: ["clean", "load"],
      roots: ["clean"],
      done: { extract: 4, check: 4 },
      forced: undefined,
    });
  });

  test("keeps the edges from steps that it does not run: a join decides as in one run", () => {
    const plan = planOf(restart("RESTART_FROM_INCOMPLETE"), diamond, FAILED);
    expect(plan.nodes.get("load")?.predecessors).toEqual(["clean", "check"]);
    expect(plan.nodes.get("clean")?.predecessors).toEqual(["extract"]);
  });

  test("from a step runs it though it is complete, whatever its conditions say", () => {
    expect(shown(planOf(restart("RESTART_FROM_SPECIFIC", "check"), diamond, SUCCEEDED))).toEqual({
      steps: ["check", "load"],
      roots: ["check"],
      done: { extract: 4, clean: 4 },
      forced: "check",
    });
  });

  test("from a step has the incomplete ones beside it", () => {
    expect(shown(planOf(restart("RESTART_FROM_SPECIFIC", "check"), diamond, FAILED)).roots).toEqual(["clean", "check"]);
  });

  test("of a run of which nothing is known is the whole definition", () => {
    expect(shown(planOf(restart("RESTART_FROM_INCOMPLETE"), diamond)).steps).toHaveLength(4);
  });

  test("of an iteration cuts the loop's body", () => {
    const body: Workflow = {
      id: "w",
      steps: [
        { while: { id: "loop", condition: "true", transition: {}, steps: [step("in", { out: "true" }), step("out")] } },
      ],
    };
    const inner = run(iteration(), { policy: "RESTART_FROM_INCOMPLETE" });
    const plan = planOf(inner, body, earlier({ in: "SUCCEEDED", out: "STOPPED" }));
    expect(shown(plan)).toEqual({ steps: ["out"], roots: ["out"], done: { in: 4 }, forced: undefined });
  });
});

describe("a plan", () => {
  test("is shared by the runs that execute all of one version", () => {
    expect(planKey(run())).toBe("3:2");
    expect(planKey(restart("RESTART_FROM_BEGINNING"))).toBe("3:2");
    expect(planKey(run({ type: "SUBWORKFLOW", depth: 1, ancestors: [ancestor] }))).toBe("3:2");
    expect(planKey(run(iteration()))).toBe("3:2:maestro_foreach_x:1:loop:1");
    expect(planKey(restart("RESTART_FROM_INCOMPLETE"))).toBeUndefined();
  });

  test("as a graph has predecessors, in the definition's order, without empty parts", () => {
    const dag = dagOf(planOf(run(), definition));
    expect(Object.keys(dag)).toEqual(["a", "each"]);
    expect(dag).toEqual({ a: { successors: { each: "true" } }, each: { predecessors: ["a"] } });
  });

  test("shows the run's tags beside those of the definition", () => {
    const tagged = run(MANUAL, { runtime_tags: [{ name: "rt" }] });
    expect(withRunTags(definition, tagged).tags).toEqual([{ name: "wt" }, { name: "rt" }]);
    expect(definition.tags).toEqual([{ name: "wt" }]);
    expect(withRunTags(definition, run())).toBe(definition);
  });
});
