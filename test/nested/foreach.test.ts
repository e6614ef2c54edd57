import { describe, expect, test } from "bun:test";
import type { LiveChild, StoredChild } from "../../src/nested/child.ts";
import { endedIn, Foreach, type ForeachHead, type ForeachRules } from "../../src/nested/foreach.ts";
import { addRollups } from "../../src/run/overview.ts";
import { isRunTerminal, type RunStatus } from "../../src/run/status.ts";
import { chanceOf } from "../simulation/clock.ts";

const LOOP = "maestro_foreach_x";
const leaf = (status: "SUCCEEDED" | "STOPPED") => ({ total_leaf_count: 1, overview: { [status]: { cnt: 1 } } });
const RULES: ForeachRules = { mode: "FAIL_AFTER_RUNNING", limit: undefined, strict: false };
const MANY = 100;

const headOf = (total: number, runId = 1): ForeachHead => ({
  foreach_workflow_id: LOOP,
  foreach_identity: "",
  foreach_run_id: runId,
  run_policy: runId > 1 ? "RESTART_FROM_INCOMPLETE" : "START_FRESH_NEW_RUN",
  run_id: runId,
  total_loop_count: total,
});

const live = (instanceId: number, runId = 1): LiveChild => ({
  ...{ workflowId: LOOP, instanceId, runId, key: instanceId * 100 + runId, groupId: 0 },
});
const stored = (instanceId: number, status: RunStatus, runId = 1): StoredChild => ({
  ...live(instanceId, runId),
  status,
  rollup: isRunTerminal(status) ? leaf(status === "SUCCEEDED" ? status : "STOPPED") : undefined,
});

/** Launches all that is due, some at a time. */
function launch(foreach: Foreach, rules = RULES, most = MANY, runId = foreach.head.foreach_run_id): readonly number[] {
  const ids = foreach.due(rules, most);
  for (const id of ids) foreach.launched(live(id, runId));
  return ids;
}

const end = (foreach: Foreach, id: number, status: RunStatus, runId = foreach.head.foreach_run_id): boolean =>
  foreach.ended(stored(id, status, runId));

describe("what is due", () => {
  test("without a limit is everything, as many as are asked for at a time", () => {
    const foreach = Foreach.begin(headOf(5));
    expect([launch(foreach, RULES, 2), launch(foreach, RULES, 2), launch(foreach, RULES, 2), launch(foreach)]).toEqual([
      [1, 2],
      [3, 4],
      [5],
      [],
    ]);
  });

  test("has the places that are free", () => {
    const foreach = Foreach.begin(headOf(9));
    const rules = { ...RULES, limit: 3 };
    expect(launch(foreach, rules)).toEqual([1, 2, 3]);
    expect(launch(foreach, rules)).toEqual([]);
    end(foreach, 2, "SUCCEEDED");
    expect(launch(foreach, rules)).toEqual([4]);
    end(foreach, 3, "SUCCEEDED");
    end(foreach, 4, "STOPPED");
    expect(launch(foreach, rules)).toEqual([5, 6]);
  });

  test("in strict order is within the window that begins at the lowest iteration that runs", () => {
    const foreach = Foreach.begin(headOf(9));
    const rules = { ...RULES, limit: 3, strict: true };
    expect(launch(foreach, rules)).toEqual([1, 2, 3]);
    end(foreach, 2, "SUCCEEDED");
    end(foreach, 3, "SUCCEEDED");
    expect(launch(foreach, rules)).toEqual([]);
    end(foreach, 1, "SUCCEEDED");
    expect(launch(foreach, rules, 2)).toEqual([4, 5]);
    end(foreach, 4, "SUCCEEDED");
    expect(launch(foreach, rules)).toEqual([6, 7]);
  });

  test("is nothing once an iteration has failed", () => {
    const foreach = Foreach.begin(headOf(9));
    launch(foreach, { ...RULES, limit: 1 });
    end(foreach, 1, "FAILED");
    expect(foreach.due(RULES, MANY)).toEqual([]);
  });

  test("goes on after one that was stopped or took too long", () => {
    for (const status of ["STOPPED", "TIMED_OUT"] as const) {
      const foreach = Foreach.begin(headOf(2));
      launch(foreach, { ...RULES, limit: 1 });
      end(foreach, 1, status);
      expect(launch(foreach)).toEqual([2]);
    }
  });

  test("is what earlier runs have not left as it counts", () => {
    const foreach = Foreach.begin(headOf(5, 2), [
      stored(1, "SUCCEEDED"),
      stored(3, "SUCCEEDED"),
      stored(9, "SUCCEEDED"),
    ]);
    expect(launch(foreach)).toEqual([2, 4, 5]);
  });

  test("is the iteration that a restart names first, whatever has become of the others, and once", () => {
    const kept = [stored(1, "SUCCEEDED"), stored(2, "FAILED"), stored(4, "STOPPED")];
    const foreach = Foreach.begin(headOf(4, 2), kept, 3);
    expect(foreach.verdict(RULES)).toBe("GOES_ON");
    expect(launch(foreach)).toEqual([3]);
    expect(launch(foreach)).toEqual([]);
    end(foreach, 3, "SUCCEEDED");
    expect([launch(foreach), foreach.verdict(RULES)]).toEqual([[], "FATAL_ERROR"]);
  });

  test("is not what has ended, though it did not succeed: neither what is kept nor what is named", () => {
    const foreach = Foreach.begin(headOf(4, 2), [stored(1, "SUCCEEDED"), stored(4, "STOPPED")], 3);
    expect(launch(foreach, { ...RULES, limit: 1 })).toEqual([3]);
    end(foreach, 3, "STOPPED");
    expect(launch(foreach)).toEqual([2]);
    end(foreach, 2, "SUCCEEDED");
    expect([launch(foreach), foreach.verdict(RULES)]).toEqual([[], "STOPPED"]);
  });

  test("is no iteration that there is no more", () => {
    const foreach = Foreach.begin(headOf(2, 2), [stored(1, "SUCCEEDED")], 7);
    expect(launch(foreach)).toEqual([2]);
  });

  test("keeps the window around one that was launched out of turn", () => {
    const foreach = Foreach.begin(headOf(6, 2), [], 5);
    const rules = { ...RULES, limit: 2, strict: true };
    expect(launch(foreach, rules)).toEqual([5]);
    expect(launch(foreach, rules)).toEqual([]);
    end(foreach, 5, "SUCCEEDED");
    expect(launch(foreach, rules)).toEqual([1, 2]);
  });
});

