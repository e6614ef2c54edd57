/** What the engine announces in the outbox. */

/** "This workflow may have room for queued runs"; the key is the workflow's id. */
export const DEQUEUE = "dequeue";

/** A dead letter from the start: rows of a run that the database refuses. The key names the run. Nothing processes it. */
export const REFUSED = "refused-run";
