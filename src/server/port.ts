/** The API's view of the engine, over the threads of this node. */
import type { EngineHealth, EnginePort, StepTypeInfo } from "../api/port.ts";
import type { Membership } from "../flow/membership.ts";
import type { EnginePool } from "../flow/pool.ts";
import type { StoredRun } from "../flow/port.ts";
import { type RunRef, runIdentity } from "../run/model.ts";
import type { StepTypeEntry, StepTypeRegistry } from "../runtime/registry.ts";
import type { EvaluationClient } from "./evaluation/client.ts";
import type { Listeners } from "./listener.ts";

export interface PortParts {
  readonly pool: EnginePool;
  readonly evaluation: EvaluationClient;
  readonly types: StepTypeRegistry;
  readonly ended: Listeners<StoredRun | undefined>;
  readonly logged: Listeners;
  readonly membership: Membership;
  /** What else is wrong with this node. */
  problems(): readonly string[];
}

export function enginePort(parts: PortParts): EnginePort {
  const { pool, evaluation, types } = parts;
  const infos = types.names.flatMap((name) => {
    const entry = types.find(name);
    return entry ? [infoOf(entry)] : [];
  });
  return {
    start: (command, evaluating) => pool.start(command, evaluating),
    hintRun: (key, groupId) => pool.look([{ key, groupId }]),
    async dryRun(request, user) {
      await evaluation.ask({ kind: "dryRun", request, user, now: Date.now() });
    },
    hintDequeue: (workflowIds) => pool.dequeue(workflowIds),
    hintOutbox: () => pool.sweep(),
    isRunning: (run) => pool.isRunning(run),
    onRunEnded: (run: RunRef, listener) => parts.ended.add(runIdentity(run), listener),
    onLog: (uuid, listener) => parts.logged.add(uuid, listener),
    stepTypes: () => infos,
    health: () => healthOf(parts),
  };
}

function healthOf({ membership, problems }: PortParts): EngineHealth {
  const found = [...problems()];
  if (!membership.healthy) found.push("the heartbeat does not reach the database");
  return { ready: found.length === 0, problems: found };
}

function infoOf(entry: StepTypeEntry): StepTypeInfo {
  if (entry.kind !== "plugin") return { type: entry.name, runnable: entry.kind === "builtin" };
  const { title, description, schema, defaultParams } = entry.plugin;
  return { type: entry.name, runnable: true, title, description, schema, defaultParams };
}
