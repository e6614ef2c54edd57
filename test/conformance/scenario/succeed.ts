/** Declaring a step done, which upstream does not have. */
import { expect } from "bun:test";
import { having, long, noop, sleep, text, to, when } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

export const SUCCEED = {
  "step succeed: a running step ends SUCCEEDED, with outputs that what follows reads": async () => {
    const steps = [
      sleep("a", 600, having({ rows: long(0) }), when({ b: "rows == 5", c: "rows != 5" })),
      noop("b", having({ seen: text("${a__rows}") })),
      noop("c"),
    ];
    const run = await (await given(steps)).start();
    await run.step("a").reaches("RUNNING");
    await run.step("a").succeed({ rows: long(5) });
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "SUCCEEDED", b: "SUCCEEDED", c: "UNSATISFIED" });
    expect(await run.step("b").value("seen")).toBe("5");
  },

  "step succeed: a failed step of a run that is under way gets another attempt, which is done": async () => {
    const run = await (await given([sleep("a", 600, to("b")), noop("b"), sleep("side", 600)])).start();
    await run.step("a").reaches("RUNNING");
    await run.step("a").does("kill");
    await run.step("a").succeed();
    await run.step("a").attemptReaches(2, "SUCCEEDED");
    await run.step("b").reaches("SUCCEEDED");
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step succeed: of an ended run, and with outputs that the step does not declare, is refused": async () => {
    const run = await (await given([sleep("a", 600)])).start();
    await run.step("a").reaches("RUNNING");
    await run.step("a").refusesSuccess(400, { nosuch: long(1) });
    await run.step("a").does("stop");
    await run.ends("STOPPED");
    await run.step("a").refusesSuccess(400);
  },
};
