/** The real outside world: this process's streams, environment and signals. */

import { availableParallelism, homedir, userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import type { Io } from "./command.ts";

export function processIo(): Io {
  const { env, stdin, stdout, stderr } = process;
  // A reader that went away (`maestro run list | head`) is not an error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const terminal = { in: stdin.isTTY === true, out: stdout.isTTY === true, err: stderr.isTTY === true };
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    raw: (text) => void stdout.write(text),
    input: () => Bun.stdin.text(),
    ask,
    env,
    cwd: process.cwd(),
    home: env.HOME || homedir(),
    user: osUser(),
    uid: process.getuid?.(),
    cores: availableParallelism(),
    terminal,
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    colour: terminal.out && !env.NO_COLOR && env.TERM !== "dumb",
    onSignal,
    sleep: (ms) => Bun.sleep(ms),
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

/** A process may run as a uid that has no name. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || "unknown";
  }
}

function onSignal(callback: (signal: "SIGINT" | "SIGTERM") => void): () => void {
  const interrupted = (): void => callback("SIGINT");
  const terminated = (): void => callback("SIGTERM");
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", terminated);
  return () => {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", terminated);
  };
}