describe("the verdict", () => {
  test.each([
    [["SUCCEEDED", "SUCCEEDED"], "DONE"],
    [["SUCCEEDED", "STOPPED"], "STOPPED"],
    [["STOPPED", "TIMED_OUT"], "TIMED_OUT"],
    [["TIMED_OUT", "FAILED"], "FATAL_ERROR"],
  ] as const)("of %p is %s", (statuses, verdict) => {
    const foreach = Foreach.begin(headOf(2));
    launch(foreach);
    for (const [index, status] of statuses.entries()) end(foreach, index + 1, status);
    expect(foreach.verdict(RULES)).toBe(verdict);
  });

  test("of no iterations is that all is done", () => {
    expect(Foreach.begin(headOf(0)).verdict(RULES)).toBe("DONE");
  });

  test("comes once none runs any more; with FAIL_IMMEDIATELY the others are ended", () => {
    const foreach = Foreach.begin(headOf(2));
    launch(foreach);
    end(foreach, 1, "FAILED");
    expect(foreach.verdict(RULES)).toBe("GOES_ON");
    expect(foreach.verdict({ ...RULES, mode: "IGNORE_FAILURE" })).toBe("GOES_ON");
    expect(foreach.verdict({ ...RULES, mode: "FAIL_IMMEDIATELY" })).toBe("KILL");
    end(foreach, 2, "STOPPED");
    expect(foreach.verdict({ ...RULES, mode: "FAIL_IMMEDIATELY" })).toBe("FATAL_ERROR");
  });

  test("does not come before all have been launched", () => {
    const foreach = Foreach.begin(headOf(2));
    launch(foreach, { ...RULES, limit: 1 });
    end(foreach, 1, "SUCCEEDED");
    expect(foreach.verdict(RULES)).toBe("GOES_ON");
  });
});

describe("the end of an iteration", () => {
  test("counts once, and only of the run that runs", () => {
    const foreach = Foreach.begin(headOf(2, 3));
    launch(foreach);
    expect(end(foreach, 1, "FAILED", 2)).toBe(false);
    expect(end(foreach, 1, "SUCCEEDED")).toBe(true);
    expect(end(foreach, 1, "FAILED")).toBe(false);
    expect(end(foreach, 7, "FAILED")).toBe(false);
    expect(foreach.artifact.foreach_overview.stats).toEqual({ IN_PROGRESS: 1, SUCCEEDED: 1 });
  });
});

describe("an iteration that runs again", () => {
  test("counts no more as what it was", () => {
    const foreach = Foreach.begin(headOf(2));
    launch(foreach);
    end(foreach, 1, "FAILED");
    end(foreach, 2, "SUCCEEDED");
    expect(foreach.relaunched(live(1, 2), { status: "FAILED", rollup: leaf("STOPPED") })).toBe(true);
    expect(foreach.artifact.foreach_overview).toEqual({
      checkpoint: 1,
      stats: { IN_PROGRESS: 1, SUCCEEDED: 1 },
      running_stats: { IN_PROGRESS: 1 },
      rollup: leaf("SUCCEEDED"),
      details: { IN_PROGRESS: [1], SUCCEEDED: [2] },
    });
    expect(end(foreach, 1, "SUCCEEDED", 2)).toBe(true);
    expect(foreach.verdict(RULES)).toBe("DONE");
  });

  test("has to have ended so", () => {
    const foreach = Foreach.begin(headOf(2));
    launch(foreach);
    expect(foreach.relaunched(live(1, 2), { status: "FAILED", rollup: undefined })).toBe(false);
    expect(foreach.hasEnded(1)).toBe(false);
    end(foreach, 1, "STOPPED");
    expect(foreach.hasEnded(1)).toBe(true);
  });
});

