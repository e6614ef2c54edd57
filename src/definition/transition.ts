/** Transitions between the steps of one list, in their wire shape; `graph.ts` has the graph they make. */
import { z } from "zod";
import { type Fields, mapOf, object, text } from "./wire.ts";

/** Where a step leads to: successors with the SEL condition of each edge. Empty parts are left out. */
export interface StepTransition {
  /** When given, it must equal what the other steps' successors say. */
  readonly predecessors?: readonly string[] | undefined;
  readonly successors?: Readonly<Record<string, string>> | undefined;
}

function withoutEmpty(fields: Fields): Fields {
  const kept = Object.entries(fields).filter(
    ([, value]) => typeof value !== "object" || value === null || Object.keys(value).length > 0,
  );
  return Object.fromEntries(kept);
}

export const stepTransitionSchema: z.ZodType<StepTransition> = object(
  { predecessors: z.array(text).optional(), successors: mapOf(text).optional() },
  withoutEmpty,
).meta({ id: "StepTransition" });
