import { expect, test } from "bun:test";
import { sourceProgram } from "../bench/server.ts";
import { cluster } from "./cluster.ts";

test("two nodes take over from each other, and one that slept through its lease commits nothing", async () => {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const report = await cluster({ program: sourceProgram, runs: 30, separate: false, say });
  expect({ problems: report.problems, ...(report.problems.length > 0 && { lines, log: report.log }) }).toEqual({
    problems: [],
  });
}, 180_000);
