/** Ending the children of a step, and waiting until none of them runs any more. */
import type { LiveChild } from "../../nested/child.ts";
import type { Place } from "./place.ts";

/** @param live those that run, at the moment of the call */
export async function stopAll(place: Place, hard: boolean, live: () => Iterable<LiveChild>): Promise<void> {
  const children = [...live()];
  if (children.length === 0) return;
  const { run, node } = place;
  await place.children.say(place.stamp, children, {
    kind: hard ? "ABORT" : "STOP",
    stepId: undefined,
    user: "maestro",
    reason: `Step [${node.id}] of [${run.workflowId}][${run.instanceId}][${run.runId}] is being ended`,
    createTime: place.now,
  });
  // One that waited for its run strategy has ended with that, and nobody tells.
  place.children.look(run.key);
  while (!isEmpty(live())) await place.told();
}

function isEmpty(children: Iterable<unknown>): boolean {
  for (const _ of children) return false;
  return true;
}
