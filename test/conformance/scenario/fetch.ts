/** What steps read of the runs that a loop or a subworkflow has made. */
import { expect } from "bun:test";
import { computed, foreach, having, long, longs, noop, subworkflow, text, to, when } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

const gather = (step: string, param: string): string => `params.getFromForeach('each', '${step}', '${param}')`;

export const FETCH = {
  "fetch: getFromForeach gives a param of each iteration, in order, gaps as nothing": async () => {
    const body = [
      noop(
        "in",
        having({ seen: computed("STRING", "'s' + i"), square: computed("LONG", "i * i") }),
        when({ odd: "i % 2 == 1" }),
      ),
      noop("odd", having({ n: computed("LONG", "i * 10"), t: text("odd ${i}") })),
    ];
    const after = noop(
      "after",
      having({
        seen: computed("STRING_ARRAY", gather("in", "seen")),
        squares: computed("LONG_ARRAY", gather("in", "square")),
        odd: computed("LONG_ARRAY", gather("odd", "n")),
      }),
    );
    const run = await (await given([foreach("each", { i: longs(1, 2, 3) }, body, to("after")), after])).start();
    await run.ends("SUCCEEDED");
    const { params } = await run.step("after").read();
    expect([params.seen?.evaluated_result, params.squares?.evaluated_result, params.odd?.evaluated_result]).toEqual([
      ["s1", "s2", "s3"],
      [1, 4, 9],
      [10, 0, 30],
    ]);
  },

  "fetch: getFromForeach of an empty loop is an empty array": async () => {
    const loop = foreach(
      "each",
      { i: computed("LONG_ARRAY", "Util.intsBetween(1, 1, 1)") },
      [noop("in", having({ n: long(1) }))],
      to("after"),
    );
    const after = noop("after", having({ all: computed("LONG_ARRAY", gather("in", "n")) }));
    const run = await (await given([loop, after])).start();
    await run.ends("SUCCEEDED");
    expect(await run.step("after").value("all")).toEqual([]);
  },

  "fetch: getFromSubworkflow gives a param of the child's step": async () => {
    const kid = await given([noop("leaf", having({ t: text("got ${who}") }))], { params: { who: text("nobody") } });
    const after = noop("after", having({ back: computed("STRING", "params.getFromSubworkflow('sub', 'leaf', 't')") }));
    const run = await (
      await given([subworkflow("sub", kid.id, having({ who: text("ann") }), to("after")), after])
    ).start();
    await run.ends("SUCCEEDED");
    expect(await run.step("after").value("back")).toBe("got ann");
  },

  "fetch: the server's own params of a child's step are there, too": async () => {
    const kid = await given([noop("leaf")]);
    const seen = computed(
      "STRING",
      "params.getFromSubworkflow('sub', 'leaf', 'step_id') + ' ' + params.getFromSubworkflow('sub', 'leaf', 'step_attempt_id')",
    );
    const run = await (await given([subworkflow("sub", kid.id, to("after")), noop("after", having({ seen }))])).start();
    await run.ends("SUCCEEDED");
    expect(await run.step("after").value("seen")).toBe("leaf 1");
  },

  "fetch: what is not there fails the step that asks": async () => {
    const loop = foreach("each", { i: longs(1) }, [noop("in", having({ n: long(1) }))], to("step", "kind"));
    const steps = [
      loop,
      noop("step", having({ all: computed("LONG_ARRAY", "params.getFromForeach('nosuch', 'in', 'n')") })),
      noop("kind", having({ one: computed("LONG", "params.getFromSubworkflow('each', 'in', 'n')") })),
    ];
    const run = await (await given(steps)).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ each: "SUCCEEDED", step: "INTERNALLY_FAILED", kind: "INTERNALLY_FAILED" });
  },
};
