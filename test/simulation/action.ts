/** What users do and what befalls a simulated cluster, drawn from its chance. */
import type { Step, TypedStep } from "../../src/definition/step.ts";
import type { RunStrategy, RunStrategyRule } from "../../src/definition/strategy.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { step } from "./definition.ts";

type Chance = () => number;

/** Tags of steps. */
export const TAGS = ["red", "green", "blue"] as const;

const RULES: readonly RunStrategyRule[] = [
  ...(["SEQUENTIAL", "STRICT_SEQUENTIAL", "FIRST_ONLY", "LAST_ONLY", "PARALLEL", "SERIAL_LATEST_ONLY"] as const),
];

export const pick = <T>(chance: Chance, from: readonly T[]): T => from[Math.floor(chance() * from.length)] as T;

export function drawStrategy(chance: Chance): RunStrategy {
  const rule = chance() < 0.4 ? "PARALLEL" : pick(chance, RULES);
  const isWide = rule === "PARALLEL" || rule === "SEQUENTIAL";
  return { rule, workflow_concurrency: isWide ? 1 + Math.floor(chance() * 4) : 1 };
}

/** How deep loops stand in loops, and how many steps a workflow has at most. */
const DEEPEST = 2;
const MOST_STEPS = 9;

/** What is left to draw for one workflow. */
interface Room {
  steps: number;
  /** Number of the next step: ids are unique in a workflow. */
  next: number;
  readonly isFlat: boolean;
  /** Workflows that it may start as subworkflows. */
  readonly callable: readonly string[];
}

/** @param callable workflows that start none that leads back here */
export function drawWorkflow(id: string, chance: Chance, callable: readonly string[]): Workflow {
  const room = { steps: MOST_STEPS, next: 0, isFlat: chance() < 0.4, callable };
  const steps = drawSteps(chance, room, 0);
  return {
    ...{ id, steps },
    ...(chance() < 0.15 && { timeout: 5 + Math.floor(chance() * 60) }),
    ...(chance() < 0.1 && { instance_step_concurrency: 1 + Math.floor(chance() * 2) }),
  };
}

/** A graph, of which no step is before one that it follows. */
function drawSteps(chance: Chance, room: Room, depth: number): readonly Step[] {
  const count = Math.min(room.steps, 1 + Math.floor(chance() * (depth === 0 ? 5 : 3)));
  room.steps -= count;
  const ids = Array.from({ length: count }, () => `s${room.next++}`);
  return ids.map((id, index) => {
    const to: Record<string, string> = {};
    for (const other of ids.slice(index + 1)) if (chance() < 0.45) to[other] = chance() < 0.75 ? "true" : "false";
    return drawStep(id, to, chance, room, depth);
  });
}

function drawStep(id: string, to: Record<string, string>, chance: Chance, room: Room, depth: number): Step {
  const kind = room.isFlat ? 1 : chance();
  const isLoop = depth < DEEPEST && room.steps > 0;
  const transition = Object.keys(to).length > 0 ? { successors: to } : {};
  if (isLoop && kind < 0.2) {
    const items = Array.from({ length: Math.floor(chance() * (5 - depth)) }, (_, index) => index);
    const value = { i: { type: "LONG_ARRAY", value: items } } as const;
    const body = {
      ...{ id, transition, ...drawMode(chance) },
      params: { loop_params: { type: "MAP", value } },
      ...(chance() < 0.6 && { concurrency: 1 + Math.floor(chance() * 3), strict_ordering: chance() < 0.4 }),
    } as const;
    return { foreach: { ...body, steps: drawSteps(chance, room, depth + 1) } };
  }
  if (isLoop && kind < 0.32) {
    const value = { n: { type: "LONG", value: 0 } } as const;
    const condition = `${Math.floor(chance() * 4)}`;
    const body = {
      id,
      transition,
      condition,
      ...drawMode(chance),
      params: { loop_params: { type: "MAP", value } },
    } as const;
    return { while: { ...body, steps: drawSteps(chance, room, depth + 1) } };
  }
  if (room.callable.length > 0 && kind < 0.44) {
    const text = (value: string) => ({ type: "STRING", value }) as const;
    const params = { subworkflow_id: text(pick(chance, room.callable)), subworkflow_version: text("latest") };
    return { subworkflow: { id, transition, ...drawMode(chance), params, ...(chance() < 0.25 && { sync: false }) } };
  }
  const tags = TAGS.filter(() => chance() < 0.2).map((name) => ({ name }));
  return step(id, { to, ...(tags.length > 0 && { tags }), ...drawBody(chance) });
}

const drawMode = (chance: Chance) => ({
  ...(chance() < 0.5 && {
    failure_mode: pick(chance, ["FAIL_AFTER_RUNNING", "FAIL_IMMEDIATELY", "IGNORE_FAILURE"] as const),
  }),
  ...(chance() < 0.1 && { timeout: 1 + Math.floor(chance() * 20) }),
});

function drawBody(chance: Chance): Partial<TypedStep> {
  const kind = chance();
  if (kind < 0.35) return { type: "NoOp" };
  return {
    type: "Job",
    ...(chance() < 0.5 && { failure_mode: pick(chance, ["FAIL_AFTER_RUNNING", "FAIL_IMMEDIATELY", "IGNORE_FAILURE"]) }),
    ...(chance() < 0.25 && { timeout: 1 + Math.floor(chance() * 20) }),
    retry_policy: {
      error_retry_limit: Math.floor(chance() * 3),
      platform_retry_limit: Math.floor(chance() * 3),
      timeout_retry_limit: Math.floor(chance() * 2),
      backoff: {
        type: "FIXED_BACKOFF",
        error_retry_backoff_in_secs: 1 + Math.floor(chance() * 5),
        platform_retry_backoff_in_secs: 1,
        timeout_retry_backoff_in_secs: 2,
      },
    },
    ...(chance() < 0.03 && { params: { fail: { type: "STRING", value: "x" } } }),
  };
}

/** What happens next, by how often. */
const DEEDS = [
  ["start", 42],
  ["batch", 3],
  ["hold", 2],
  ["stop", 10],
  ["kill", 6],
  ["step", 14],
  ["restart run", 9],
  ["restart step", 14],
  ["breakpoint", 8],
  ["resume", 5],
  ["unblock", 6],
  ["strategy", 2],
  ["permit", 8],
  ["crash", 4],
  ["crash at commit", 4],
  ["pause", 5],
  ["cut from database", 4],
  ["cut from peer", 3],
  ["heal a link", 6],
  ["leave", 2],
  ["weather", 4],
] as const;

export type Deed = (typeof DEEDS)[number][0];

const TOTAL = DEEDS.reduce((sum, [, weight]) => sum + weight, 0);

export function drawDeed(chance: Chance): Deed {
  let left = chance() * TOTAL;
  for (const [deed, weight] of DEEDS) {
    left -= weight;
    if (left < 0) return deed;
  }
  return "start";
}
