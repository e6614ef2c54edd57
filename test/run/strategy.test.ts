import { describe, expect, test } from "bun:test";
import { RUN_STRATEGY_RULES, type RunStrategyRule } from "../../src/definition/strategy.ts";
import {
  changeStrategy,
  dequeue,
  type Earlier,
  end,
  enqueue,
  pause,
  type StartRequest,
  start,
  stopQueued,
  unblock,
  type WorkflowRuns,
} from "../../src/run/strategy.ts";

const ref = (instanceId: number, runId = 1) => ({ workflowId: "w", instanceId, runId });
const refs = (...instanceIds: readonly number[]) => instanceIds.map((id) => ref(id));
const ids = (runs: readonly { readonly instanceId: number }[]) => runs.map((run) => run.instanceId);

/** Of which nine instances were made. */
const workflow = (
  rule: RunStrategyRule,
  workflow_concurrency: number,
  more: Partial<WorkflowRuns> = {},
): WorkflowRuns => ({
  workflowId: "w",
  internalId: 1,
  revision: 0,
  strategy: { rule, workflow_concurrency },
  paused: false,
  latestInstanceId: 9,
  running: [],
  waiting: [],
  failed: [],
  ...more,
});

const request = (uuid: string, more: Partial<StartRequest> = {}): StartRequest => ({
  uuid,
  internalId: 1,
  revision: 0,
  status: "CREATED",
  ...more,
});
const nothing: Earlier = { made: () => undefined, latest: () => undefined };
const startMany = (runs: WorkflowRuns, count: number) =>
  start(
    runs,
    Array.from({ length: count }, (_, i) => request(`${i}`)),
    nothing,
  );

describe("a batch of three", () => {
  const idle = {};
  const busy = { running: refs(1) };
  const queued = { running: refs(1), waiting: refs(2, 3) };
  const freed = { waiting: refs(2) };
  const failed = { failed: refs(1) };
  test.each<[RunStrategyRule, number, Partial<WorkflowRuns>, string, number[], number[]]>([
    ["SEQUENTIAL", 1, idle, "LAUNCHED QUEUED QUEUED", [], []],
    ["SEQUENTIAL", 1, busy, "QUEUED QUEUED QUEUED", [], []],
    ["SEQUENTIAL", 1, freed, "QUEUED QUEUED QUEUED", [], []],
    ["SEQUENTIAL", 1, failed, "LAUNCHED QUEUED QUEUED", [], []],
    ["PARALLEL", 3, idle, "LAUNCHED LAUNCHED LAUNCHED", [], []],
    ["PARALLEL", 3, busy, "LAUNCHED LAUNCHED QUEUED", [], []],
    ["PARALLEL", 9, freed, "QUEUED QUEUED QUEUED", [], []],
    ["PARALLEL", 0, idle, "QUEUED QUEUED QUEUED", [], []],
    ["STRICT_SEQUENTIAL", 1, idle, "LAUNCHED QUEUED QUEUED", [], []],
    ["STRICT_SEQUENTIAL", 1, failed, "QUEUED QUEUED QUEUED", [], []],
    ["FIRST_ONLY", 1, idle, "LAUNCHED STOPPED STOPPED", [], []],
    ["FIRST_ONLY", 1, busy, "STOPPED STOPPED STOPPED", [], []],
    ["FIRST_ONLY", 1, freed, "STOPPED STOPPED STOPPED", [], []],
    ["LAST_ONLY", 1, idle, "LAUNCHED STOPPED QUEUED", [], [10]],
    ["LAST_ONLY", 1, queued, "STOPPED STOPPED QUEUED", [2, 3], [1]],
    ["LAST_ONLY", 1, freed, "LAUNCHED STOPPED QUEUED", [2], [10]],
    ["SERIAL_LATEST_ONLY", 1, idle, "LAUNCHED STOPPED QUEUED", [], []],
    ["SERIAL_LATEST_ONLY", 1, queued, "STOPPED STOPPED QUEUED", [2, 3], []],
  ])("%s %d, %j: %s", (rule, concurrency, runs, results, stopped, asked) => {
    const started = startMany(workflow(rule, concurrency, runs), 3);
    expect(started.decisions.map(({ result }) => result).join(" ")).toBe(results);
    expect(ids(started.stopped)).toEqual(stopped);
    expect(ids(started.asked)).toEqual(asked);
    expect(started.workflow.latestInstanceId).toBe(12);
  });
});

