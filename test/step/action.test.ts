import { describe, expect, test } from "bun:test";
import { RUN_ACTIONS } from "../../src/run/status.ts";
import { actionNames, isUnderWay, STEP_ACTIONS } from "../../src/step/action.ts";
import { isComplete, isRestartable, isRetryable, isTerminal, STEP_STATUSES } from "../../src/step/status.ts";

describe("what a user may do to a step", () => {
  test("is to end it while it goes on by itself", () => {
    for (const status of STEP_STATUSES) {
      const goesOn = (!isTerminal(status) && status !== "NOT_CREATED") || isRetryable(status);
      expect([status, isUnderWay(status), STEP_ACTIONS[status].KILL === "end"]).toEqual([status, goesOn, goesOn]);
      if (goesOn) expect(STEP_ACTIONS[status].RESTART).toBeUndefined();
    }
  });

  test("is to try it again in its run once it has ended and is not complete", () => {
    for (const status of STEP_STATUSES) {
      expect([status, STEP_ACTIONS[status].RESTART === "again"]).toEqual([status, isRestartable(status)]);
      expect([status, STEP_ACTIONS[status].SUCCEED === "in place"]).toEqual([status, isRestartable(status)]);
    }
  });

  test("is to make a new run for it once it is complete", () => {
    for (const status of STEP_STATUSES) {
      expect([status, STEP_ACTIONS[status].RESTART === "new run"]).toEqual([status, isComplete(status)]);
    }
  });

  test("is nothing before it is made", () => {
    expect(STEP_ACTIONS.NOT_CREATED).toEqual({});
  });
});

describe("the map of actions", () => {
  test("has upstream's, in its order, and no status without any", () => {
    const map = actionNames(STEP_ACTIONS, false);
    expect(map.INITIALIZED).toEqual(["PAUSE", "STOP", "KILL", "SKIP"]);
    expect(map.WAITING_FOR_SIGNALS).toEqual(["STOP", "KILL", "SKIP", "BYPASS_STEP_DEPENDENCIES"]);
    expect([map.SKIPPED, map.UNSATISFIED, "NOT_CREATED" in map]).toEqual([["RESTART", "SKIP"], ["RESTART"], false]);
  });

  test("has ours on demand", () => {
    expect(actionNames(STEP_ACTIONS, true).RUNNING).toContain("SUCCEED");
    expect(actionNames(RUN_ACTIONS, true).FAILED).toEqual(["RESTART", "UNBLOCK"]);
  });
});
