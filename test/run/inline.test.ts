import { describe, expect, test } from "bun:test";
import type { Ancestor, Initiator } from "../../src/definition/initiator.ts";
import { isUuid, nameUuid } from "../../src/id.ts";
import {
  foreachUuid,
  hashKey,
  inlineIdOf,
  isInlineId,
  rangeKey,
  subworkflowUuid,
  whileUuid,
} from "../../src/run/inline.ts";

const MANUAL: Initiator = { type: "MANUAL", depth: 0 };
const hop = (workflow_id: string, instance_id: number, step_id: string): Ancestor => ({
  ...{ workflow_id, instance_id, run_id: 1, step_id, step_attempt_id: 1 },
});
const under = (type: "FOREACH" | "WHILE" | "SUBWORKFLOW", ...ancestors: Ancestor[]): Initiator => ({
  type,
  depth: ancestors.length,
  ancestors,
});
const run = (workflowId: string, instanceId = 1, initiator: Initiator = MANUAL, internalId = 10_000) => ({
  ...{ workflowId, instanceId, initiator, internalId },
});

describe("the id of a loop's body", () => {
  test("is the one that upstream gives", () => {
    expect(inlineIdOf("foreach", run("sample-foreach-wf"), "foreach-step1")).toBe(
      "maestro_foreach_Ib2_11_94587073c5c260cfd048a0d09251a917",
    );
    expect(inlineIdOf("while", run("sample-while-wf"), "while-job")).toBe(
      "maestro_while_Ib2_11_457838faf327c310fb36817c1367c0f0",
    );
  });

  test("has five parts and is known as one", () => {
    const id = inlineIdOf("while", run("my_workflow", 987_654_321, MANUAL, 2 ** 40), "my_step");
    expect(id.split("_")).toHaveLength(5);
    expect(isInlineId(id)).toBe(true);
    expect(isInlineId("maestro_foreach_x_11_00")).toBe(true);
    expect(["maestro_for", "my_maestro_foreach_x", "foreach_x", "maestro_template_x"].some(isInlineId)).toBe(false);
  });

  test("tells apart kinds, workflows, instances and steps", () => {
    const ids = [
      inlineIdOf("foreach", run("w"), "s"),
      inlineIdOf("while", run("w"), "s"),
      inlineIdOf("foreach", run("w", 2), "s"),
      inlineIdOf("foreach", run("v"), "s"),
      inlineIdOf("foreach", run("w"), "t"),
      inlineIdOf("foreach", run("w", 1, MANUAL, 10_001), "s"),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("within a loop names the instance that a user knows, and the iteration in its hash alone", () => {
    const outer = inlineIdOf("foreach", run("w", 77), "outer");
    const each = (iteration: number) => run(outer, iteration, under("FOREACH", hop("w", 77, "outer")));
    const inner = inlineIdOf("while", each(3), "inner");
    const deepest = run(inner, 5, under("WHILE", hop("w", 77, "outer"), hop(outer, 3, "inner")));
    for (const id of [inner, inlineIdOf("foreach", deepest, "deepest")]) {
      expect(id.split("_").slice(2, 4)).toEqual(["Ib2", rangeKey(77)]);
    }
    expect(inlineIdOf("while", each(4), "inner")).not.toBe(inner);
  });

  test("within a child names the child's instance", () => {
    const child = run("child", 8, under("SUBWORKFLOW", hop("w", 77, "sub")));
    expect(inlineIdOf("foreach", child, "each").split("_")[3]).toBe("18");
    const body = run(
      inlineIdOf("foreach", child, "each"),
      2,
      under("FOREACH", hop("w", 77, "sub"), hop("child", 8, "each")),
    );
    expect(inlineIdOf("foreach", body, "inner").split("_")[3]).toBe("18");
  });
});

describe("the keys of an inline id", () => {
  test("have base-62 digits, one from its small end, one behind its length", () => {
    expect([1, 61, 62, 10_000].map(hashKey)).toEqual(["1", "z", "01", "Ib2"]);
    expect([1, 61, 62, 10_000].map(rangeKey)).toEqual(["11", "1z", "210", "32bI"]);
    expect(rangeKey(Number.MAX_SAFE_INTEGER)).toHaveLength(10);
  });

  test("order instances as their numbers are", () => {
    const numbers = [1, 9, 10, 35, 36, 61, 62, 63, 3843, 3844, 100_000, 238_327, 238_328, 2 ** 40, 2 ** 53 - 1];
    expect(numbers.map(rangeKey).sort()).toEqual(numbers.map(rangeKey));
  });
});

describe("request ids", () => {
  test("are name-based uuids", () => {
    expect(nameUuid("hello")).toBe("5d41402a-bc4b-3a76-b971-9d911017c592");
    expect(nameUuid("ü")).toBe("c03410a5-204b-31cd-8229-ff754688d743");
    for (let i = 0; i < 100; i++) {
      expect(isUuid(nameUuid(`${i}`))).toBe(true);
      expect(nameUuid(`${i}`)).toMatch(/^.{14}3.{4}[89ab]/);
    }
  });

  test("name the child by what it is a child of", () => {
    expect(foreachUuid("maestro_foreach_Ib2_11_0", 2, 0)).toBe(nameUuid("[maestro_foreach_Ib2_11_0][2][0]"));
    expect(whileUuid("maestro_while_Ib2_11_0", 3, 1)).toBe(nameUuid("[maestro_while_Ib2_11_0][3][1]"));
    const parent = { workflowId: "w", instanceId: 4, runId: 2 };
    const step = { stepId: "s", attemptId: 3, uuid: "5f75bb8f-474e-448f-a014-075f9f5dbda8" };
    expect(subworkflowUuid(parent, step)).toBe(nameUuid(`[w][4][2][s][3][${step.uuid}]`));
  });
});
