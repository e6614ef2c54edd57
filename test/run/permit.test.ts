import { describe, expect, test } from "bun:test";
import type { Step } from "../../src/definition/step.ts";
import { correlationOf, type Run } from "../../src/run/model.ts";
import { assign, childWants, ownWants, type PermitRequest, stepWants, type Want } from "../../src/run/permit.ts";
import { stepNode } from "../../src/step/node.ts";

const node = (step: object) => stepNode(step as Step, [], {});
const leaf = (...tags: readonly string[]) =>
  node({ step: { id: "s", type: "NoOp", tags: tags.map((name) => ({ name })) } });
const run = (properties: Partial<Run["properties"]> = {}, more: Partial<Run> = {}): Run =>
  ({
    ...{ workflowId: "wf", instanceId: 7, runId: 2, initiator: { type: "MANUAL", depth: 0 } },
    properties: { create_time: 1, owner: "ann", ...properties },
    ...more,
  }) as Run;

describe("what an attempt needs", () => {
  test("is nothing for a step without tags in a run without limits", () => {
    expect(stepWants(run(), leaf())).toEqual([]);
    expect(stepWants(run(), node({ step: { id: "s", type: "NoOp" } }))).toEqual([]);
  });

  test("is one of each of its tags, whatever they are limited to", () => {
    expect(stepWants(run(), leaf("a", "b", "a"))).toEqual([
      { tag: "a", limit: undefined },
      { tag: "b", limit: undefined },
    ]);
  });

  test("is one of the workflow and one of the tree, when their steps are limited", () => {
    expect(stepWants(run({ step_concurrency: 3, instance_step_concurrency: 5 }), leaf("a"))).toEqual([
      { tag: "a", limit: undefined },
      { tag: "maestro_wf", limit: 3 },
      { tag: "maestro_wf:7:2", limit: 5 },
    ]);
    expect(stepWants(run({ instance_step_concurrency: 5 }, { correlationId: "root" }), leaf())).toEqual([
      { tag: "maestro_root", limit: 5 },
    ]);
  });

  test("is nothing for a step whose work is done by others", () => {
    const loop = node({ foreach: { id: "f", tags: [{ name: "a" }], params: {}, steps: [] } });
    expect(stepWants(run({ step_concurrency: 3, instance_step_concurrency: 5 }), loop)).toEqual([]);
  });

  test("is a place on its level for a run that a step starts, when the tree is limited", () => {
    const initiator = { type: "SUBWORKFLOW", depth: 1, ancestors: [{}] } as unknown as Run["initiator"];
    const child = run({ instance_step_concurrency: 5 }, { correlationId: "root", initiator });
    expect(ownWants(child)).toEqual([{ tag: "maestro_root:depth:1", limit: 5 }]);
    expect(childWants(child)).toEqual([{ tag: "maestro_root:depth:2", limit: 5 }]);
    const root = run({ instance_step_concurrency: 5 });
    expect(ownWants(root)).toEqual([]);
    expect(childWants(root)).toEqual([{ tag: `maestro_${correlationOf(root)}:depth:1`, limit: 5 }]);
    const free = { ...child, properties: run().properties };
    expect([ownWants(free), childWants(free)]).toEqual([[], []]);
  });
});

describe("who gets a permit", () => {
  const want = (tag: string, limit?: number): Want => ({ tag, limit });
  const waits = (uuid: string, ...wants: readonly Want[]): PermitRequest => ({ uuid, wants, granted: false });
  const granted = (limits: Readonly<Record<string, number>>, ...requests: readonly PermitRequest[]) =>
    assign({ limits: new Map(Object.entries(limits)), requests }).requests.flatMap((it) => (it.granted ? it.uuid : []));

  test("whoever came first, as many as may", () => {
    const [a, b, c] = [waits("a", want("t")), waits("b", want("t")), waits("c", want("t"))];
    expect(granted({ t: 2 }, a, b, c)).toEqual(["a", "b"]);
    expect(granted({ t: 0 }, a, b, c)).toEqual([]);
    expect(granted({}, a, b, c)).toEqual(["a", "b", "c"]);
  });

  test("all that it needs or nothing, and who waits does not hold up those behind", () => {
    const requests = [waits("a", want("t")), waits("b", want("t"), want("u")), waits("c", want("u"))];
    expect(granted({ t: 1, u: 1 }, ...requests)).toEqual(["a", "c"]);
  });

  test("by the tag's own limit, else by the one that it brings", () => {
    const requests = [waits("a", want("t", 1)), waits("b", want("t", 1)), waits("c", want("t", 2))];
    expect(granted({}, ...requests)).toEqual(["a", "c"]);
    expect(granted({ t: 3 }, ...requests)).toEqual(["a", "b", "c"]);
  });

  test("nobody loses one to a lower limit", () => {
    const holder = { ...waits("a", want("t")), granted: true };
    expect(granted({ t: 0 }, holder, waits("b", want("t")))).toEqual(["a"]);
    expect(granted({ t: 2 }, holder, waits("b", want("t")), waits("c", want("t")))).toEqual(["a", "b"]);
  });
});
