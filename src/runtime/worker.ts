/**
 * Entry of a runtime thread. Says hello when it listens, is set up by main, loads the plugins, answers pings while its
 * event loop turns, and passes frames on to its {@link RuntimeThread}.
 */
import { stringifyJson } from "../json.ts";
import { loadPlugins } from "./load.ts";
import { address, type FromWorker, type ToWorker, unaddress, type WorkerSetup } from "./protocol.ts";
import { Secrets } from "./secret.ts";
import { RuntimeThread } from "./thread.ts";

declare const self: {
  onmessage: ((event: { readonly data: string }) => void) | null;
  postMessage(text: string): void;
};

/** Frames that came before the plugins were loaded; undefined once they are. */
let early: string[] | undefined = [];
let thread: RuntimeThread | undefined;
let secrets = new Secrets([]);
let isSetUp = false;
/** Ends the processes of plugins. */
let endProcesses = async (): Promise<void> => {};
let ready: string | undefined;

const say = (message: FromWorker): void => self.postMessage(JSON.stringify(message));

self.onmessage = ({ data }) => {
  if (!data.startsWith("{")) {
    if (early === undefined) deliver(data);
    else early.push(data);
    return;
  }
  const message = JSON.parse(data) as ToWorker;
  switch (message.type) {
    case "setup":
      if (ready !== undefined) self.postMessage(ready); // it is asked for again: the first one was lost
      if (!isSetUp) void begin(message);
      isSetUp = true;
      return;
    case "ping":
      say({ type: "pong", id: message.id });
      return;
    case "stop":
      thread?.stop();
      void endProcesses().then(() => say({ type: "stopped" }));
  }
};
// What a plugin throws where nobody can catch it must not end the thread: other attempts live here.
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) =>
    say({ type: "line", level: "error", message: secrets.clean(`Unhandled: ${error}`) }),
  );
}
say({ type: "hello" });

async function begin({ session, dataDir, plugins, logBytes, secrets: settings }: WorkerSetup): Promise<void> {
  secrets = new Secrets(settings);
  const { types, metadata, failures, stop } = await loadPlugins(plugins, {
    line: (level, message) => say({ type: "line", level, message }),
    clean: (text) => secrets.clean(text),
    onProcess: (pid, isAlive) => say({ type: "process", pid, isAlive }),
  });
  endProcesses = stop;
  thread = new RuntimeThread({
    session,
    dataDir,
    types,
    logBytes,
    secrets,
    send: (engine, frame) => self.postMessage(address(engine, frame)),
    line: (level, message, { identity, uuid }) => say({ type: "line", level, message, identity, uuid }),
    now: Date.now,
  });
  const waiting = early ?? [];
  early = undefined;
  for (const text of waiting) deliver(text);
  ready = JSON.stringify({ type: "ready", types: stringifyJson(metadata), failures } satisfies FromWorker);
  self.postMessage(ready);
}

function deliver(text: string): void {
  const { from, frame } = unaddress(text);
  thread?.deliver(from, frame);
}
