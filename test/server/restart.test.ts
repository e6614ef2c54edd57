/** Restarts of runs and actions on steps that have ended, on a whole server. */
import { beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/json.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

let server: Served;
beforeAll(async () => {
  server = await served();
}, PATIENCE);

type Steps = readonly JsonObject[];

const noop = (id: string, to: readonly string[] = [], more: JsonObject = {}): JsonObject => ({
  step: { id, type: "NoOp", transition: { successors: Object.fromEntries(to.map((it) => [it, "true"])) }, ...more },
});
const long = (value: number): JsonObject => ({ type: "LONG", value });
/** Fails while `d` is 0. */
const divides = (id: string, to: readonly string[] = []): JsonObject =>
  noop(id, to, { params: { y: { type: "LONG", expression: "1 / d" }, d: long(0), rows: long(7) } });
const sleeps = (id: string): JsonObject => ({ step: { id, type: "Sleep", params: { sleep_seconds: long(600) } } });

async function push(id: string, steps: Steps, more: JsonObject = {}): Promise<void> {
  const workflow = { id, steps, ...more };
  await server.send("POST", "", { properties: { owner: "ann", run_strategy: "PARALLEL" }, workflow });
}

async function start(id: string, body: JsonObject = {}): Promise<void> {
  await server.send("POST", `/${id}/versions/latest/actions/start`, { initiator: { type: "manual" }, ...body });
}

const get = async (path: string): Promise<JsonObject> => read(await server.send("GET", path));
const ended = (id: string, run: number): Promise<JsonObject> => get(`/${id}/instances/1/runs/${run}?wait=60`);

/** Until the step of the latest run is in this status. */
async function until(id: string, step: string, status: string): Promise<void> {
  for (;;) {
    const found = await get(`/${id}/instances/1/steps/${step}`).catch(() => ({}));
    if (at(found, "runtime_state", "status") === status) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const restart = async (id: string, body: JsonObject = {}): Promise<JsonObject> =>
  read(
    await server.send("POST", `/${id}/instances/1/actions/restart`, {
      restart_policy: "RESTART_FROM_INCOMPLETE",
      ...body,
    }),
  );
const restartStep = async (id: string, step: string, body: JsonObject = {}): Promise<JsonObject> =>
  read(
    await server.send("POST", `/${id}/instances/1/steps/${step}/actions/restart`, {
      restart_policy: "RESTART_FROM_INCOMPLETE",
      ...body,
    }),
  );
const act = async (id: string, step: string, action: string, body?: JsonObject): Promise<JsonObject> =>
  read(await server.send("PUT", `/${id}/instances/1/steps/${step}/actions/${action}`, body));

const statuses = async (id: string): Promise<JsonObject> => {
  const { aggregated_info } = await get(`/${id}/instances/1`);
  const views = Object.entries(at(aggregated_info, "step_aggregated_views") as Record<string, JsonObject>);
  return Object.fromEntries(views.map(([step, view]) => [step, `${view.status} ${view.workflow_run_id ?? "-"}`]));
};
const refused = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "accepted",
    (error: Error) => error.message,
  );

describe("a restart from what is incomplete", () => {
  test(
    "lets conditions and params of the steps that it does not run decide, as one run would have done",
    async () => {
      await push("joins", [
        noop("a", [], { params: { n: long(5) }, transition: { successors: { join: "n > 9", ends: "n < 9" } } }),
        divides("b", ["join", "sum"]),
        noop("join"),
        noop("ends"),
        noop("sum", [], { params: { total: { type: "LONG", expression: "a__n + b__d" } } }),
      ]);
      await start("joins");
      expect((await ended("joins", 1)).status).toBe("FAILED");
      const made = await restartStep("joins", "b", { step_run_params: { d: long(1) } });
      expect([made.workflow_run_id, made.status, made.step_id]).toEqual([2, "CREATED", undefined]);
      const run = await ended("joins", 2);
      expect([run.status, Object.keys(run.runtime_dag as JsonObject).sort()]).toEqual([
        "SUCCEEDED",
        ["b", "join", "sum"],
      ]);
      expect(await statuses("joins")).toEqual({
        a: "SUCCEEDED 1",
        b: "SUCCEEDED 2",
        join: "SUCCEEDED 2",
        ends: "SUCCEEDED 1",
        sum: "SUCCEEDED 2",
      });
      const sum = await get("/joins/instances/1/steps/sum");
      expect(at(sum, "params", "total", "evaluated_result")).toBe(6);
      expect(at(run, "runtime_overview", "rollup_overview", "total_leaf_count")).toBe(5);
    },
    PATIENCE,
  );

  test(
    "is refused when there is nothing to do",
    async () => {
      await push("complete", [noop("a")]);
      await start("complete");
      await ended("complete", 1);
      expect(await refused(restart("complete"))).toContain("400");
      expect(await refused(restart("complete"))).toContain("all its steps are complete");
      expect((await restart("complete", { restart_policy: "RESTART_FROM_BEGINNING" })).workflow_run_id).toBe(2);
    },
    PATIENCE,
  );

  test(
    "evaluates anew what depends on a param that it gives, and merges the params of a run that never began as a start does",
    async () => {
      const derived = {
        d: long(0),
        dep: { type: "STRING", value: "v${d}" },
        fixed: { ...long(3), mode: "MUTABLE_ON_START" },
      };
      await push("derived", [noop("a", [], { params: { y: { type: "LONG", expression: "1 / d" } } })], {
        params: derived,
      });
      await start("derived");
      await ended("derived", 1);
      expect(await refused(restart("derived", { run_params: { fixed: long(4) } }))).toContain(
        "Cannot modify param with mode [MUTABLE_ON_START] for parameter [fixed]",
      );
      await restart("derived", { run_params: { d: long(2) } });
      const run = await ended("derived", 2);
      expect([run.status, at(run, "params", "dep", "evaluated_result")]).toEqual(["SUCCEEDED", "v2"]);

      await push("unborn", [noop("a")], {
        params: { ...derived, d: long(1), p: { type: "LONG", expression: "1 / d" } },
      });
      await start("unborn", { persist_failed_run: true, run_params: { fixed: long(9), d: long(0) } });
      expect((await ended("unborn", 1)).status).toBe("FAILED");
      await restart("unborn", { run_params: { d: long(1) } });
      const born = await ended("unborn", 2);
      const shown = ["fixed", "p", "dep"].map((name) => at(born, "params", name, "evaluated_result"));
      expect([born.status, shown]).toEqual(["SUCCEEDED", [9, 1, "v1"]]);
    },
    PATIENCE,
  );
});

describe("a restart of one step", () => {
  const branches = [divides("a", ["next"]), noop("next"), divides("b")];

  test(
    "leaves the other unfinished ones, whose fault the instance keeps",
    async () => {
      await push("one", branches);
      await start("one");
      await ended("one", 1);
      await restartStep("one", "a", { step_run_params: { d: long(1) } });
      const run = await ended("one", 2);
      expect([run.status, at(run, "runtime_overview", "run_status")]).toEqual(["FAILED", "SUCCEEDED"]);
      expect(at(run, "runtime_overview", "total_step_count")).toBe(3);
      expect(await statuses("one")).toEqual({ a: "SUCCEEDED 2", next: "SUCCEEDED 2", b: "INTERNALLY_FAILED 1" });
      expect((await restart("one")).workflow_run_id).toBe(3);
      expect((await ended("one", 3)).status).toBe("FAILED");
    },
    PATIENCE,
  );

  test(
    "keeps step params of earlier restarts",
    async () => {
      await push("carried", branches);
      await start("carried");
      await ended("carried", 1);
      await restartStep("carried", "a", { step_run_params: { d: long(2) } });
      await ended("carried", 2);
      await restartStep("carried", "b", { step_run_params: { d: long(4), rows: long(8) } });
      const run = await ended("carried", 3);
      expect([
        run.status,
        at(run, "runtime_overview", "run_status"),
        at(run, "step_run_params", "a", "d", "value"),
      ]).toEqual(["SUCCEEDED", undefined, 2]);
      await restart("carried", { restart_policy: "RESTART_FROM_BEGINNING" });
      const last = await ended("carried", 4);
      const b = await get("/carried/instances/1/steps/b");
      expect([last.status, at(b, "params", "d", "evaluated_result"), at(b, "params", "rows", "source")]).toEqual([
        "SUCCEEDED",
        4,
        "RESTART",
      ]);
    },
    PATIENCE,
  );

  test(
    "checks its params at the request",
    async () => {
      const fixed = {
        params: { d: { ...long(0), mode: "MUTABLE_ON_START" }, y: { type: "LONG", expression: "1 / d" } },
      };
      await push("modes", [noop("a", [], fixed)]);
      await start("modes");
      await ended("modes", 1);
      expect(await refused(restartStep("modes", "a", { step_run_params: { d: long(1) } }))).toContain("400");
      const added = restartStep("modes", "a", { step_run_params: { extra: { ...long(1), mode: "CONSTANT" } } });
      expect(await refused(added)).toContain("[extra]");
    },
    PATIENCE,
  );

  test(
    "is refused for a step that is not there, or was never made, and for an unknown mode",
    async () => {
      await push("unmade", [divides("a", ["next"]), noop("next")]);
      await start("unmade");
      await ended("unmade", 1);
      expect(await refused(restartStep("unmade", "nope"))).toContain("has no such step");
      expect(await refused(restartStep("unmade", "next"))).toContain("before it is created");
      expect(await refused(restartStep("unmade", "a", { upstream_restart_mode: "UP" }))).toContain(
        "upstream_restart_mode",
      );
      const whole = await restartStep("unmade", "a", { upstream_restart_mode: "RESTART_FROM_INLINE_ROOT" });
      expect([whole.workflow_run_id, whole.step_id]).toEqual([2, undefined]);
      expect(at(await ended("unmade", 2), "run_config", "policy")).toBe("RESTART_FROM_INCOMPLETE");
    },
    PATIENCE,
  );
});

describe("a repeated request", () => {
  test(
    "is answered with the run that the first one made, though that is under way",
    async () => {
      await push("twice", [divides("a"), sleeps("b")]);
      await start("twice");
      await until("twice", "b", "RUNNING");
      expect(await refused(restart("twice"))).toContain("it has not ended");
      await server.send("PUT", "/twice/instances/1/actions/stop");
      await ended("twice", 1);
      const request_id = "4f3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e75";
      const first = await restart("twice", { request_id });
      const second = await restart("twice", { request_id: request_id.toUpperCase() });
      expect([second.status, second.workflow_run_id, second.workflow_uuid]).toEqual(["DUPLICATED", 2, request_id]);
      expect(first.status).toBe("CREATED");
      await server.send("PUT", "/twice/instances/1/actions/kill");
      await ended("twice", 2);
    },
    PATIENCE,
  );
});

describe("a step of a run that is under way", () => {
  const live = [divides("a", ["next"]), noop("next"), sleeps("side")];

  async function failed(id: string): Promise<void> {
    await push(id, live);
    await start(id);
    await until(id, "a", "INTERNALLY_FAILED");
    await until(id, "side", "RUNNING");
  }
  const end = async (id: string): Promise<void> => {
    await server.send("PUT", `/${id}/instances/1/actions/stop`);
    await ended(id, 1);
  };

  test(
    "is tried again with other params, once it has failed",
    async () => {
      await failed("live");
      const made = await restartStep("live", "a", { step_run_params: { d: long(2) } });
      expect([made.workflow_run_id, made.step_id, made.step_attempt_id]).toEqual([1, "a", 2]);
      await until("live", "next", "SUCCEEDED");
      const again = restartStep("live", "a");
      expect(await refused(again)).toContain("is complete. It can be done again once the run has ended");
      expect(await refused(restartStep("live", "side"))).toContain("Stop it first");
      await end("live");
      await restart("live", { restart_policy: "RESTART_FROM_BEGINNING" });
      await until("live", "a", "SUCCEEDED");
      expect(at(await get("/live/instances/1/steps/a"), "params", "d", "evaluated_result")).toBe(2);
      await server.send("PUT", "/live/instances/1/actions/stop");
    },
    PATIENCE,
  );

  test(
    "is skipped, though it has failed",
    async () => {
      await failed("skipped");
      const done = await act("skipped", "a", "skip");
      expect([done.workflow_run_id, done.step_attempt_id, at(done, "step_runtime_state", "status")]).toEqual([
        1,
        2,
        "SKIPPED",
      ]);
      await until("skipped", "next", "SUCCEEDED");
      await end("skipped");
    },
    PATIENCE,
  );

  test(
    "is declared done with outputs, which others read",
    async () => {
      const reads = noop("next", [], { params: { got: { type: "LONG", expression: "a__rows + side__rows" } } });
      const job = {
        step: {
          id: "side",
          type: "Sleep",
          params: { sleep_seconds: long(600), rows: long(1) },
          transition: { successors: { next: "true" } },
        },
      };
      await push("declared", [divides("a", ["next"]), job, reads]);
      await start("declared");
      await until("declared", "a", "INTERNALLY_FAILED");
      await until("declared", "side", "RUNNING");
      const wrong = act("declared", "a", "succeed", { outputs: { nope: long(1) } });
      expect(await refused(wrong)).toContain("Invalid output parameter [nope], not defined in params");
      const computed = act("declared", "a", "succeed", { outputs: { rows: { type: "LONG", expression: "1 + 1" } } });
      expect(await refused(computed)).toContain("write value");
      await act("declared", "a", "succeed", { outputs: { rows: long(30) } });
      const done = await act("declared", "side", "succeed", { outputs: { rows: long(12) } });
      expect(at(done, "step_runtime_state", "status")).toBe("SUCCEEDED");
      expect((await ended("declared", 1)).status).toBe("SUCCEEDED");
      expect(at(await get("/declared/instances/1/steps/next"), "params", "got", "evaluated_result")).toBe(42);
      expect(await refused(act("declared", "a", "succeed"))).toContain("Skip the step instead, or restart it");
    },
    PATIENCE,
  );

  test(
    "needs no body to be declared done",
    async () => {
      await failed("plain");
      await act("plain", "side", "succeed");
      expect(await statuses("plain")).toMatchObject({ side: "SUCCEEDED 1" });
    },
    PATIENCE,
  );
});

describe("restarts of one instance at once", () => {
  test(
    "each follow the run before them, with what that one was given",
    async () => {
      const params = { a: long(1), b: long(1), n: long(0) };
      const workflow = {
        id: "both",
        params,
        steps: [{ step: { id: "s", type: "Sleep", params: { sleep_seconds: { type: "LONG", expression: "n" } } } }],
      };
      await server.send("POST", "", { properties: { owner: "ann", run_strategy: "FIRST_ONLY" }, workflow } as never);
      await start("both");
      await ended("both", 1);
      await start("both", { run_params: { n: long(600) } });
      const whole = { restart_policy: "RESTART_FROM_BEGINNING" };
      // None of them goes, as another instance runs: the first one has ended by the time that the second one is decided upon.
      await Promise.all([
        restart("both", { ...whole, run_params: { a: long(2) } }),
        restart("both", { ...whole, run_params: { b: long(2) } }),
      ]);
      const last = await get("/both/instances/1/runs/3");
      expect([
        last.status,
        at(last, "params", "a", "evaluated_result"),
        at(last, "params", "b", "evaluated_result"),
      ]).toEqual(["STOPPED", 2, 2]);
    },
    PATIENCE,
  );
});

describe("the maps of actions", () => {
  test("are upstream's, and with ours on demand", async () => {
    const map = (query: string) => get(`/steps/instances/action-map${query}`);
    expect(await map("")).toMatchObject({ RUNNING: ["STOP", "KILL", "SKIP"], STOPPED: ["RESTART", "SKIP"] });
    expect(await map("?all=true")).toMatchObject({
      RUNNING: ["STOP", "KILL", "SKIP", "SUCCEED"],
      STOPPED: ["RESTART", "SKIP", "SUCCEED"],
      SUCCEEDED: ["RESTART", "SKIP"],
    });
    expect((await map("")).NOT_CREATED).toBeUndefined();
    expect(await get("/instances/action-map?all=true")).toMatchObject({ FAILED: ["RESTART", "UNBLOCK"] });
  });
});
