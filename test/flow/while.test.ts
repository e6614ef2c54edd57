/** What a while step that is stopped ends: the iteration that was launched last, though the owner before could not say so. */
import { expect, test } from "bun:test";
import type { Place } from "../../src/flow/nested/place.ts";
import { WhileKind } from "../../src/flow/nested/while.ts";
import type { LiveChild } from "../../src/nested/child.ts";
import { beginWhile, type WhileArtifact } from "../../src/nested/while.ts";
import type { Word } from "../../src/run/word.ts";

const LOOP = "maestro_while_x";
/** As it is stored: the second iteration is not known to have begun. */
const STORED: WhileArtifact = {
  ...beginWhile(
    {
      ...{ loop_workflow_id: LOOP, loop_identity: "", loop_run_id: 2 },
      ...{ run_policy: "RESTART_FROM_INCOMPLETE", run_id: 2 },
    },
    [],
  ),
  ...{ last_iteration: 1, last_status: "SUCCEEDED" },
};
const iteration = (instanceId: number, runId: number, status: string) =>
  ({ key: instanceId * 10 + runId, groupId: 1, workflowId: LOOP, instanceId, runId, status }) as const;

/** A step with a new owner. */
class Stopped {
  readonly said: (readonly [child: number, word: Word["kind"]])[] = [];
  readonly kind: WhileKind;

  /** @param runs the newest of each iteration */
  constructor(runs: readonly ReturnType<typeof iteration>[]) {
    const place = {
      engine: {
        store: {
          latestRun: async (_: string, instanceId: number) => runs.find((run) => run.instanceId === instanceId),
          attemptsOf: async () => [],
        },
        planOf: async () => undefined,
      },
      children: {
        say: async (_: unknown, children: readonly LiveChild[], word: Word) => {
          this.said.push(...children.map(({ key }) => [key, word.kind] as const));
        },
        look: () => {
          // Each ends as it is told to.
          for (const [key] of this.said) {
            const child = runs.find((run) => run.key === key);
            queueMicrotask(() => this.kind.tell({ ...child, status: "STOPPED" } as never));
          }
        },
      },
      node: { id: "loop", kind: "while", body: { id: "loop" } },
      run: { key: 1, workflowId: "w", instanceId: 1, runId: 2, config: {} },
      attempt: { params: {}, artifacts: { maestro_while: STORED } },
      now: 0,
      wake: () => undefined,
      told: () => Promise.resolve(),
    };
    this.kind = new WhileKind(place as unknown as Place);
  }
}

const [FIRST, LAUNCHED] = [iteration(1, 2, "SUCCEEDED"), iteration(2, 2, "IN_PROGRESS")];

test.each<[string, ConstructorParameters<typeof Stopped>[0], Stopped["said"], object]>([
  [
    "was launched by the owner before",
    [FIRST, LAUNCHED],
    [[22, "STOP"]],
    { last_iteration: 2, last_status: "STOPPED" },
  ],
  ["is of an earlier run of the loop", [FIRST, iteration(2, 1, "STOPPED")], [], STORED],
  ["was never launched", [FIRST], [], STORED],
])("of a loop whose next iteration %s, the stop ends what was launched", async (_, runs, said, artifact) => {
  const step = new Stopped(runs);
  const { state, artifacts } = await step.kind.stop(false);
  expect({ state, said: step.said }).toEqual({ state: "STOPPED", said });
  expect(artifacts?.maestro_while).toMatchObject(artifact);
});
