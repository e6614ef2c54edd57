/** Workflows drawn at random, and their restarts, end as they ended upstream. */
import { expect, test } from "bun:test";
import { isPresent, runScript } from "./server.ts";

/**
 * We differ on purpose: a step's own param wins over a param of the workflow with its name, where upstream takes the
 * workflow's as long as the step's is not evaluated. Each of these has a step with such a param.
 */
const SHADOWED = ["w6", "w30", "w36", "w44", "w63", "w87", "w115", "w141", "w216", "w248", "w277", "w397"];

test.skipIf(!isPresent)(
  "all 417 workflows end as upstream, but for those in which a step's own param wins",
  async () => {
    const out = await runScript("outcomes/check.mjs");
    const lines = out.trim().split("\n");
    const different = lines.slice(0, -1).map((line) => line.slice(0, line.indexOf(":")));
    expect(different.sort()).toEqual([...SHADOWED].sort());
    expect(lines.at(-1)).toBe(`${417 - SHADOWED.length} of 417 outcomes as upstream`);
  },
  300_000,
);
