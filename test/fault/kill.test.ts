import { expect, test } from "bun:test";
import { sourceProgram } from "../bench/server.ts";
import { killRounds } from "./kill.ts";

test("a server that is killed again and again loses, repeats and contradicts nothing", async () => {
  const lines: string[] = [];
  const report = await killRounds({
    program: sourceProgram,
    rounds: 3,
    runs: 30,
    seed: 7,
    life: 1500,
    say: (line) => lines.push(line),
  });
  expect(report.kills).toBeGreaterThanOrEqual(3);
  expect({ problems: report.problems, ...(report.problems.length > 0 && { lines, log: report.log }) }).toEqual({
    problems: [],
  });
}, 180_000);
