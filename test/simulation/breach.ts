import type { Run } from "../../src/run/model.ts";

/** Something that must hold does not. */
export class Breach extends Error {
  override readonly name = "Breach";
}

export const nameOf = ({ workflowId, instanceId, runId, key }: Run): string =>
  `run ${key} (${workflowId}:${instanceId}:${runId})`;
