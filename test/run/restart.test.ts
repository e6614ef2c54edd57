import { describe, expect, test } from "bun:test";
import type { Initiator } from "../../src/definition/initiator.ts";
import type { RestartConfig } from "../../src/definition/restart.ts";
import type { ParamDefinitions } from "../../src/param/type.ts";
import type { RunConfig } from "../../src/run/model.ts";
import {
  carriedStepParams,
  climb,
  downstream,
  type Hop,
  inlineRootRestart,
  instanceRestart,
  isSkipped,
  restartParamsOf,
  stepRestart,
  stepRestartParamsOf,
  stepSkip,
  targetOf,
} from "../../src/run/restart.ts";
import type { RunStatus } from "../../src/run/status.ts";

const node = (workflow_id: string, instance_id: number, step_id: string | null = null) => ({
  workflow_id,
  instance_id,
  step_id,
});
const long = (value: number): ParamDefinitions => ({ x: { type: "LONG", value } });

/** From the step `in` of the second iteration of the loop `each` of `w`. */
const CONFIG: RestartConfig = {
  restart_path: [node("maestro_foreach_x", 2, "in"), node("w", 1, "each")],
  restart_policy: "RESTART_FROM_BEGINNING",
  downstream_policy: "RESTART_FROM_INCOMPLETE",
  restart_params: long(1),
  step_restart_params: { in: long(2) },
  skip_steps: ["in"],
};
const RUN: RunConfig = { policy: "RESTART_FROM_SPECIFIC", restart_config: CONFIG };
const iteration = (instanceId: number) => ({ type: "FOREACH", workflowId: "maestro_foreach_x", instanceId }) as const;

describe("what a nested step hands on", () => {
  test("is the rest of the path, and the policy of the request to its end", () => {
    const { policy, config } = downstream(RUN, undefined, "each", iteration(2));
    expect(policy).toBe("RESTART_FROM_BEGINNING");
    expect(config).toEqual({ ...CONFIG, restart_path: [node("maestro_foreach_x", 2, "in")] });
    expect(CONFIG.restart_path).toHaveLength(2);
  });

  test("leads on to a step while the path is longer", () => {
    const path = [node("deep", 1), node("mid", 1, "s"), node("w", 1, "each")];
    const run: RunConfig = { ...RUN, restart_config: { ...CONFIG, restart_path: path } };
    const child = { type: "SUBWORKFLOW", workflowId: "mid", instanceId: 1 } as const;
    expect(downstream(run, undefined, "each", child)).toEqual({
      policy: "RESTART_FROM_SPECIFIC",
      config: { ...CONFIG, restart_path: path.slice(0, 2) },
    });
  });

  test("is the downstream policy alone for other iterations, other steps, and below the end of the path", () => {
    const beside = { policy: "RESTART_FROM_INCOMPLETE", config: undefined } as const;
    expect(downstream(RUN, undefined, "each", iteration(3))).toEqual(beside);
    expect(downstream(RUN, undefined, "other", iteration(2))).toEqual(beside);
    expect(downstream(RUN, undefined, "each", { ...iteration(2), workflowId: "else" })).toEqual(beside);
    const ends: RunConfig = { ...RUN, restart_config: { ...CONFIG, restart_path: [node("w", 1, "each")] } };
    expect(downstream(ends, undefined, "each", iteration(2))).toEqual(beside);
  });

  test("is the run's own policy where nobody has said more", () => {
    expect(downstream({ policy: "RESTART_FROM_BEGINNING" }, undefined, "each", iteration(1))).toEqual({
      policy: "RESTART_FROM_BEGINNING",
      config: undefined,
    });
  });

  test("is what the step itself was restarted with, rather than the run", () => {
    const own: RestartConfig = { ...CONFIG, downstream_policy: "RESTART_FROM_BEGINNING" };
    expect(downstream(RUN, own, "other", iteration(2)).policy).toBe("RESTART_FROM_BEGINNING");
  });
});

