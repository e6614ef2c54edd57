import { describe, expect, test } from "bun:test";
import { enter, newAttempt } from "../../src/step/attempt.ts";
import { FRESH_RETRY } from "../../src/step/retry.ts";
import { isComplete, isTerminal, mayFollow, STEP_STATUSES } from "../../src/step/status.ts";

const attempt = newAttempt({ stepId: "s", attemptId: 1, uuid: "u", stepInstanceId: 1, retry: FRESH_RETRY, now: 1 });

describe("the status table", () => {
  test("lets every live status end from outside", () => {
    for (const from of STEP_STATUSES.filter((status) => !isTerminal(status) && status !== "NOT_CREATED")) {
      for (const to of ["STOPPED", "TIMED_OUT", "FATALLY_FAILED", "INTERNALLY_FAILED"] as const) {
        expect([from, to, mayFollow(from, to)]).toEqual([from, to, true]);
      }
    }
  });

  test("has a way out of a terminal status only to another end", () => {
    for (const from of STEP_STATUSES.filter(isTerminal)) {
      for (const to of STEP_STATUSES.filter((status) => mayFollow(from, status))) expect(isTerminal(to)).toBe(true);
      expect(mayFollow(from, from)).toBe(false);
    }
  });

  test("completes an attempt by its own work, never begun, or as somebody wants it", () => {
    const live = STEP_STATUSES.filter((status) => !isTerminal(status) && status !== "NOT_CREATED");
    const sources = STEP_STATUSES.filter(isComplete).map((to) => [
      to,
      STEP_STATUSES.filter((from) => mayFollow(from, to)),
    ]);
    expect(Object.fromEntries(sources)).toEqual({
      DISABLED: [],
      UNSATISFIED: ["CREATED"],
      SKIPPED: live,
      SUCCEEDED: live,
      COMPLETED_WITH_ERROR: ["FATALLY_FAILED"],
    });
  });

  test("is kept by whoever changes a status", () => {
    const draft = { ...attempt };
    expect(() => enter(draft, 2, ["RUNNING"])).toThrow("step [s] can't go from CREATED to RUNNING");
    enter(draft, 2, ["INITIALIZED", "WAITING_FOR_SIGNALS"]);
    expect([draft.status, draft.times.initialize_time, attempt.status]).toEqual(["WAITING_FOR_SIGNALS", 2, "CREATED"]);
  });
});
