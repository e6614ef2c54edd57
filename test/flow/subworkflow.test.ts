/** Whose child ends with a subworkflow step: that of one that waits for it, and no other. */
import { expect, test } from "bun:test";
import type { Place } from "../../src/flow/nested/place.ts";
import { SubworkflowKind } from "../../src/flow/nested/subworkflow.ts";
import type { LiveChild } from "../../src/nested/child.ts";
import type { Word } from "../../src/run/word.ts";

const CHILD = { key: 7, groupId: 1, workflowId: "child", instanceId: 3, runId: 1 };

/** A step in an attempt that has started the child, which runs. */
class Stopped {
  readonly said: (readonly [child: number, word: Word["kind"]])[] = [];
  readonly kind: SubworkflowKind;

  constructor(sync: boolean) {
    const place = {
      engine: { store: { latestRun: async () => ({ ...CHILD, status: "IN_PROGRESS" }) } },
      children: {
        say: async (_: unknown, children: readonly LiveChild[], word: Word) => {
          this.said.push(...children.map(({ key }) => [key, word.kind] as const));
        },
        look: () => {
          // The child ends as it is told to.
          if (this.said.length > 0) queueMicrotask(() => this.kind.tell({ ...CHILD, status: "STOPPED" } as never));
        },
      },
      node: { id: "sub", kind: "subworkflow", body: { id: "sub", sync } },
      run: { key: 1, workflowId: "parent", instanceId: 1, runId: 1 },
      attempt: {
        artifacts: { maestro_subworkflow: { subworkflow_id: "child", subworkflow_instance_id: CHILD.instanceId } },
      },
      now: 0,
      wake: () => undefined,
      told: () => Promise.resolve(),
    };
    this.kind = new SubworkflowKind(place as unknown as Place);
  }
}

test.each([
  [true, [[7, "STOP"]]],
  [false, []],
])("with sync: %p, the stop of the step says to its child: %j", async (sync, said) => {
  const step = new Stopped(sync);
  expect(await step.kind.stop(false)).toMatchObject({ state: "STOPPED" });
  expect<unknown>(step.said).toEqual(said);
});
