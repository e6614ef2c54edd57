/**
 * The processor of `dequeue`: lets queued runs of a workflow go. What becomes free while a transaction is under way shares
 * the next one, which also deletes the rows: so there is no round trip for the queue's sake.
 */
import { RefusedWrite } from "../flow/port.ts";
import { DEQUEUE } from "../flow/topic.ts";
import { PermanentFailure } from "./failure.ts";
import type { Processor } from "./port.ts";

/** Workflows of one transaction. */
const MOST_WORKFLOWS = 1000;

export interface Letting {
  /** @throws RefusedWrite when the database would never let them go */
  letGo(workflowIds: readonly string[]): Promise<void>;
}

/** @param engine asked when it is there */
export const dequeueing = (engine: () => Letting): Processor => ({
  topic: DEQUEUE,
  batch: MOST_WORKFLOWS,
  settles: true,
  async handle(entries) {
    try {
      await engine().letGo(entries.map(({ key }) => key));
    } catch (error) {
      throw error instanceof RefusedWrite ? new PermanentFailure(error.message, { cause: error }) : error;
    }
  },
});
