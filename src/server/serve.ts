/**
 * One node, from configuration to "ready" and back: each part is started on the ones before it, and stopped in reverse.
 * It wires; what the parts do is theirs.
 */
import { createApp } from "../api/app.ts";
import { Membership } from "../flow/membership.ts";
import { EnginePool } from "../flow/pool.ts";
import type { StoredRun } from "../flow/port.ts";
import type { Logger } from "../log.ts";
import { runIdentity } from "../run/model.ts";
import { RuntimeHost } from "../runtime/host.ts";
import { StepTypeRegistry } from "../runtime/registry.ts";
import { builtinPlugins, pluginEntry } from "../spawn.ts";
import { Leases } from "../store/lease.ts";
import { purgeDeleted } from "../store/workflow.ts";
import { VERSION } from "../version.ts";
import { type Config, ConfigError } from "./config.ts";
import { type OpenedDatabase, openStore } from "./database.ts";
import { EngineHost } from "./engine/host.ts";
import type { EngineSetup } from "./engine/protocol.ts";
import { EvaluationClient } from "./evaluation/client.ts";
import { EvaluationHost } from "./evaluation/host.ts";
import type { EvaluationSetup } from "./evaluation/protocol.ts";
import { evaluationSetting, evaluationSetup } from "./evaluation/setting.ts";
import { listen } from "./http.ts";
import { Listeners } from "./listener.ts";
import { registerEngineMetrics } from "./metric.ts";
import { PEER_PATH, Peers } from "./peer.ts";
import { enginePort } from "./port.ts";

export interface Serving {
  readonly url: string;
  /** Hands everything over and ends, in bounded time. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly log: Logger;
  /** The node cannot go on and should be stopped: an engine thread has died. What it held is fenced off. */
  readonly fatal?: (reason: string) => void;
}

/** Memory is compared with the database this often, ms, give or take a tenth. */
const SWEEP_INTERVAL = 30_000;
/** How much longer than an expression's time limit the evaluation thread may be silent, ms. */
const EVALUATION_GRACE = 30_000;

