/** What users do and what befalls a simulated cluster, drawn from its chance. */
import type { TypedStep } from "../../src/definition/step.ts";
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

export function drawWorkflow(id: string, chance: Chance): Workflow {
  const count = 1 + Math.floor(chance() * 5);
  const steps = Array.from({ length: count }, (_, index) => {
    const to: Record<string, string> = {};
    for (let other = index + 1; other < count; other++) {
      if (chance() < 0.45) to[`s${other}`] = chance() < 0.75 ? "true" : "false";
    }
    const tags = TAGS.filter(() => chance() < 0.2).map((name) => ({ name }));
    return step(`s${index}`, { to, ...(tags.length > 0 && { tags }), ...drawBody(chance) });
  });
  return {
    ...{ id, steps },
    ...(chance() < 0.15 && { timeout: 5 + Math.floor(chance() * 60) }),
    ...(chance() < 0.1 && { instance_step_concurrency: 1 + Math.floor(chance() * 2) }),
  };
}

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
