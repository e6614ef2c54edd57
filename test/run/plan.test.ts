import { describe, expect, test } from "bun:test";
import type { Initiator } from "../../src/definition/initiator.ts";
import type { Step } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { StepAggregate } from "../../src/run/aggregate.ts";
import type { RunConfig } from "../../src/run/model.ts";
import { dagOf, type Earlier, planKey, planOf, reachOf, withRunTags } from "../../src/run/plan.ts";
import type { StepStatus } from "../../src/step/status.ts";
import { attempt } from "../store/fixture.ts";

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
        { workflow_id: "in", instance_id: 1, step_id: "deep" },
        { workflow_id: "d", instance_id: 1, step_id: step_id ?? null },
      ],
      restart_policy: policy,
      downstream_policy: policy,
    },
  });

const earlier = (statuses: Record<string, StepStatus>): Earlier => {
  const steps = Object.entries(statuses).map(([id, status]): [string, StepAggregate] => [
    id,
    { status, runId: status === "NOT_CREATED" ? undefined : 4, start: undefined, end: undefined },
  ]);
  const attempts = Object.entries(statuses).map(([id, status]) => [id, attempt(id, 1, { status })] as const);
  return { aggregate: { status: "FAILED", steps: new Map(steps) }, attempts: new Map(attempts) };
};

const FAILED = earlier({ extract: "SUCCEEDED", clean: "FATALLY_FAILED", check: "SUCCEEDED", load: "NOT_CREATED" });
const SUCCEEDED = earlier({ extract: "SUCCEEDED", clean: "SUCCEEDED", check: "UNSATISFIED", load: "SUCCEEDED" });

const shown = (plan: ReturnType<typeof planOf>) => ({
  steps: [...plan.nodes.keys()],
  roots: plan.roots,
  done: Object.fromEntries([...plan.done].map(([id, { runId }]) => [id, runId])),
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

  test("from a step has the incomplete ones beside it, which do not begin by themselves", () => {
    const plan = planOf(restart("RESTART_FROM_SPECIFIC", "check"), diamond, FAILED);
    expect([...plan.nodes.keys()]).toEqual(["clean", "check", "load"]);
    expect([plan.roots, [...plan.held]]).toEqual([["check"], ["clean"]]);
  });

  test("leaves what is held out of its end, with all that waits for it, until it is made", () => {
    const plan = planOf(restart("RESTART_FROM_SPECIFIC", "check"), diamond, FAILED);
    expect([...reachOf(plan, () => false)]).toEqual(["check"]);
    expect([...reachOf(plan, (id) => id === "clean")]).toEqual(["clean", "check", "load"]);
  });

  test("says how the steps that it does not run have ended, with their attempts", () => {
    const { done } = planOf(restart("RESTART_FROM_INCOMPLETE"), diamond, FAILED);
    expect(done.get("check")).toMatchObject({ runId: 4, status: "SUCCEEDED", attempt: { stepId: "check" } });
  });

  test("from a step holds nothing when everything beside it is complete", () => {
    expect([...planOf(restart("RESTART_FROM_SPECIFIC", "check"), diamond, SUCCEEDED).held]).toEqual([]);
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

  test("as a graph has no edge from a step that the run does not execute", () => {
    expect(dagOf(planOf(restart("RESTART_FROM_INCOMPLETE"), diamond, FAILED))).toEqual({
      clean: { successors: { load: "true" } },
      load: { predecessors: ["clean"] },
    });
  });

  test("shows the run's tags beside those of the definition", () => {
    const tagged = run(MANUAL, { runtime_tags: [{ name: "rt" }] });
    expect(withRunTags(definition, tagged).tags).toEqual([{ name: "wt" }, { name: "rt" }]);
    expect(definition.tags).toEqual([{ name: "wt" }]);
    expect(withRunTags(definition, run())).toBe(definition);
  });
});