/** @throws MaestroError or ConfigError that says what is in the way and what to do */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const { log } = options;
  const started: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) {
      await Promise.resolve(end()).catch((error) => log.warn("a part did not stop in order", { error }));
    }
  };
  try {
    const url = await boot(config, options, (end) => started.push(end));
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type OnStop = (end: () => Promise<void> | void) => void;

async function boot(config: Config, { log, fatal }: ServeOptions, onStop: OnStop): Promise<string> {
  const store = await openStore(config, log);
  onStop(() => store.stop());
  const node = { id: crypto.randomUUID(), version: VERSION };
  const listeners = { ended: new Listeners<StoredRun | undefined>(), logged: new Listeners() };
  const runtime = await startRuntime(config, log, (engine, text) => engines.send(engine, "runtime", text));
  onStop(() => runtime.host.stop());
  const setup = evaluationSetup(config, runtime.plugins);
  const evaluations = new EvaluationHost({
    setup,
    stuckAfter: config.sel.timeoutMs + EVALUATION_GRACE,
    onRestart: () => log.error("the evaluation thread was stuck and has been replaced"),
  });
  onStop(() => evaluations.stop());
  const pool: EnginePool = new EnginePool({
    threads: config.engineThreads,
    session: node.id,
    send: (thread, frame) => engines.send(thread, "frame", frame),
    elsewhere: (hints) => peers.tell(hints),
    ended(runs) {
      for (const run of runs) listeners.ended.tell(runIdentity(run), run.row);
    },
    logged(uuids) {
      for (const uuid of uuids) listeners.logged.tell(uuid);
    },
    stale: () => void membership.refresh(),
  });
  const problems: string[] = [];
  const engines: EngineHost = new EngineHost({
    setups: setupsOf(config, store, node.id, setup),
    frame: (thread, frame) => pool.accept(thread, frame),
    runtime: (thread, text) => runtime.host.deliver(thread, text),
    evaluate: (thread, text) => evaluations.ask(text, (answer) => engines.send(thread, "evaluate", answer)),
    log: (line) => process.stderr.write(line),
    died(thread, reason) {
      problems.push(`engine thread ${thread} has died: ${reason}`);
      pool.close(); // nothing waits for its answers
      fatal?.(`engine thread ${thread} has died: ${reason}`);
    },
  });
  await engines.start();
  onStop(() => engines.stop());
  onStop(() => pool.close());

  const leases = new Leases(store.db.sql);
  const secret = await leases.secret();
  const asking: EvaluationClient = new EvaluationClient((text) =>
    evaluations.ask(text, (answer) => asking.receive(answer)),
  );
  const http = listen(config, log, {
    routes: { [PEER_PATH]: (request) => peers.answer(request) },
    fetch: (request, connections) => app.fetch(request, connections),
  });
  onStop(() => http.stop());
  const membership: Membership = new Membership({
    node: { ...node, url: config.advertiseUrl ?? http.url },
    groups: store.groups,
    store: leases,
    log,
    own: (stamps) => pool.own(stamps),
    disown: (groups) => pool.disown(groups),
    freed: () => peers.freed(),
  });
  const peers: Peers = new Peers({
    ...{ self: node.id, secret, log },
    nodes: () => membership.nodes,
    heard(hints) {
      if (hints.length === 0) void membership.refresh();
      pool.look(hints.filter(({ groupId }) => pool.owned.has(groupId)));
    },
  });
  const types = new StepTypeRegistry(runtime.plugins);
  const port = enginePort({ pool, evaluation: asking, types, ...listeners, membership, problems: () => problems });
  const { catalog } = evaluationSetting(setup);
  warnOfTypes(config, types, log);
  const app = createApp({
    db: store.db,
    engine: port,
    config: { version: VERSION, limits: config.limits, catalog },
    log,
  });
  registerEngineMetrics(pool, membership);
  await membership.start();
  onStop(() => membership.stop());
  onStop(sweeping(pool, () => purge(store, log)));
  return http.url;
}

async function startRuntime(config: Config, log: Logger, send: (engine: number, text: string) => void) {
  const builtin = builtinPlugins().map((name) => ({ name, path: pluginEntry(name) }));
  const given = config.plugin.map((path) => ({ name: path, path }));
  const host = new RuntimeHost({
    threads: config.runtimeThreads,
    dataDir: config.dataDir,
    plugins: [...builtin, ...given],
    send,
    onRestart: (thread, reason) => log.warn("a runtime thread was replaced", { thread, reason }),
  });
  const { types, failures } = await host.start();
  const [failure] = failures;
  if (failure) {
    await host.stop();
    throw new ConfigError(`The plugin ${failure.name} cannot be loaded: ${failure.message}`);
  }
  return { host, plugins: types };
}

/** Defaults of a type that no definition may name do nothing: most likely the name is misspelt. */
function warnOfTypes(config: Config, types: StepTypeRegistry, log: Logger): void {
  const known = new Set([
    ...types.names.map((name) => name.toLowerCase()),
    "foreach",
    "while",
    "subworkflow",
    "template",
  ]);
  for (const type of Object.keys(config.defaultParams.types ?? {})) {
    if (!known.has(type)) log.warn("default_params.types names an unknown step type", { type, known: [...known] });
  }
}

function setupsOf(config: Config, store: OpenedDatabase, session: string, evaluation: EvaluationSetup): EngineSetup[] {
  const { logFormat: format, logLevel: level } = config;
  return Array.from({ length: config.engineThreads }, (_, index) => ({
    ...evaluation,
    session: `${session}-${index}`,
    databaseUrl: store.url,
    index,
    runtimeThreads: config.runtimeThreads,
    dataDir: config.dataDir,
    groups: store.groups,
    log: { format, level, colour: false },
  }));
}

/** What an earlier deletion, or the end of the process in the middle of one, has left of deleted workflows. */
function purge({ db }: OpenedDatabase, log: Logger): void {
  purgeDeleted(db.sql).catch((error) => log.warn("the purge of deleted workflows stopped", { error }));
}

/** Sweeps now and then. @returns ends it */
function sweeping(pool: EnginePool, purge: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const sweep = (): void => {
    pool.sweep();
    purge();
    timer = setTimeout(sweep, SWEEP_INTERVAL * (0.9 + Math.random() * 0.2));
  };
  sweep();
  return () => clearTimeout(timer);
}