test("a uuid makes one run, and a start that has read another workflow makes none", () => {
  const { decisions, workflow: after } = start(
    workflow("PARALLEL", 9),
    [
      request("a"),
      request("a"),
      request("known", { revision: 7 }),
      request("known", { internalId: 2 }),
      request("b", { revision: 7 }),
      request("b"),
      request("c", { internalId: 2 }),
    ],
    { ...nothing, made: (uuid) => (uuid === "known" ? ref(4, 2) : undefined) },
  );
  expect(decisions).toEqual([
    { result: "LAUNCHED", ref: ref(10) },
    { result: "DUPLICATED", ref: ref(10) },
    { result: "DUPLICATED", ref: ref(4, 2) },
    { result: "DUPLICATED", ref: ref(4, 2) },
    { result: "CHANGED" },
    { result: "CHANGED" },
    { result: "CHANGED" },
  ]);
  expect(after.latestInstanceId).toBe(10);
});

test("a run that is kept as FAILED takes no place, and holds a strictly sequential workflow back", () => {
  const requests = [request("a", { status: "FAILED" }), request("b")];
  const results = (rule: RunStrategyRule) =>
    start(workflow(rule, 1), requests, nothing).decisions.map((it) => it.result);
  expect(results("SEQUENTIAL")).toEqual(["FAILED", "LAUNCHED"]);
  expect(results("FIRST_ONLY")).toEqual(["FAILED", "LAUNCHED"]);
  expect(results("STRICT_SEQUENTIAL")).toEqual(["FAILED", "QUEUED"]);
});

test.each<[RunStrategyRule, number, Partial<WorkflowRuns>, number[]]>([
  ["SEQUENTIAL", 1, {}, [4]],
  ["SEQUENTIAL", 1, { running: refs(1) }, []],
  ["PARALLEL", 3, { running: refs(1) }, [4, 5]],
  ["PARALLEL", 1, { running: refs(1, 2) }, []],
  ["PARALLEL", 0, {}, []],
  ["STRICT_SEQUENTIAL", 1, {}, [4]],
  ["STRICT_SEQUENTIAL", 1, { failed: refs(1) }, []],
  ["FIRST_ONLY", 1, {}, [4]],
  ["LAST_ONLY", 1, {}, [4]],
  ["SERIAL_LATEST_ONLY", 1, {}, [4]],
])("of three that wait, %s %d, %j lets go %j", (rule, concurrency, runs, launched) => {
  const before = workflow(rule, concurrency, { waiting: refs(4, 5, 6), ...runs });
  const after = dequeue(before);
  expect(ids(after.launched)).toEqual(launched);
  expect(ids(after.workflow.running)).toEqual([...ids(before.running), ...launched]);
  expect(ids(after.workflow.waiting)).toEqual([4, 5, 6].slice(launched.length));
});

test("a later run of an old instance waits before newer instances", () => {
  const waiting = [ref(2), ref(5), ref(8)];
  const place = (run: ReturnType<typeof ref>) =>
    enqueue(workflow("SEQUENTIAL", 1, { waiting }), run).waiting.indexOf(run);
  expect([ref(1), ref(5, 2), ref(9)].map(place)).toEqual([0, 2, 3]);
});

