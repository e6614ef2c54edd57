import { describe, expect, test } from "bun:test";
import type { Step } from "../../src/definition/step.ts";
import { stepView } from "../../src/step/view.ts";
import { attempt } from "../store/fixture.ts";

const OWNER = {
  workflowId: "w",
  instanceId: 1,
  runId: 1,
  uuid: "u",
  correlationId: "w:1:1",
  versionId: 1,
  groupInfo: 8,
  owner: "ann",
};

const NOOP: Step = { step: { id: "a", type: "NoOp", transition: { successors: { b: "x > 1" } } } };

function view(more: Parameters<typeof attempt>[2], step: Step = NOOP, enriched = false) {
  const transition = { predecessors: ["z"], successors: { b: "x > 1", c: "true" } };
  return stepView({ owner: OWNER, attempt: attempt("a", 1, more), step, transition, params: {}, enriched });
}

describe("an attempt's wire shape", () => {
  test("shows conditions without a result until they are evaluated", () => {
    const edge = { expression: "x > 1", type: "BOOLEAN" } as const;
    expect(view({ status: "RUNNING" }).transition.successors?.b).toEqual(edge);
    const evaluated = view({ conditions: { b: false, c: true }, conditionsTime: 7 }).transition;
    expect(evaluated).toEqual({
      predecessors: ["z"],
      successors: {
        b: { ...edge, evaluated_result: false, evaluated_time: 7 },
        c: { expression: "true", type: "BOOLEAN", evaluated_result: true, evaluated_time: 7 },
      },
    });
  });

  test("of an unsatisfied step has every condition false at its end", () => {
    const { successors } = view({ status: "UNSATISFIED", times: { end_time: 9 } }).transition;
    expect(Object.values(successors ?? {}).map((it) => [it.evaluated_result, it.evaluated_time])).toEqual([
      [false, 9],
      [false, 9],
    ]);
  });

  test("fills the definition's defaults in and keeps what was written", () => {
    const loop: Step = {
      foreach: { id: "a", transition: {}, failure_mode: "IGNORE_FAILURE", tags: [{ name: "t" }], steps: [] },
    };
    const shown = view({}, loop);
    expect(shown.definition).toMatchObject({ foreach: { failure_mode: "IGNORE_FAILURE", params: {}, steps: [] } });
    expect(shown.tags).toEqual([{ name: "t" }]);
    expect(view({}).tags).toEqual([]);
  });

  test("has output signals once it was finishing, also when it failed afterwards", () => {
    expect(view({ status: "RUNNING" }).signal_outputs).toBeUndefined();
    expect(view({ status: "INTERNALLY_FAILED", times: { finish_time: 5, end_time: 6 } }).signal_outputs).toEqual({});
  });

  test("leaves empty parts out", () => {
    const shown = view({ times: { create_time: 1 } });
    expect(shown).not.toContainAnyKeys(["artifacts", "timeline", "timeout_in_millis"]);
    expect(shown.runtime_state).toEqual({ status: "CREATED", create_time: 1 });
  });

  test("enriched, puts its changes of status and its events in the order of time", () => {
    const event = { timestamp: 15, type: "LOG", level: "INFO", message: "m" } as const;
    const times = {
      create_time: 10,
      initialize_time: 12,
      start_time: 14,
      execute_time: 16,
      end_time: 20,
      modify_time: 20,
    };
    const { timeline } = view({ status: "FATALLY_FAILED", times, timeline: [event] }, NOOP, true);
    expect(timeline?.map((it) => ("status" in it ? it.status : it.type))).toEqual([
      "CREATED",
      "INITIALIZED",
      "STARTING",
      "LOG",
      "RUNNING",
      "FATALLY_FAILED",
    ]);
  });
});
