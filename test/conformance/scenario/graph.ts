/** The order of steps: edges, joins, roots, and when a run has ended. */
import { expect } from "bun:test";
import { fatal, noop, sleep, to } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

export const GRAPH = {
  "graph: a join starts when all that it comes after have ended": async () => {
    const diamond = [noop("a", to("b", "c")), noop("b", to("d")), sleep("c", 1, to("d")), noop("d")];
    const run = await (await given(diamond)).start();
    await run.ends("SUCCEEDED");
    const time = async (step: string, field: string) => Number((await run.step(step).read()).runtime_state[field]);
    expect(await time("b", "end_time")).toBeLessThan(await time("c", "end_time"));
    expect(await time("d", "create_time"), "D, created").toBeGreaterThanOrEqual(await time("c", "end_time"));
  },

  "graph: a chain runs in its order, whatever the order in the definition": async () => {
    const run = await (await given([noop("c"), noop("b", to("c")), noop("a", to("b"))])).start();
    await run.ends("SUCCEEDED");
    expect((await run.steps()).map((it) => it.step_id)).toEqual(["a", "b", "c"]);
  },

  "graph: several roots start at once, and none waits for another": async () => {
    const run = await (await given([sleep("slow", 60), noop("quick", to("after")), noop("after")])).start();
    await run.step("after").reaches("SUCCEEDED");
    expect(await run.step("slow").status()).toBe("RUNNING");
    await run.stop();
  },

  "graph: what comes after a failed step is never created, and other branches run to their end": async () => {
    const steps = [
      fatal("bad", to("never")),
      noop("never", to("join")),
      sleep("side", 1, to("join", "tail")),
      noop("join"),
      noop("tail"),
    ];
    const run = await (await given(steps)).start();
    const { runtime_overview } = await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ bad: "FATALLY_FAILED", side: "SUCCEEDED", tail: "SUCCEEDED" });
    expect(runtime_overview?.total_step_count).toBe(5);
    expect(await run.overall()).toMatchObject({ never: "NOT_CREATED", join: "NOT_CREATED" });
  },
};
