/** The real outside world: this process's streams, environment and signals. */

import { readFileSync } from "node:fs";
import { availableParallelism, homedir, userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { setTimeout } from "node:timers/promises";
import type { Io, Signal } from "./command.ts";

export function processIo(): Io {
  const { env, stdin, stdout, stderr } = process;
  // A reader that went away (`maestro run list | head`) is not an error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const terminal = { in: stdin.isTTY === true, out: stdout.isTTY === true, err: stderr.isTTY === true };
  let user: string | undefined;
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    log: (lines, written) => void stderr.write(lines, written),
    raw: (text) => void stdout.write(text),
    input: () => Bun.stdin.bytes(),
    ask,
    env,
    cwd: process.cwd(),
    home: env.HOME || homedir(),
    get user() {
      user ??= osUser();
      return user;
    },
    uid: process.getuid?.(),
    cores: availableParallelism(),
    terminal,
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    colour: terminal.out && !env.NO_COLOR && env.TERM !== "dumb",
    onSignal,
    sleep: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => {}), // rejects when it is aborted, only
    exit: (code) => process.exit(code),
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

/**
 * The name of the user that this process runs as. Bun takes it from `USER` alone, which services and containers may
 * lack; `id` asks the system. A uid may have no name: then it is the number.
 */
function osUser(): string {
  const name = process.env.USER || userInfo().username;
  if (name !== "unknown" && name !== "") return name;
  try {
    const { stdout } = Bun.spawnSync(["id", "-un"], { stderr: "ignore" });
    return stdout.toString().trim() || String(process.getuid?.() ?? "unknown");
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

function onSignal(callback: (signal: Signal) => void): () => void {
  const signals: readonly Signal[] = ["SIGINT", "SIGTERM", ...(mayHangUp() ? (["SIGHUP"] as const) : [])];
  const undo = signals.map((signal) => {
    const listener = (): void => callback(signal);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const off of undo) off();
  };
}

/** Not when SIGHUP is ignored, as below nohup, nor where that can't be seen: a handler would undo it. */
function mayHangUp(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return ignored !== undefined && (Number.parseInt(ignored.slice(-1), 16) & 1) === 0;
  } catch {
    return false;
  }
}