describe("after a change of owner", () => {
  test("it is as its children say, whatever the artifact has shown of them", () => {
    const before = Foreach.begin(headOf(6));
    launch(before, RULES, 2);
    const children = [stored(1, "SUCCEEDED"), stored(2, "STOPPED"), stored(3, "IN_PROGRESS")];
    const foreach = Foreach.resume(before.artifact, children);
    expect([...foreach.live].map(({ instanceId }) => instanceId)).toEqual([3]);
    expect(launch(foreach)).toEqual([4, 5, 6]);
    expect(foreach.artifact.foreach_overview.details).toEqual({ SUCCEEDED: [1], STOPPED: [2], IN_PROGRESS: [[3, 6]] });
  });

  test("what earlier runs have had counts only if it did when the step began", () => {
    const artifact = Foreach.begin(headOf(3, 2), [stored(1, "SUCCEEDED")]).artifact;
    const foreach = Foreach.resume(artifact, [stored(1, "SUCCEEDED"), stored(2, "FAILED")]);
    expect(launch(foreach)).toEqual([2, 3]);
  });

  test("the iteration that is named is launched, unless it has been", () => {
    const kept = [stored(1, "SUCCEEDED"), stored(2, "FAILED")];
    const { artifact } = Foreach.begin(headOf(4, 2), kept, 3);
    expect(launch(Foreach.resume(artifact, kept, 3))).toEqual([3]);
    const launched = Foreach.resume(artifact, [...kept, stored(3, "IN_PROGRESS", 2)], 3);
    expect([launched.running, launch(launched)]).toEqual([1, []]);
  });

  test("what was passed over for the one that is named is launched", () => {
    const { artifact } = Foreach.begin(headOf(4, 2), [], 3);
    expect(launch(Foreach.resume(artifact, [stored(3, "SUCCEEDED", 2)], 3))).toEqual([1, 2, 4]);
  });
});

test("at any moment, what is shown is a recount of the children, and goes on from there as it would have", () => {
  const ends = ["SUCCEEDED", "SUCCEEDED", "STOPPED", "TIMED_OUT", "FAILED"] as const;
  for (let seed = 1; seed <= 150; seed++) {
    const chance = chanceOf(seed);
    const total = 1 + Math.floor(chance() * 9);
    const rules = {
      ...RULES,
      limit: chance() < 0.3 ? undefined : 1 + Math.floor(chance() * 3),
      strict: chance() < 0.5,
    };
    const rows = new Map<number, StoredChild>();
    let foreach = Foreach.begin(headOf(total));
    for (let step = 0; step < 40; step++) {
      for (const id of launch(foreach, rules, 1 + Math.floor(chance() * 3))) rows.set(id, stored(id, "IN_PROGRESS"));
      const [running] = [...foreach.live].slice(Math.floor(chance() * foreach.running));
      if (running) {
        const status = ends[Math.floor(chance() * (seed % 2 ? 2 : ends.length))] as RunStatus;
        rows.set(running.instanceId, stored(running.instanceId, status));
        end(foreach, running.instanceId, status);
      }
      const { foreach_overview: shown } = foreach.artifact;
      const over = [...rows.values()].filter(({ status }) => isRunTerminal(status));
      expect(shown.rollup?.total_leaf_count).toBe(rows.size === 0 ? undefined : over.length);
      if (rows.size > 0)
        expect(sums(shown.rollup)).toEqual(sums(addRollups(over.flatMap(({ rollup }) => rollup ?? []))));
      for (let id = 1; id <= total; id++) {
        expect(endedIn(shown)(id)).toBe(over.some(({ instanceId }) => instanceId === id));
      }
      if (chance() < 0.2) {
        const resumed = Foreach.resume(foreach.artifact, [...rows.values()]);
        expect(resumed.due(rules, MANY)).toEqual(foreach.due(rules, MANY));
        expect(resumed.verdict(rules)).toBe(foreach.verdict(rules));
        foreach = resumed;
      }
    }
    expect(foreach.running).toBe(0);
  }
});

/** In the order of the names. */
const sums = (rollup: ReturnType<typeof addRollups> | undefined) =>
  Object.entries(rollup?.overview ?? {})
    .map(([status, { cnt }]) => `${status} ${cnt}`)
    .sort();
