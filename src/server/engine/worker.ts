/** Thread entry: one engine thread with its own connections, wired to main by texts. */
import { systemClock } from "../../clock.ts";
import type { TemplateRef } from "../../definition/template.ts";
import { Engine } from "../../flow/engine.ts";
import { Evaluator } from "../../flow/evaluator.ts";
import { patiently } from "../../flow/fetching.ts";
import type { FlowStore } from "../../flow/port.ts";
import { EngineThread } from "../../flow/thread.ts";
import { parseJson, stringifyJson } from "../../json.ts";
import { createLogger, type Logger } from "../../log.ts";
import { dequeueing } from "../../queue/dequeue.ts";
import { Queue } from "../../queue/queue.ts";
import type { ParamQuestion } from "../../run/child.ts";
import { RuntimeClient } from "../../runtime/client.ts";
import { placeOf } from "../../runtime/place.ts";
import { StepTypeRegistry } from "../../runtime/registry.ts";
import { issueToken, type TokenRef } from "../../runtime/token.ts";
import { type Database, openDatabase } from "../../store/connection.ts";
import { openFlowStore } from "../../store/flow.ts";
import { openQueueStore } from "../../store/outbox.ts";
import type { StartEffects } from "../../store/start.ts";
import { EvaluationClient } from "../evaluation/client.ts";
import { evaluationSetting } from "../evaluation/setting.ts";
import { type EngineSetup, MARK } from "./protocol.ts";
import { told } from "./told.ts";

declare const self: Worker;

/** How often main is told how the engine is doing, ms; only when something has changed. */
const COUNT_INTERVAL = 2_000;

/** The writer's own, one for starts, one for everything else. */
const CONNECTIONS = 3;

/** How long the connection stays for what expressions ask of other runs, which most threads never need, s. */
const ASKING_IDLE = 30;

const send = (mark: string, text = ""): void => self.postMessage(mark + text);

interface Wired {
  readonly thread: EngineThread;
  readonly runtime: RuntimeClient;
  readonly evaluation: EvaluationClient;
  readonly databases: readonly Database[];
  readonly counting: ReturnType<typeof setInterval>;
}

let wired: Wired | undefined;

self.onmessage = ({ data }: MessageEvent<string>): void => {
  const text = data.slice(1);
  switch (data[0]) {
    case MARK.setup:
      wired = wire(parseJson(text) as unknown as EngineSetup);
      return send(MARK.ready);
    case MARK.frame:
      return wired?.thread.accept(text);
    case MARK.runtime:
      return wired?.runtime.receive(text);
    case MARK.evaluate:
      return wired?.evaluation.receive(text);
    case MARK.stop:
      return void stop();
  }
};

function wire(setup: EngineSetup): Wired {
  const log = createLogger({ ...setup.log, fields: { thread: setup.index }, write: together });
  const evaluation = new EvaluationClient((text) => send(MARK.evaluate, text));
  const runtime = new RuntimeClient({
    threads: setup.runtimeThreads,
    session: setup.session,
    send: (text) => send(MARK.runtime, text),
    onWake: (uuid) => wired?.thread.engine.wake(uuid),
    onLog: (chunks) => wired?.thread.engine.append(chunks),
  });
  const database = openDatabase(setup.databaseUrl, { max: CONNECTIONS, name: `maestro engine ${setup.index}` });
  const name = `maestro engine ${setup.index} asks`;
  const asking = openDatabase(setup.databaseUrl, { max: 1, name, idleSeconds: ASKING_IDLE });
  const thread = new EngineThread({
    session: setup.session,
    send: (frame) => send(MARK.frame, frame),
    engine: (events) => {
      const stopped = (effects: StartEffects): void => told(effects, log, events);
      const store = openFlowStore(database, { log, stopped, asking: asking.sql });
      const outbox = new Queue({
        ...{ store: openQueueStore(database.sql), clock: systemClock, log },
        processors: [dequeueing(() => engine)],
      });
      const engine: Engine = new Engine({ ...parts(setup, log, runtime, evaluation, store), store, outbox, events });
      return engine;
    },
  });
  return {
    thread,
    runtime,
    evaluation,
    databases: [database, asking],
    counting: setInterval(countChanges(thread), COUNT_INTERVAL),
  };
}

let lines = "";

/** The lines of one tick go to main in one message. */
function together(line: string): void {
  lines += line;
  if (lines.length > line.length) return;
  queueMicrotask(() => {
    send(MARK.log, lines);
    lines = "";
  });
}

function parts(
  setup: EngineSetup,
  log: Logger,
  runtime: RuntimeClient,
  evaluation: EvaluationClient,
  store: FlowStore,
) {
  const types = new StepTypeRegistry(setup.plugins);
  const { url, key } = setup.callback;
  return {
    callback: (attempt: TokenRef) => ({ url, token: issueToken(key, attempt) }),
    clock: systemClock,
    log,
    place: placeOf(setup.dataDir),
    groups: setup.groups,
    iterations: setup.iterations,
    alwaysPassDown: setup.alwaysPassDown,
    index: setup.index,
    evaluation: new Evaluator({
      ...evaluationSetting(setup),
      inlineVisits: setup.inlineVisits,
      elsewhere: (job) => evaluation.ask(job),
      fetch: patiently(systemClock, (question: ParamQuestion) => store.fetch(question)),
      templates: patiently(systemClock, (refs: readonly TemplateRef[]) => store.templates(refs)),
      random: () => Math.floor(Math.random() * 2 ** 52),
    }),
    newUuid: () => crypto.randomUUID(),
    runtimeOf: ({ kind, typed }: { readonly kind: string; readonly typed: { readonly type: string } | undefined }) => {
      if (!typed) return { unavailable: `Steps of kind [${kind}] have no runtime on this server` };
      const entry = types.find(typed.type);
      if (entry?.kind === "plugin") return runtime;
      if (entry?.kind === "unavailable") return { unavailable: entry.reason };
      return {
        unavailable: `Step type [${typed.type}] has no runtime on this server; known are ${types.names.join(", ")}`,
      };
    },
    forget: (uuid: string) => runtime.forget(uuid),
    stored: (uuid: string, bytes: number) => runtime.stored(uuid, bytes),
  };
}

/** Tells main only what it does not know yet, so that an idle engine is silent. */
function countChanges(thread: EngineThread): () => void {
  let last = "";
  return () => {
    const counters = stringifyJson(thread.engine.counters);
    if (counters === last) return;
    last = counters;
    thread.count();
  };
}

async function stop(): Promise<void> {
  if (wired) {
    clearInterval(wired.counting);
    await wired.thread.engine.stop();
    await Promise.all(wired.databases.map((database) => database.close()));
    wired.runtime.close();
    wired.evaluation.close();
  }
  send(MARK.stopped);
}
