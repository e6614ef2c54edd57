/** The part of a node that carries out runs: the engine threads, main's pool over them, and who listens to both. */
import { EnginePool, type EnginePoolOptions } from "../../flow/pool.ts";
import type { StoredRun } from "../../flow/port.ts";
import type { Logger } from "../../log.ts";
import { runIdentity } from "../../run/model.ts";
import type { Config } from "../config.ts";
import type { OpenedDatabase } from "../database.ts";
import type { EvaluationThreads } from "../evaluation/evaluation.ts";
import { Listeners } from "../listener.ts";
import type { Part } from "../part.ts";
import type { Runtime } from "../runtime.ts";
import { EngineHost } from "./host.ts";
import type { EngineSetup } from "./protocol.ts";

export interface EngineParts {
  readonly config: Config;
  readonly log: Logger;
  readonly nodeId: string;
  readonly store: OpenedDatabase;
  readonly runtime: Runtime;
  readonly evaluation: EvaluationThreads;
  readonly callback: EngineSetup["callback"];
  readonly elsewhere: EnginePoolOptions["elsewhere"];
  readonly stale: EnginePoolOptions["stale"];
  /** A thread has died; nothing of it goes on. */
  died(reason: string): void;
}

export interface Engines extends Part {
  readonly pool: EnginePool;
  readonly ended: Listeners<StoredRun | undefined>;
  readonly logged: Listeners;
  /** Which threads have died. */
  readonly problems: readonly string[];
  /** Hands an engine thread the text of a runtime. */
  fromRuntime(thread: number, text: string): void;
}

export function makeEngines(parts: EngineParts): Engines {
  const { config, log, runtime, evaluation } = parts;
  const [ended, logged] = [new Listeners<StoredRun | undefined>(), new Listeners()];
  const problems: string[] = [];
  // Commands go from the pool to the threads, and what comes of them from the threads to the pool.
  const pool: EnginePool = new EnginePool({
    threads: config.engineThreads,
    session: parts.nodeId,
    send: (thread, frame) => host.send(thread, "frame", frame),
    elsewhere: parts.elsewhere,
    ended(runs) {
      for (const run of runs) ended.tell(runIdentity(run), run.row);
    },
    logged(uuids) {
      for (const uuid of uuids) logged.tell(uuid);
    },
    stale: parts.stale,
  });
  const host: EngineHost = new EngineHost({
    setups: setupsOf(parts),
    frame: (thread, frame) => pool.accept(thread, frame),
    runtime: (thread, text) => runtime.deliver(thread, text),
    evaluate: (thread, text) => evaluation.ask(text, (answer) => host.send(thread, "evaluate", answer)),
    log: (lines) => log.pass(lines),
    died(thread, reason) {
      const problem = `engine thread ${thread} has died: ${reason}`;
      problems.push(problem);
      pool.close(); // nothing waits for its answers
      parts.died(problem);
    },
  });
  return {
    ...{ pool, ended, logged, problems },
    start: () => host.start(),
    fromRuntime: (thread, text) => host.send(thread, "runtime", text),
    async stop() {
      pool.close();
      await host.stop();
    },
  };
}

function setupsOf({ config, log, nodeId, store, evaluation, callback }: EngineParts): EngineSetup[] {
  return Array.from({ length: config.engineThreads }, (_, index) => ({
    ...evaluation.setup,
    session: `${nodeId}-${index}`,
    databaseUrl: store.url,
    index,
    runtimeThreads: config.runtimeThreads,
    dataDir: config.dataDir,
    groups: store.groups,
    callback,
    alwaysPassDown: config.params.alwaysPassDown,
    log: log.style,
  }));
}
