/** Properties of a workflow: settings that hold for every version, kept as snapshots. */
import { z } from "zod";
import { badRequest } from "../error.ts";
import { type Alerting, alertingSchema } from "./alerting.ts";
import { RANGE } from "./range.ts";
import { DEFAULT_RUN_STRATEGY, type RunStrategy, runStrategyOf, runStrategySchema } from "./strategy.ts";
import { type Tag, tagListSchema } from "./tag.ts";
import { type User, userSchema } from "./user.ts";
import { caseless, flag, instant, integer, object, text } from "./wire.ts";

/** Who the steps of a run run as: the workflow's owner, or whoever has started the run. */
const RUN_AS = ["OWNER", "CALLER"] as const;

export type RunAs = (typeof RUN_AS)[number];

export interface Properties {
  readonly owner?: User | undefined;
  /** OWNER when absent. */
  readonly run_as?: RunAs | undefined;
  /** SEQUENTIAL when absent. */
  readonly run_strategy?: RunStrategy | undefined;
  readonly step_concurrency?: number | undefined;
  readonly alerting?: Alerting | undefined;
  readonly alerting_disabled?: boolean | undefined;
  readonly signal_trigger_disabled?: boolean | undefined;
  readonly time_trigger_disabled?: boolean | undefined;
  readonly description?: string | undefined;
  /** Dynamic tags: set one by one, not by a push. */
  readonly tags?: readonly Tag[] | undefined;
}

export interface PropertiesSnapshot extends Properties {
  readonly workflow_id: string;
  /** Epoch ms; identifies the snapshot. */
  readonly create_time: number;
  readonly author: User;
  readonly owner: User;
}

export interface PropertiesUpdateRequest extends Omit<Properties, "tags"> {
  readonly reset_run_strategy_rule?: boolean | undefined;
  readonly reset_workflow_concurrency?: boolean | undefined;
  readonly reset_step_concurrency?: boolean | undefined;
}

export const runAsSchema: z.ZodType<RunAs> = caseless(RUN_AS).meta({
  id: "RunAs",
  description: "Who the steps of a run run as: the workflow's owner (the default), or whoever has started the run",
});

const fields = {
  owner: userSchema.optional(),
  access_control: z
    .never({ error: "access control is not supported; leave it out" })
    .meta({ type: "null", description: "Not supported" })
    .optional(),
  run_as: runAsSchema.optional(),
  run_strategy: runStrategySchema.optional(),
  step_concurrency: integer(RANGE.stepConcurrency).optional(),
  alerting: alertingSchema.optional(),
  alerting_disabled: flag.optional(),
  signal_trigger_disabled: flag.optional(),
  time_trigger_disabled: flag.optional(),
  description: text.optional(),
};

export const propertiesSchema: z.ZodType<Properties> = object({ ...fields, tags: tagListSchema.optional() }).meta({
  id: "Properties",
});

export const propertiesSnapshotSchema: z.ZodType<PropertiesSnapshot> = object({
  workflow_id: text,
  create_time: instant,
  author: userSchema,
  ...fields,
  owner: userSchema,
  tags: tagListSchema.optional(),
}).meta({ id: "PropertiesSnapshot" });

export const propertiesUpdateRequestSchema: z.ZodType<PropertiesUpdateRequest> = object({
  ...fields,
  reset_run_strategy_rule: flag.optional(),
  reset_workflow_concurrency: flag.optional(),
  reset_step_concurrency: flag.optional(),
}).meta({ id: "WorkflowPropertiesUpdateRequest" });

type Given<T> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that are set. */
function given<T extends object>(from: T): Given<T> {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as Given<T>;
}

/**
 * Properties after a push: what is pushed wins; an absent run strategy, step concurrency or alerting is reset; the
 * rest is kept.
 * @returns undefined when nothing was pushed, so that the previous snapshot stays
 * @throws BAD_REQUEST when a first version has no owner
 */
export function mergeForPush(
  previous: Properties | undefined,
  pushed: Properties | undefined,
): (Properties & { readonly owner: User }) | undefined {
  const owner = pushed?.owner ?? previous?.owner;
  if (owner === undefined) {
    throw badRequest("Invalid workflow create request", [
      "properties.owner: the first version of a workflow needs an owner",
    ]);
  }
  if (pushed === undefined) return undefined;
  const { run_strategy: _, step_concurrency: _s, alerting: _a, ...kept } = previous ?? {};
  return { ...given(kept), ...given(pushed), owner };
}

/**
 * Properties after an update: each given field replaces the previous one.
 * @throws BAD_REQUEST when the same thing is set and reset
 */
export function applyUpdate<P extends Properties>(previous: P, update: PropertiesUpdateRequest): P {
  const {
    reset_run_strategy_rule: resetRule = false,
    reset_workflow_concurrency: resetConcurrency = false,
    reset_step_concurrency: resetSteps = false,
    ...set
  } = update;
  const problems: string[] = [];
  if (set.run_strategy && resetRule) problems.push("run_strategy: set and reset (reset_run_strategy_rule) at once");
  if (set.run_strategy && resetConcurrency) {
    problems.push("run_strategy: set and reset (reset_workflow_concurrency) at once");
  }
  if (set.step_concurrency !== undefined && resetSteps) {
    problems.push("step_concurrency: set and reset (reset_step_concurrency) at once");
  }
  if (problems.length > 0) throw badRequest("Invalid workflow properties update request", problems);
  const { run_strategy, step_concurrency, ...rest } = { ...given(previous), ...given(set) } as Properties;
  const strategy = resetRule ? undefined : resetConcurrency ? withDefaultConcurrency(run_strategy) : run_strategy;
  return given({
    ...rest,
    run_strategy: strategy,
    step_concurrency: resetSteps ? undefined : step_concurrency,
  }) as unknown as P;
}

/** Only PARALLEL has a concurrency to reset. */
const withDefaultConcurrency = (strategy: RunStrategy | undefined): RunStrategy | undefined =>
  strategy?.rule === "PARALLEL" ? runStrategyOf("PARALLEL") : strategy;

/** The strategy in force. */
export const effectiveRunStrategy = (properties: Properties): RunStrategy =>
  properties.run_strategy ?? DEFAULT_RUN_STRATEGY;
