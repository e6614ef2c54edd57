import { describe, expect, test } from "bun:test";
import { addRollups, runOverview } from "../../src/run/overview.ts";
import { overviewView } from "../../src/run/view.ts";
import { attempt } from "../store/fixture.ts";

const RUN = { workflowId: "w", instanceId: 3, runId: 2 };

describe("a run's overview", () => {
  test("counts the newest attempt at each step, and nothing that was never made", () => {
    const overview = runOverview(RUN, 4, [
      attempt("a", 2, { status: "RUNNING", times: { start_time: 5 } }),
      attempt("a", 1, { status: "USER_FAILED", times: { end_time: 4 } }),
      attempt("b", 1, { status: "UNSATISFIED", times: { end_time: 9 } }),
      attempt("c", 1, { status: "NOT_CREATED", times: {} }),
    ]);
    expect(overview).toEqual({
      total: 4,
      steps: { RUNNING: [["a", 5, null]], UNSATISFIED: [["b", null, 9]] },
      rollup: {
        total_leaf_count: 2,
        overview: { RUNNING: { cnt: 1, ref: { "w:2": ["3:a:2"] } }, UNSATISFIED: { cnt: 1 } },
      },
    });
  });

  test("replaces loops and subworkflows by the leaves below them, once there are any", () => {
    const rollup = (status: string, cnt: number, ref?: Record<string, string[]>) => ({
      total_leaf_count: cnt,
      overview: { [status]: { cnt, ...(ref && { ref }) } },
    });
    const { rollup: sum } = runOverview(RUN, 5, [
      attempt("each", 1, {
        status: "RUNNING",
        artifacts: {
          maestro_foreach: {
            foreach_overview: {
              checkpoint: 2,
              rollup: rollup("SUCCEEDED", 10),
              running_rollup: rollup("RUNNING", 2, { "f:1": ["4:work:1", "5:work:1"] }),
            },
          },
        },
      }),
      attempt("unstarted", 1, {
        status: "RUNNING",
        artifacts: { maestro_foreach: { foreach_overview: { checkpoint: 0 } } },
      }),
      attempt("loop", 1, {
        status: "SUCCEEDED",
        artifacts: {
          maestro_while: {
            first_iteration: 1,
            last_iteration: 3,
            rollup: rollup("SUCCEEDED", 2),
            last_overview: { rollup_overview: rollup("SUCCEEDED", 1) },
          },
        },
      }),
      attempt("child", 1, {
        status: "FATALLY_FAILED",
        artifacts: {
          maestro_subworkflow: {
            subworkflow_overview: { rollup_overview: rollup("FATALLY_FAILED", 1, { "c:1": ["1:x:1"] }) },
          },
        },
      }),
    ]);
    expect(sum).toEqual({
      total_leaf_count: 10 + 2 + 1 + 3 + 1,
      overview: {
        SUCCEEDED: { cnt: 13 },
        RUNNING: { cnt: 3, ref: { "f:1": ["4:work:1", "5:work:1"], "w:2": ["3:unstarted:1"] } },
        FATALLY_FAILED: { cnt: 1, ref: { "c:1": ["1:x:1"] } },
      },
    });
  });

  test("numbers steps by the graph and sorts by the number", () => {
    const overview = runOverview(RUN, 3, [
      attempt("c", 1, { status: "SUCCEEDED", times: { start_time: 1, end_time: 2 } }),
      attempt("a", 1, { status: "SUCCEEDED", times: { start_time: 3, end_time: 4 } }),
    ]);
    expect(overviewView(overview, { a: {}, b: {}, c: {} }).step_overview).toEqual({
      SUCCEEDED: {
        cnt: 2,
        steps: [
          [1, 3, 4],
          [3, 1, 2],
        ],
      },
    });
  });

  test("adding rollups leaves the parts as they were", () => {
    const part = { total_leaf_count: 1, overview: { RUNNING: { cnt: 1, ref: { r: ["1:a:1"] } } } } as const;
    addRollups([part, part]);
    expect(part).toEqual({ total_leaf_count: 1, overview: { RUNNING: { cnt: 1, ref: { r: ["1:a:1"] } } } });
  });

  test("takes time that grows with the failed leaves, and not with their square", () => {
    const leaves = 300_000;
    const failed = Array.from({ length: leaves }, (_, i) => attempt(`s${i}`, 1, { status: "FATALLY_FAILED" }));
    const { rollup } = runOverview(RUN, leaves, failed);
    expect(rollup.overview.FATALLY_FAILED?.ref?.["w:2"]).toHaveLength(leaves);
  });
});