describe("what a request brings", () => {
  const end: RestartConfig = { ...CONFIG, restart_path: [node("w", 1, "in")] };

  test("is for the end of the path", () => {
    expect([restartParamsOf(end), stepRestartParamsOf(end, "in")]).toEqual([long(1), long(2)]);
    expect([isSkipped(end, "in"), isSkipped(end, "out")]).toEqual([true, false]);
  });

  test("does not concern the runs on the way", () => {
    expect([restartParamsOf(CONFIG), stepRestartParamsOf(CONFIG, "in"), isSkipped(CONFIG, "in")]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    expect([restartParamsOf(undefined), isSkipped(undefined, "in")]).toEqual([undefined, false]);
  });

  test("is found by the names that every object has only when it was given", () => {
    expect(stepRestartParamsOf(end, "constructor")).toBeUndefined();
  });

  test("names a step of the run that handles it", () => {
    expect(targetOf(RUN)).toBe("each");
    expect(targetOf({ ...RUN, policy: "RESTART_FROM_INCOMPLETE" })).toBeUndefined();
    expect(targetOf({ policy: "RESTART_FROM_SPECIFIC" })).toBeUndefined();
  });
});

describe("step params of earlier restarts", () => {
  const restarted = (params: RestartConfig["step_restart_params"], more: Partial<RunConfig> = {}) => ({
    config: {
      policy: "RESTART_FROM_SPECIFIC",
      restart_config: { ...CONFIG, restart_path: [node("w", 1, "in")], step_restart_params: params },
      ...more,
    } as RunConfig,
  });

  test("hold on, the newer over the older", () => {
    const run = restarted(
      { a: long(2) },
      { step_run_params: { a: { ...long(1), y: { type: "LONG", value: 7 } }, b: long(1) } },
    );
    expect(carriedStepParams(run, [])).toEqual({ a: { ...long(2), y: { type: "LONG", value: 7 } }, b: long(1) });
  });

  test("are also those that a step was given in a live run", () => {
    const restart = { ...CONFIG, restart_path: [node("w", 1, "a")], step_restart_params: { a: long(3), b: long(4) } };
    expect(carriedStepParams(restarted({ a: long(2) }), [{ stepId: "a", restart }])).toEqual({ a: long(3) });
  });

  test("are none when nobody gave any", () => {
    expect(carriedStepParams(restarted({ a: {} }), [{ stepId: "a" }])).toBeUndefined();
    expect(carriedStepParams({ config: RUN }, [])).toBeUndefined();
  });
});

describe("a request", () => {
  const place = { workflowId: "w", instanceId: 4 };

  test("for an instance names no step", () => {
    expect(instanceRestart(place, "RESTART_FROM_BEGINNING", long(1))).toEqual({
      policy: "RESTART_FROM_BEGINNING",
      config: {
        restart_path: [node("w", 4)],
        restart_policy: "RESTART_FROM_BEGINNING",
        downstream_policy: "RESTART_FROM_BEGINNING",
        restart_params: long(1),
      },
    });
  });

  test("for a step runs that step, and what is below it by the user's policy", () => {
    expect(stepRestart(place, "a", "RESTART_FROM_BEGINNING", undefined)).toEqual({
      policy: "RESTART_FROM_SPECIFIC",
      config: {
        restart_path: [node("w", 4, "a")],
        restart_policy: "RESTART_FROM_SPECIFIC",
        downstream_policy: "RESTART_FROM_BEGINNING",
        step_restart_params: { a: {} },
      },
    });
  });

  test("to skip a step restarts it", () => {
    expect(stepSkip(place, "a").config).toMatchObject({
      skip_steps: ["a"],
      downstream_policy: "RESTART_FROM_INCOMPLETE",
    });
  });

  const ancestors = [
    { workflow_id: "w", instance_id: 4, run_id: 1, step_id: "each", step_attempt_id: 1 },
    { workflow_id: "maestro_foreach_1", instance_id: 2, run_id: 1, step_id: "inner", step_attempt_id: 1 },
  ];
  const inner = (type: "FOREACH" | "WHILE") => ({
    workflowId: "maestro_foreach_2",
    instanceId: 9,
    initiator: { type, depth: 2, ancestors } as Initiator,
  });

  test("from the inline root begins at the workflow around a foreach, with the user's policy", () => {
    const { policy, config } = inlineRootRestart(inner("FOREACH"), "a", "RESTART_FROM_BEGINNING", long(1));
    expect(policy).toBe("RESTART_FROM_BEGINNING");
    expect(config).toMatchObject({
      restart_path: [node("w", 4)],
      restart_policy: "RESTART_FROM_BEGINNING",
      step_restart_params: { a: long(1) },
    });
  });

  test("from the inline root begins at the run itself in any other place", () => {
    const { config } = inlineRootRestart(inner("WHILE"), "a", "RESTART_FROM_INCOMPLETE", undefined);
    expect(config.restart_path).toEqual([node("maestro_foreach_2", 9)]);
  });
});

describe("the way up", () => {
  const ROOT: Initiator = { type: "MANUAL", depth: 0 };
  const by = (workflow_id: string, step_id: string, sync?: boolean): Initiator => ({
    type: "SUBWORKFLOW",
    depth: 1,
    ancestors: [
      { workflow_id, instance_id: 1, run_id: 1, step_id, step_attempt_id: 1, ...(sync !== undefined && { sync }) },
    ],
  });
  const tree = (...hops: readonly (readonly [string, RunStatus, Initiator])[]) => {
    const known = new Map(
      hops.map(([id, status, initiator]): [string, Hop] => [id, { workflowId: id, instanceId: 1, status, initiator }]),
    );
    return (id: string) => known.get(id);
  };
  const leaf = { workflowId: "leaf", instanceId: 1 };
  const REQUEST = stepRestart(leaf, "a", "RESTART_FROM_BEGINNING", undefined);

  test("of a root is a new run with the policy of the request", () => {
    const found = climb(instanceRestart(leaf, "RESTART_FROM_BEGINNING", undefined), tree(["leaf", "FAILED", ROOT]));
    expect(found).toMatchObject({ type: "new run", request: { policy: "RESTART_FROM_BEGINNING" } });
  });

  test("leads over every ancestor that has ended, at the step that made the run", () => {
    const found = climb(
      REQUEST,
      tree(["leaf", "FAILED", by("mid", "m")], ["mid", "FAILED", by("top", "t")], ["top", "SUCCEEDED", ROOT]),
    );
    expect(found).toMatchObject({ type: "new run", at: { workflowId: "top" } });
    expect("request" in found && found.request).toEqual({
      policy: "RESTART_FROM_SPECIFIC",
      config: { ...REQUEST.config, restart_path: [node("leaf", 1, "a"), node("mid", 1, "m"), node("top", 1, "t")] },
    });
  });

  test("keeps the policy of the request for its deepest node", () => {
    const request = instanceRestart(leaf, "RESTART_FROM_BEGINNING", undefined);
    const found = climb(request, tree(["leaf", "FAILED", by("top", "t")], ["top", "FAILED", ROOT]));
    expect(found).toMatchObject({
      request: { policy: "RESTART_FROM_SPECIFIC", config: { restart_policy: "RESTART_FROM_BEGINNING" } },
    });
  });

  test("ends at the first run that is under way, at its step", () => {
    const found = climb(
      REQUEST,
      tree(["leaf", "STOPPED", by("mid", "m")], ["mid", "IN_PROGRESS", by("top", "t")], ["top", "IN_PROGRESS", ROOT]),
    );
    expect(found).toMatchObject({ type: "in place", at: { workflowId: "mid" }, stepId: "m" });
    expect("request" in found && found.request.config.restart_path).toEqual([
      node("leaf", 1, "a"),
      node("mid", 1, "m"),
    ]);
  });

  test("ends below a step that does not wait for its child", () => {
    const found = climb(REQUEST, tree(["leaf", "FAILED", by("top", "t", false)], ["top", "FAILED", ROOT]));
    expect(found).toMatchObject({ type: "new run", at: { workflowId: "leaf" }, request: REQUEST });
    expect(climb(REQUEST, tree(["leaf", "FAILED", by("top", "t", true)], ["top", "FAILED", ROOT]))).toMatchObject({
      at: { workflowId: "top" },
    });
  });

  test("does not begin at an instance that is under way", () => {
    const request = instanceRestart(leaf, "RESTART_FROM_INCOMPLETE", undefined);
    expect(climb(request, tree(["leaf", "CREATED", ROOT]))).toMatchObject({ type: "under way" });
    expect(climb(REQUEST, tree(["leaf", "CREATED", ROOT]))).toMatchObject({ type: "in place", stepId: "a" });
  });

  test("says which run it has to know", () => {
    expect(climb(REQUEST, tree())).toEqual({ type: "unknown", workflowId: "leaf", instanceId: 1 });
    expect(climb(REQUEST, tree(["leaf", "FAILED", by("top", "t")]))).toMatchObject({
      type: "unknown",
      workflowId: "top",
    });
  });
});
