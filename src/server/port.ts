/** The API's view of the engine, over the threads of this node. */
import type { EngineHealth, EnginePort, StepTypeInfo } from "../api/port.ts";
import type { Membership } from "../flow/membership.ts";
import type { EnginePool } from "../flow/pool.ts";
import type { StoredRun } from "../flow/port.ts";
import { type RunRef, runIdentity } from "../run/model.ts";
import type { StepTypeEntry, StepTypeRegistry } from "../runtime/registry.ts";
import { readToken } from "../runtime/token.ts";
import type { EvaluationClient } from "./evaluation/client.ts";
import type { Listeners } from "./listener.ts";
import type { Peers } from "./peer.ts";

export interface PortParts {
  readonly pool: EnginePool;
  readonly evaluation: EvaluationClient;
  readonly types: StepTypeRegistry;
  readonly ended: Listeners<StoredRun | undefined>;
  readonly logged: Listeners;
  readonly membership: Membership;
  readonly peers: Peers;
  /** Of the database. */
  readonly secret: string;
  /** What else is wrong with this node. */
  problems(): readonly string[];
}

export function enginePort(parts: PortParts): EnginePort {
  const { pool, evaluation, types, peers } = parts;
  const infos = types.names.flatMap((name) => {
    const entry = types.find(name);
    return entry ? [infoOf(entry)] : [];
  });
  return {
    start: (command, evaluating) => pool.start(command, evaluating),
    hintRun: (key, groupId) => pool.look([{ key, groupId }]),
    hintSteps(attempts) {
      const told = new Map<number, { readonly groupId: number; readonly stepIds: string[] }>();
      for (const { runKey, groupId, stepId } of attempts) {
        const known = told.get(runKey);
        if (known) known.stepIds.push(stepId);
        else told.set(runKey, { groupId, stepIds: [stepId] });
      }
      pool.look([...told].map(([key, { groupId, stepIds }]) => ({ key, groupId, told: stepIds })));
    },
    async breakpointAdded(step) {
      await Promise.all([pool.addBreakpoint(step), peers.addBreakpoint(step)]);
    },
    async templatesChanged() {
      await Promise.all([pool.forgetTemplates(), peers.forgetTemplates()]);
    },
    async dryRun(request, user, templates) {
      await evaluation.ask({ kind: "dryRun", request, user, templates, now: Date.now() });
    },
    readToken: (token) => readToken(parts.secret, token),
    report: (report) => (pool.owned.has(report.groupId) ? pool.report(report) : peers.report(report)),
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
