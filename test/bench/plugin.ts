/** What a step of a plugin costs: a chain of 100, 1,000 runs of 10, and steps of others while a plugin holds its thread. */
import { join } from "node:path";
import type { Bench, Subject } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { median, percentile } from "./stat.ts";
import { allEnded } from "./throughput.ts";
import { chain, step, workflow } from "./workflow.ts";

const LENGTH = 100;
const STEPS = 10;
/** How long a step of the burning type holds its thread, ms. */
const BURN = 200;

export const plugin: Bench = {
  name: "plugin",
  on: "fresh",
  args: ["--plugin", join(import.meta.dir, "burden.ts")],
  async run(subject) {
    const { client, baseline } = subject;
    await client.push(chain("bench-plugin-chain", LENGTH, "BenchNothing"));
    await client.push(chain("bench-plugin-many", STEPS, "BenchNothing"));
    await client.push(chain("bench-plugin-beside", 1));
    const burning = { BenchBurn: { type: "MAP", value: { milliseconds: { type: "LONG", value: BURN } } } };
    await client.push(workflow("bench-plugin-burn", [step("burn", "BenchBurn", { params: burning })]));
    const alone = await chains(subject);
    const rate = await runs(subject);
    const [before, beside] = [await oneSteps(subject, false), await oneSteps(subject, true)];
    return [
      {
        name: `chain of ${LENGTH} steps of a plugin, a step`,
        value: median(alone) / LENGTH,
        unit: "ms",
        budget: 1,
        raw: { what: "commit p50", value: baseline.commitP50 },
      },
      {
        name: `${rate.runs} runs × ${STEPS} steps of a plugin`,
        value: rate.perSecond,
        unit: "steps/s",
        budget: 8000,
        atLeast: true,
        raw: { what: "850-byte rows/s", value: baseline.rows },
      },
      { name: "one-step run of a NoOp, p99", value: percentile(before, 0.99), unit: "ms" },
      { name: "the same while a plugin burns its thread, p99", value: percentile(beside, 0.99), unit: "ms" },
    ] satisfies Figure[];
  },
};

/** Milliseconds of whole runs, as the client sees them. */
async function chains({ client, quick }: Subject): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < (quick ? 20 : 60) + 10; index++) {
    const begin = performance.now();
    await client.succeed("bench-plugin-chain");
    if (index >= 10) seen.push(performance.now() - begin);
  }
  return seen;
}

async function runs({ client, sql, quick }: Subject): Promise<{ readonly runs: number; readonly perSecond: number }> {
  const count = quick ? 300 : 1000;
  const rates: number[] = [];
  for (let round = 0; round < 4; round++) {
    const begin = performance.now();
    await concurrently(count, 64, () => client.start("bench-plugin-many"));
    await allEnded(sql, ["bench-plugin-many"]);
    if (round > 0) rates.push((count * STEPS) / ((performance.now() - begin) / 1000));
  }
  return { runs: count, perSecond: median(rates) };
}

/** @param isBurning steps of a plugin hold its thread all the while */
async function oneSteps({ client, quick }: Subject, isBurning: boolean): Promise<number[]> {
  let over = false;
  const burner = async (): Promise<void> => {
    while (!over) await client.succeed("bench-plugin-burn");
  };
  const burning = isBurning ? burner() : undefined;
  const seen: number[] = [];
  for (const end = performance.now() + (quick ? 3000 : 10_000); performance.now() < end; ) {
    const begin = performance.now();
    await client.succeed("bench-plugin-beside");
    seen.push(performance.now() - begin);
  }
  over = true;
  await burning;
  return seen;
}
