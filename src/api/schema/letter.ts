/** Shapes of dead letters. */
import { z } from "zod";
import { listSchema, millis } from "./common.ts";

const summary = {
  id: z.int(),
  topic: z.string().meta({ description: "What kind of work it is" }),
  key: z.string().meta({ description: "What it is to be done for: `dequeue` has the workflow's id" }),
  error: z.string().meta({ description: "Why the last try failed" }),
  attempts: z.int().meta({ description: "Failed tries" }),
  create_time: millis,
  dead_time: millis,
};

export const letterSummarySchema = z.strictObject(summary).meta({ id: "DeadLetterSummary" });

export const letterSchema = z
  .strictObject({ ...summary, payload: z.unknown().optional().meta({ description: "What the processor is given" }) })
  .meta({ id: "DeadLetter" });

export const letterListSchema = listSchema("DeadLetterList", letterSummarySchema);

export const replayedSchema = z
  .strictObject({ replayed: z.int().meta({ description: "Letters that have all their tries again" }) })
  .meta({ id: "Replayed" });
