/** Short forms of `kill.ts`, `cluster.ts`, `permit.ts`, `nested.ts` and `signal.ts`. Most of their time is waiting for leases, so they run beside each other. */
import { expect, test } from "bun:test";
import { sourceProgram } from "../bench/server.ts";
import { cluster } from "./cluster.ts";
import { killRounds } from "./kill.ts";
import { nested } from "./nested.ts";
import { permit } from "./permit.ts";
import { signalRounds } from "./signal.ts";

const PATIENCE = 180_000;
const program = sourceProgram;

test.concurrent(
  "a server that is killed again and again loses, repeats and contradicts nothing",
  async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const { problems, kills, log } = await killRounds({ program, rounds: 3, runs: 30, seed: 7, life: 1500, say });
    expect(kills).toBeGreaterThanOrEqual(3);
    expect(problems.length > 0 ? { problems, lines, log } : {}).toEqual({});
  },
  PATIENCE,
);

test.concurrent(
  "two nodes take over from each other, and one that slept through its lease commits nothing",
  async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const { problems, log } = await cluster({ program, runs: 30, separate: true, say });
    expect(problems.length > 0 ? { problems, lines, log } : {}).toEqual({});
  },
  PATIENCE,
);

test.if(process.platform !== "win32").concurrent(
  "two nodes never run more steps of a tag than may, though one is killed",
  async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const { problems, log } = await permit({ program, steps: 75, limit: 3, say });
    expect(problems.length > 0 ? { problems, lines, log } : {}).toEqual({});
  },
  PATIENCE,
);

test.concurrent(
  "a tree of loops loses and repeats no iteration, though one of its nodes is killed again and again",
  async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const { problems, log } = await nested({ program, rounds: 1, width: 30, nodes: 2, seed: 11, say });
    expect(problems.length > 0 ? { problems, lines, log } : {}).toEqual({});
  },
  PATIENCE,
);

test.if(process.platform === "linux").concurrent(
  "one and two signals at any moment leave no process and no folder",
  async () => {
    const lines: string[] = [];
    const { problems } = await signalRounds({
      program,
      rounds: 6,
      seed: 3,
      launchers: [],
      say: (line) => void lines.push(line),
    });
    expect(problems.length > 0 ? { problems, lines } : {}).toEqual({});
  },
  PATIENCE,
);
