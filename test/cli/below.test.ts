import { expect, test } from "bun:test";
import { belowNotes, belowText } from "../../src/cli/below.ts";

const rollup = (overview: Record<string, number>) => ({
  overview: Object.fromEntries(Object.entries(overview).map(([status, cnt]) => [status, { cnt }])),
});
const step = (artifacts: object) => ({ artifacts }) as never;
const foreach = (foreach_overview: object) =>
  step({ maestro_foreach: { foreach_workflow_id: "maestro_foreach_x", foreach_overview } });

test("a loop under way counts what has ended and what runs, failed steps first", () => {
  const shown = foreach({
    rollup: rollup({ SUCCEEDED: 95, STOPPED: 1 }),
    running_rollup: rollup({ RUNNING: 3, USER_FAILED: 2, SUCCEEDED: 1, NEW_ONE: 1 }),
  });
  expect(belowText(shown)).toBe("  [2 USER_FAILED, 1 STOPPED, 3 RUNNING, 96 SUCCEEDED, 1 NEW_ONE]");
  expect(
    belowText(
      step({
        maestro_while: { rollup: rollup({ SUCCEEDED: 2 }), last_overview: { rollup_overview: rollup({ RUNNING: 1 }) } },
      }),
    ),
  ).toBe("  [1 RUNNING, 2 SUCCEEDED]");
  expect(
    belowText(step({ maestro_subworkflow: { subworkflow_overview: { rollup_overview: rollup({ PAUSED: 1 }) } } })),
  ).toBe("  [1 PAUSED]");
  for (const nothing of [{}, step({}), foreach({ checkpoint: 0 }), step({ maestro_foreach: 7 })]) {
    expect([belowText(nothing as never), belowNotes(nothing as never)]).toEqual(["", []]);
  }
});

test("a note says where to look on: at few of many failed iterations, the last round, the child", () => {
  const details = { SUCCEEDED: [[1, 2]], FAILED: [3, [5, 9], 11, 13, 15, 17, 19, 21, 23] };
  expect(belowNotes(foreach({ details }))).toEqual([
    "failed iterations of maestro_foreach_x: 3, 5–9, 11, 13, 15, 17, 19, 21, …",
  ]);
  const loop = { loop_workflow_id: "maestro_while_x", last_iteration: 4 };
  expect(belowNotes(step({ maestro_while: { ...loop, last_status: "FAILED" } }))).toEqual([
    "failed in maestro_while_x instance 4",
  ]);
  expect(belowNotes(step({ maestro_while: { ...loop, last_status: "SUCCEEDED" } }))).toEqual([]);
  const child = { subworkflow_id: "etl", subworkflow_instance_id: 7 };
  expect(belowNotes(step({ maestro_subworkflow: child }))).toEqual(["is etl instance 7"]);
});
