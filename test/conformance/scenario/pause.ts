/** Pausing a workflow, which upstream declares and does not have. */
import { expect } from "bun:test";
import { noop, sleep } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

export const PAUSE = {
  "pause: runs that wait and new ones wait, those under way go on; resumed, they go in order": async () => {
    const workflow = await given([sleep("a", 600)]);
    const [first, second] = [await workflow.start(), await workflow.start()];
    await first.step("a").reaches("RUNNING");
    await workflow.does("pause");
    const third = await workflow.start();
    await first.step("a").does("skip");
    await first.ends("SUCCEEDED");
    expect([(await second.read()).status, (await third.read()).status]).toEqual(["CREATED", "CREATED"]);
    await workflow.does("resume");
    await second.reaches("IN_PROGRESS");
    expect((await third.read()).status).toBe("CREATED");
    await workflow.does("stop");
    await third.ends("STOPPED");
  },

  "pause: a strategy that does not queue refuses starts meanwhile": async () => {
    for (const run_strategy of ["FIRST_ONLY", "LAST_ONLY"]) {
      const workflow = await given([noop("a")], {}, { run_strategy });
      await workflow.does("pause");
      await workflow.refusesStart(409);
      await workflow.does("resume");
      await (await workflow.start()).ends("SUCCEEDED");
    }
  },

  "pause: what waits can be stopped; pausing twice is pausing once": async () => {
    const workflow = await given([noop("a")]);
    await workflow.does("pause");
    await workflow.does("pause");
    const run = await workflow.start();
    expect(await run.stop()).toMatchObject({ completed: true, workflow_instance_status: "STOPPED" });
    await workflow.does("resume");
    await (await workflow.start()).ends("SUCCEEDED");
  },
};
