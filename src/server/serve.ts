/**
 * One node, from configuration to "ready" and back: a list of parts, each started on the ones before it, and stopped in
 * reverse. This module only wires: the work is done in the parts.
 *
 * Two parts call ones that come after them: the runtimes answer to engine threads, and the engines' pool tells other
 * nodes through the cluster.
 */
import { createApp } from "../api/app.ts";
import type { Logger } from "../log.ts";
import { Leases } from "../store/lease.ts";
import { VERSION } from "../version.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import type { Config } from "./config.ts";
import { type OpenedDatabase, openStore } from "./database.ts";
import { type Engines, makeEngines } from "./engine/engines.ts";
import { type EvaluationThreads, startEvaluation } from "./evaluation/evaluation.ts";
import { evaluationSetting } from "./evaluation/setting.ts";
import { listen } from "./http.ts";
import { registerEngineMetrics } from "./metric.ts";
import { Later, Parts } from "./part.ts";
import { enginePort } from "./port.ts";
import { type Runtime, startRuntime } from "./runtime.ts";
import { startSweeping } from "./sweep.ts";

export interface Serving {
  readonly url: string;
  /** Hands everything over and ends, in bounded time. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly log: Logger;
  /** The node cannot go on and should be stopped: an engine thread has died. What it held is fenced off. */
  readonly fatal?: (reason: string) => void;
  /** A folder with all that a throw-away server keeps, its data directory too: removed when this process has ended. */
  readonly scratch?: string;
  /** Aborted before the node is ready: it is given up, and what has been started is stopped. */
  readonly giveUp?: AbortSignal;
}

/** @throws MaestroError or ConfigError that says what is in the way and what to do, or the reason of `giveUp` */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const parts = new Parts(options.log, options.giveUp);
  try {
    const url = await boot(config, options, parts);
    return { url, stop: () => parts.stop() };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** @returns where it listens */
async function boot(config: Config, { log, fatal, ...lifetime }: ServeOptions, parts: Parts): Promise<string> {
  const nodeId = crypto.randomUUID();
  const [laterEngines, laterCluster] = [new Later<Engines>("the engines"), new Later<Cluster>("the cluster")];
  // Before all else: an address that is taken is noticed before a database is made.
  const http = await parts.start("address", () => listen(config, log));
  const store = await parts.start("database", () => openStore(config, log, lifetime));
  const secret = await new Leases(store.db.sql).secret();
  const url = config.advertiseUrl ?? http.url;
  const runtime = await parts.start("runtimes", () =>
    startRuntime(config, log, (engine, text) => laterEngines.part.fromRuntime(engine, text)),
  );
  const evaluation = await parts.start("evaluation", () => startEvaluation(config, log, runtime.plugins));
  const engines = await parts.start("engines", () =>
    laterEngines.set(
      makeEngines({
        ...{ config, log, nodeId, store, runtime, evaluation },
        callback: { url: config.advertiseUrl ?? http.localUrl, key: secret },
        elsewhere: (hints) => laterCluster.part.peers.tell(hints),
        stale: () => void laterCluster.part.membership.refresh(),
        died: (reason) => fatal?.(reason),
      }),
    ),
  );
  const node = { id: nodeId, url, version: VERSION };
  const cluster = laterCluster.set(openCluster(node, { store, pool: engines.pool, secret, log }));
  const app = appOf({ config, log, store, runtime, evaluation, engines, cluster, secret });
  registerEngineMetrics(engines.pool, cluster.membership);
  // Open before groups are claimed, and closed when they have been handed over: other nodes have something to say.
  http.open({
    peer: (request) => cluster.peers.answer(request),
    fetch: (request, connections) => app.fetch(request, connections),
  });
  await parts.start("requests", () => http);
  await parts.start("cluster", () => cluster);
  await parts.start("sweep", () => startSweeping(engines.pool, store, log));
  return http.url;
}

interface AppParts {
  readonly config: Config;
  readonly log: Logger;
  readonly store: OpenedDatabase;
  readonly runtime: Runtime;
  readonly evaluation: EvaluationThreads;
  readonly engines: Engines;
  readonly cluster: Cluster;
  readonly secret: string;
}

function appOf(parts: AppParts): ReturnType<typeof createApp> {
  const { config, log, store, runtime, evaluation, engines, cluster } = parts;
  const { pool, ended, logged, problems } = engines;
  const engine = enginePort({
    ...{ pool, ended, logged, problems: () => problems },
    evaluation: evaluation.client,
    types: runtime.types,
    membership: cluster.membership,
    peers: cluster.peers,
    secret: parts.secret,
  });
  const { catalog } = evaluationSetting(evaluation.setup);
  return createApp({ db: store.db, engine, config: { version: VERSION, limits: config.limits, catalog }, log });
}
