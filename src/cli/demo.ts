/** `maestro demo`: a throw-away server that runs the ETL of `examples/etl` before your eyes. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import definition from "../../examples/etl/etl.yaml" with { type: "text" };
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import { type Config, loadConfig } from "../server/config.ts";
import type { Serving } from "../server/serve.ts";
import type { RunAddress } from "./address.ts";
import { type Arguments, option, wholeNumber } from "./argument.ts";
import { Client, path } from "./client.ts";
import { type Command, EXIT, Failure, type Io } from "./command.ts";
import { cell, object, objects } from "./output.ts";
import { programName } from "./program.ts";
import { treeLines } from "./progress.ts";
import { serverLog } from "./serverlog.ts";
import { aborted, firstSignal } from "./signal.ts";
import { exitOfRun, watchRun } from "./watch.ts";

/** Milliseconds that the demo's run may take before something must be wrong. */
const PATIENCE = 120_000;

const KEEP = option({ name: "--keep", summary: "Go on serving until a signal comes" });
const PORT = option({
  name: "--port",
  placeholder: "N",
  summary: "Port to listen on",
  otherwise: "a free one",
  read: wholeNumber(0, 65_535),
});

export const demoCommand: Command = {
  name: "demo",
  summary: "Serve, push an example, run it, and show its steps as they finish",
  positionals: [],
  options: [KEEP, PORT],
  examples: ["demo", "demo --keep --port 8080"],
  detail: "It uses a folder and a database of its own, and removes them when it ends. No setting or variable is read.",
  run: async (args, io) => {
    const signal = firstSignal(io);
    const scratch = mkdtempSync(join(tmpdir(), "maestro-demo-"));
    // Started by root, Postgres runs as another user, who must get through.
    chmodSync(scratch, 0o711);
    try {
      const server = await start(scratch, args, io, signal);
      try {
        await show(server.url, scratch, args.has(KEEP), io, signal);
        if (args.has(KEEP)) {
          io.err(`Serving at ${server.url} until Ctrl-C.`);
          await aborted(signal);
        }
        return EXIT.OK;
      } finally {
        await server.stop();
      }
    } catch (error) {
      if (signal.aborted) return EXIT.OK;
      throw error;
    } finally {
      // A script that was running may still write to it.
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  },
};

async function start(scratch: string, args: Arguments, io: Io, giveUp: AbortSignal): Promise<Serving> {
  const config = configOf(scratch, args, io);
  io.err("Starting a server with a new database…");
  const { serve } = await import("../server/serve.ts");
  const log = serverLog(io, { format: "pretty", level: config.logLevel });
  return serve(config, { log, scratch, giveUp });
}

/** What the environment and files say is for real servers. */
function configOf(root: string, args: Arguments, io: Io): Config {
  const flags = new Map([
    ["--port", [String(args.get(PORT) ?? 0)]],
    ["--data-dir", [join(root, "data")]],
    ["--log-level", ["warn"]],
  ]);
  return loadConfig(flags, { env: {}, cwd: root, home: root, uid: io.uid, cores: io.cores, terminal: io.terminal.err });
}

/** @throws when the run did not succeed, and when the signal is aborted */
async function show(url: string, root: string, kept: boolean, io: Io, signal: AbortSignal): Promise<void> {
  const client = new Client(url, io.user);
  const { readYamlText } = await import("../definition/text/read.ts");
  const { value: body } = readYamlText(definition, workflowCreateRequestSchema);
  await client.request("POST", "/workflows", { body, signal });
  io.out(`Pushed the workflow "etl" (examples/etl/etl.yaml) to ${url}, and started it:`);
  io.out("");
  const end = await watchRun(client, await startRun(client, root, signal), io, { timeout: PATIENCE, signal });
  // The lines of the run ended with its first line.
  if (!io.terminal.out) for (const line of ["", ...treeLines(end, { colour: false }).slice(1)]) io.out(line);
  const report = end.steps.find((it) => it.step_id === "report");
  const file = cell(object(object(report?.params).file), "evaluated_result");
  if (existsSync(file))
    io.out(`\nThe last step wrote:\n\n${readFileSync(file, "utf8").replace(/^/gm, "  ").trimEnd()}`);
  const exit = exitOfRun(end);
  if (exit !== EXIT.OK) throw new Failure("the demo's run did not succeed", exit, reasons(end.run.timeline));
  for (const line of nextLines(url, kept, io)) io.out(line);
}

async function startRun(client: Client, workDir: string, signal: AbortSignal): Promise<RunAddress> {
  const answer = object(
    await client.request("POST", path`/workflows/etl/versions/active/actions/start`, {
      body: { initiator: { type: "manual" }, run_params: { work_dir: { type: "STRING", value: workDir } } },
      signal,
    }),
  );
  return { workflow: "etl", instance: cell(answer, "workflow_instance_id"), run: cell(answer, "workflow_run_id") };
}

const reasons = (timeline: Parameters<typeof objects>[0]): readonly string[] =>
  objects(timeline).map((it) => cell(it, "message"));

/**
 * Each command stands alone on its line, to be pasted: not every shell takes comments.
 *
 * @param kept the demo's server goes on, and is the one that the commands talk to
 */
function nextLines(url: string, kept: boolean, io: Io): readonly string[] {
  const maestro = programName(io);
  const server = kept ? ` --server ${url}` : "";
  const more = existsSync(join(io.cwd, "examples", "conditional.json"));
  const own: readonly (readonly [what: string, command: string])[] = kept
    ? [
        ["the same once more", `${maestro} run start etl --watch${server}`],
        ["with fewer errors allowed", `${maestro} run start etl --param max_error_rate=0.1 --watch${server}`],
        ["its API, described", `curl ${url}/openapi.json`],
      ]
    : [
        ["this demo, to look around in", `${maestro} demo --keep`],
        ["a server that keeps its data; what follows is for another shell", `${maestro} serve`],
      ];
  const examples: typeof own = [
    ["more workflows, one a feature", `${maestro} workflow push examples/*.json examples/etl/etl.yaml${server}`],
    ["one of them", `${maestro} run start example-conditional --param amount=5000 --watch${server}`],
  ];
  const all = [...own, ...(more ? examples : []), ["all commands", `${maestro} --help`] as const];
  const title = kept ? "Try next, in another shell:" : "Try next:";
  return ["", title, ...all.flatMap(([what, command]) => ["", `  ${what}`, `    ${command}`])];
}