describe("a restart", () => {
  const restart = (restartOf: number, more: Partial<StartRequest> = {}) =>
    request(`r${restartOf}`, { restartOf, ...more });
  const earlier: Earlier = { ...nothing, latest: (id) => (id <= 9 ? ref(id, 2) : undefined) };
  const decide = (runs: WorkflowRuns, ...requests: readonly StartRequest[]) => start(runs, requests, earlier);
  const texts = ({ decisions }: ReturnType<typeof start>) =>
    decisions.map((it) => ("ref" in it ? `${it.result} ${it.ref.instanceId}/${it.ref.runId}` : it.result));

  test("is the next run of its instance, and takes no new instance id", () => {
    const { workflow: after, ...started } = decide(workflow("PARALLEL", 9), restart(3), request("new"));
    expect(texts({ workflow: after, ...started })).toEqual(["LAUNCHED 3/3", "LAUNCHED 10/1"]);
    expect(after.latestInstanceId).toBe(10);
  });

  test("needs an instance, whose latest run has ended", () => {
    const open = { running: [ref(1, 2)], waiting: [ref(2, 2)] };
    const asked = [restart(1), restart(2), restart(11), restart(4), restart(4, { uuid: "again" })];
    expect(texts(decide(workflow("PARALLEL", 9, open), ...asked))).toEqual([
      "UNFINISHED 1/2",
      "UNFINISHED 2/2",
      "MISSING",
      "QUEUED 4/3",
      "UNFINISHED 4/3",
    ]);
  });

  test("is not made after another run than that which it was made from", () => {
    const asked = [restart(3, { restartAfter: 1 }), restart(4, { restartAfter: 2 }), restart(5, { restartAfter: 3 })];
    expect(texts(decide(workflow("PARALLEL", 9), ...asked))).toEqual(["CHANGED", "LAUNCHED 4/3", "CHANGED"]);
  });

  test("goes before later instances, and after earlier ones", () => {
    const waits = { waiting: refs(5) };
    expect(texts(decide(workflow("PARALLEL", 9, waits), restart(4), restart(6)))).toEqual([
      "LAUNCHED 4/3",
      "QUEUED 6/3",
    ]);
  });

  test("goes by the run strategy as any new run does", () => {
    const busy = { running: [ref(8)], waiting: [ref(9)] };
    const of = (rule: RunStrategyRule, runs = busy) => {
      const { stopped, asked, ...rest } = decide(workflow(rule, 1, runs), restart(3));
      return [...texts({ stopped, asked, ...rest }), ids(stopped), ids(asked)];
    };
    expect(of("FIRST_ONLY")).toEqual(["STOPPED 3/3", [], []]);
    expect(of("LAST_ONLY")).toEqual(["QUEUED 3/3", [9], [8]]);
    expect(of("SERIAL_LATEST_ONLY")).toEqual(["QUEUED 3/3", [9], []]);
    expect(of("LAST_ONLY", { running: [], waiting: [] })).toEqual(["LAUNCHED 3/3", [], []]);
  });

  test("is stopped by a later request of its batch, as one of the batch's own", () => {
    const started = decide(workflow("SERIAL_LATEST_ONLY", 1, { running: [ref(8)] }), restart(3), request("new"));
    expect(texts(started)).toEqual(["STOPPED 3/3", "QUEUED 10/1"]);
    expect(started.stopped).toEqual([]);
    expect(
      texts(decide(workflow("FIRST_ONLY", 1, { running: [ref(8)] }), restart(3), restart(3, { uuid: "b" }))),
    ).toEqual(["STOPPED 3/3", "STOPPED 3/4"]);
  });

  test("takes the failed runs of its instance away, and those only", () => {
    const failed = { failed: [ref(3, 1), ref(3, 2), ref(4, 2)], waiting: refs(5) };
    const one = decide(workflow("STRICT_SEQUENTIAL", 1, failed), restart(3));
    expect(texts(one)).toEqual(["QUEUED 3/3"]);
    expect(one.replaced).toEqual([ref(3, 1), ref(3, 2)]);
    expect(one.workflow.failed).toEqual([ref(4, 2)]);
    expect(one.announced).toBe(true);
    expect(texts(decide(workflow("STRICT_SEQUENTIAL", 1, failed), restart(3), restart(4)))).toEqual([
      "QUEUED 3/3",
      "QUEUED 4/3",
    ]);
    expect(texts(decide(workflow("STRICT_SEQUENTIAL", 1, failed), restart(4), restart(3)))).toEqual([
      "QUEUED 4/3",
      "LAUNCHED 3/3",
    ]);
    const kept = decide(workflow("STRICT_SEQUENTIAL", 1, { failed: [ref(3, 2)] }), restart(3, { status: "FAILED" }));
    expect(kept.workflow.failed).toEqual([ref(3, 3)]);
    expect(decide(workflow("PARALLEL", 9, failed), restart(3))).toMatchObject({ announced: false });
  });
});

