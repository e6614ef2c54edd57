/** Who or what started an instance. */
import { z } from "zod";
import type { RawNumber } from "../json.ts";
import type { Params } from "../param/type.ts";
import { paramsSchema } from "./parameter.ts";
import { type User, userSchema } from "./user.ts";
import { type Fields, flag, instant, integer, kind, long, mapOf, object, reading, strict, text } from "./wire.ts";

/** A hop from the root to the direct parent. */
export interface Ancestor {
  readonly workflow_id: string;
  readonly instance_id: number;
  readonly run_id: number;
  readonly step_id: string;
  readonly step_attempt_id: number;
  /** false marks an async subworkflow. */
  readonly sync?: boolean | undefined;
}

export interface ManualInitiator {
  readonly depth: number;
  readonly user?: User | undefined;
  readonly type: "MANUAL";
}

export interface TimeInitiator {
  readonly trigger_uuid: string;
  /** Epoch ms of the scheduled firing. */
  readonly trigger_time?: number | undefined;
  readonly timezone?: string | undefined;
  readonly depth: number;
  readonly type: "TIME";
}

export interface SignalInitiator {
  readonly trigger_uuid: string;
  readonly depth: number;
  /** Sequence id of the instance that matched, by signal name. */
  readonly signal_id_map?: Readonly<Record<string, number | RawNumber>> | undefined;
  /** The trigger's own params, evaluated. */
  readonly params?: Params | undefined;
  readonly type: "SIGNAL";
}

/** Started by a step of another instance; `depth` is the number of ancestors. */
export interface UpstreamInitiator {
  readonly ancestors: readonly Ancestor[];
  readonly depth: number;
  readonly type: "SUBWORKFLOW" | "FOREACH" | "WHILE" | "TEMPLATE";
}

export type Initiator = ManualInitiator | TimeInitiator | SignalInitiator | UpstreamInitiator;

/** The parent is a step. */
export const isUpstream = (initiator: Initiator): initiator is UpstreamInitiator => "ancestors" in initiator;

/** The instance is a loop's iteration, defined inside its parent. */
export const isInline = (initiator: Initiator): boolean =>
  initiator.type === "FOREACH" || initiator.type === "WHILE" || initiator.type === "TEMPLATE";

const ancestor: z.ZodType<Ancestor> = object({
  workflow_id: text,
  instance_id: integer(),
  run_id: integer(),
  step_id: text,
  step_attempt_id: integer(),
  sync: flag.optional(),
}).meta({ id: "Ancestor" });

const upstream = <T extends string>(type: T, id: string) =>
  strict({ ancestors: z.array(ancestor), depth: integer().prefault(0), type: kind(type) }).meta({ id });

const depth = integer().prefault(0);

/** `depth` follows from the ancestors, whatever the input says. */
function canonical(fields: Fields): Fields {
  const type = typeof fields.type === "string" ? fields.type.toUpperCase() : fields.type;
  return Array.isArray(fields.ancestors) ? { ...fields, type, depth: fields.ancestors.length } : { ...fields, type };
}

export const initiatorSchema: z.ZodType<Initiator> = reading(
  canonical,
  z.discriminatedUnion("type", [
    strict({ depth, user: userSchema.optional(), type: kind("MANUAL") }).meta({ id: "ManualInitiator" }),
    strict({
      trigger_uuid: text,
      trigger_time: instant.optional(),
      timezone: text.optional(),
      depth,
      type: kind("TIME"),
    }).meta({ id: "TimeInitiator" }),
    strict({
      trigger_uuid: text,
      depth,
      signal_id_map: mapOf(long).optional(),
      params: paramsSchema.optional(),
      type: kind("SIGNAL"),
    }).meta({ id: "SignalInitiator" }),
    upstream("SUBWORKFLOW", "SubworkflowInitiator"),
    upstream("FOREACH", "ForeachInitiator"),
    upstream("WHILE", "WhileInitiator"),
    upstream("TEMPLATE", "TemplateInitiator"),
  ]),
).meta({ id: "Initiator" });
