import { expect, test } from "bun:test";
import type { RunChange, Write } from "../../src/flow/port.ts";
import { letterOf, refusalOf } from "../../src/flow/refusal.ts";
import type { Run } from "../../src/run/model.ts";
import type { StepAttempt } from "../../src/step/model.ts";

const run = { workflowId: "wf", instanceId: 3, runId: 1, key: 7 } as Run;
const attempt = (stepId: string, more: object = {}): Write => ({
  kind: "attempt",
  runKey: 7,
  attempt: { stepId, attemptId: 2, status: "RUNNING", ...more } as StepAttempt,
});
const ended: Write = {
  kind: "run",
  key: 7,
  change: { status: "SUCCEEDED", artifacts: {}, timeline: [] as const } as unknown as RunChange,
};

test("a refusal names the steps whose rows are refused, three at most", () => {
  expect(refusalOf([attempt("a")], "no").reason).toBe(
    "The database refuses the state of step [a]: no. The run cannot go on",
  );
  expect(
    refusalOf(
      ["a", "b", "c", "d"].map((id) => attempt(id)),
      "no",
    ).reason,
  ).toContain("of steps [a], [b], [c], …: no");
  expect(refusalOf([ended], "no").reason).toContain("the state of the run: no");
});

test("its dead letter shows what was refused", () => {
  const outbox: Write = { kind: "outbox", topic: "dequeue", key: "wf" };
  expect(letterOf(run, refusalOf([attempt("a"), ended, outbox], "no"))).toEqual({
    ...{ kind: "dead-letter", topic: "refused-run", key: "[wf][3][1]" },
    error: "The database refuses the state of step [a]: no. The run cannot go on",
    payload: {
      ...{ workflow_id: "wf", workflow_instance_id: 3, workflow_run_id: 1, refused_count: 2 },
      refused: [
        {
          ...{ step_id: "a", step_attempt_id: 2, status: "RUNNING" },
          content: '{"stepId":"a","attemptId":2,"status":"RUNNING"}',
        },
        { status: "SUCCEEDED", content: '{"artifacts":{},"timeline":[]}' },
      ],
    },
  });
});

test("it is of bounded size, and there even of what has no JSON", () => {
  const circle: { self?: object } = {};
  circle.self = circle;
  const big = Array.from({ length: 100 }, (_, index) =>
    attempt(`${"x".repeat(90)}${index}`, { v: "y".repeat(99_000) }),
  );
  const letter = letterOf(run, refusalOf([attempt("odd", circle), ...big], "z".repeat(1_000_000)));
  expect(JSON.stringify(letter).length).toBeLessThan(16_000);
  expect(letter).toMatchObject({
    payload: {
      refused_count: 101,
      refused: expect.arrayContaining([expect.objectContaining({ content: expect.stringContaining("no JSON") })]),
    },
  });
});