describe("a batch that is one decision", () => {
  const batch = (count: number) => Array.from({ length: count }, (_, i) => request(`b${i}`, { batch: 1 }));
  const decide = (rule: RunStrategyRule, runs: Partial<WorkflowRuns>, requests: readonly StartRequest[]) => {
    const { decisions, ...started } = start(workflow(rule, 1, runs), requests, nothing);
    const results = decisions.map(({ result }) => result).join(" ");
    return [results, ids(started.stopped), ids(started.asked), ids(started.workflow.running)];
  };

  test.each<[RunStrategyRule, Partial<WorkflowRuns>, string, number[], number[], number[]]>([
    ["SEQUENTIAL", {}, "LAUNCHED QUEUED QUEUED", [], [], [10]],
    ["FIRST_ONLY", {}, "LAUNCHED STOPPED STOPPED", [], [], [10]],
    ["FIRST_ONLY", { running: refs(1) }, "STOPPED STOPPED STOPPED", [], [], [1]],
    ["LAST_ONLY", {}, "STOPPED STOPPED LAUNCHED", [], [], [12]],
    ["LAST_ONLY", { running: refs(1), waiting: refs(2) }, "STOPPED STOPPED QUEUED", [2], [1], [1]],
    ["SERIAL_LATEST_ONLY", {}, "STOPPED STOPPED LAUNCHED", [], [], [12]],
    ["SERIAL_LATEST_ONLY", { running: refs(1), waiting: refs(2) }, "STOPPED STOPPED QUEUED", [2], [], [1]],
  ])("%s, %j: %s", (rule, runs, results, stopped, asked, running) => {
    expect(decide(rule, runs, batch(3))).toEqual([results, stopped, asked, running]);
  });

  test("is not mixed with what comes before and after it", () => {
    const others = [request("before"), ...batch(2), request("after")];
    expect(decide("LAST_ONLY", {}, others)).toEqual(["LAUNCHED STOPPED STOPPED QUEUED", [], [10], [10]]);
    const two = [...batch(2), ...batch(2).map((it) => ({ ...it, uuid: `2${it.uuid}`, batch: 2 }))];
    expect(decide("SERIAL_LATEST_ONLY", {}, two)).toEqual(["STOPPED LAUNCHED STOPPED QUEUED", [], [], [11]]);
  });

  test("is survived by the last one that is new", () => {
    const requests = [...batch(2), ...batch(1), request("known", { batch: 1 })];
    const known: Earlier = { ...nothing, made: (uuid) => (uuid === "known" ? ref(4) : undefined) };
    const { decisions } = start(workflow("LAST_ONLY", 1), requests, known);
    expect(decisions).toEqual([
      { result: "STOPPED", ref: ref(10) },
      { result: "LAUNCHED", ref: ref(11) },
      { result: "DUPLICATED", ref: ref(10) },
      { result: "DUPLICATED", ref: ref(4) },
    ]);
  });
});

test("what a parent without its group asks for comes to nothing, and what comes after it has its own try", () => {
  const requests = [request("a", { isStale: true }), request("a"), request("b")];
  expect(start(workflow("PARALLEL", 9), requests, nothing).decisions).toEqual([
    { result: "STALE" },
    { result: "CHANGED" },
    { result: "LAUNCHED", ref: ref(10) },
  ]);
});

test("of a paused workflow nothing goes, and what does not queue is not made", () => {
  const paused = (rule: RunStrategyRule) => workflow(rule, 2, { paused: true, waiting: refs(2) });
  for (const rule of Object.keys(RUN_STRATEGY_RULES) as RunStrategyRule[]) {
    const results = startMany(paused(rule), 2).decisions.map(({ result }) => result);
    const isQueue = rule !== "FIRST_ONLY" && rule !== "LAST_ONLY";
    if (isQueue) expect(results.at(-1)).toBe("QUEUED");
    else expect(results).toEqual(["PAUSED", "PAUSED"]);
    expect(dequeue(paused(rule)).launched).toEqual([]);
  }
  const resumed = pause(paused("PARALLEL"), false) as WorkflowRuns;
  expect(ids(dequeue(resumed).launched)).toEqual([2]);
  expect(pause(resumed, false)).toBeUndefined();
});

test("a run ends once, and only a failed one holds others back, until it is unblocked", () => {
  const before = workflow("STRICT_SEQUENTIAL", 1, { running: refs(1), waiting: refs(2) });
  expect(stopQueued(before, ref(1), "STOPPED")).toBeUndefined();
  expect(stopQueued(before, ref(2), "STOPPED")).toEqual({ ...before, waiting: [] });
  expect(end(before, ref(1), "TIMED_OUT")).toEqual({ ...before, running: [] });
  const failed = end(before, ref(1), "FAILED");
  expect(dequeue(failed).launched).toEqual([]);
  expect(unblock(failed, ref(2))).toBeUndefined();
  expect(unblock(failed, ref(1))).toEqual({ ...before, running: [] });
});

test("a rule is refused that the runs at hand would break", () => {
  const refused = (runs: Partial<WorkflowRuns>) =>
    (Object.keys(RUN_STRATEGY_RULES) as RunStrategyRule[]).filter(
      (rule) => changeStrategy(workflow("PARALLEL", 3, runs), { rule, workflow_concurrency: 1 }) === undefined,
    );
  expect(refused({ running: refs(1) })).toEqual([]);
  expect(refused({ running: refs(1), waiting: refs(2) })).toEqual(["FIRST_ONLY", "LAST_ONLY"]);
  expect(refused({ failed: refs(1) })).toEqual(["STRICT_SEQUENTIAL"]);
  const strict = workflow("STRICT_SEQUENTIAL", 1, { failed: refs(1) });
  expect(changeStrategy(strict, strict.strategy)).toEqual({ ...strict, revision: 1 });
});
