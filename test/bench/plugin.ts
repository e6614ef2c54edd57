/**
 * What a step of a plugin costs, in a thread and in a process: a chain of 100, 1,000 runs of 10; and steps of others while
 * a plugin holds its thread.
 */
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

/** Without it, steps of a process are not measured. */
const PYTHON = Bun.which("python3") !== null;

export const plugin: Bench = {
  name: "plugin",
  on: "fresh",
  args: [join(import.meta.dir, "burden.ts"), ...(PYTHON ? [join(import.meta.dir, "piped")] : [])].flatMap((path) => [
    ...["--plugin", path],
  ]),
  async run(subject) {
    const { client } = subject;
    await client.push(chain("bench-plugin-beside", 1));
    const burning = { BenchBurn: { type: "MAP", value: { milliseconds: { type: "LONG", value: BURN } } } };
    await client.push(workflow("bench-plugin-burn", [step("burn", "BenchBurn", { params: burning })]));
    const cost = await costOf(subject, "a plugin", "BenchNothing", { chain: 1, rate: 8000 });
    const piped = PYTHON ? await costOf(subject, "a process in Python", "BenchPiped", { chain: 2, rate: 3000 }) : [];
    const [before, beside] = [await oneSteps(subject, false), await oneSteps(subject, true)];
    return [
      ...cost,
      ...piped,
      { name: "one-step run of a NoOp, p99", value: percentile(before, 0.99), unit: "ms" },
      { name: "the same while a plugin burns its thread, p99", value: percentile(beside, 0.99), unit: "ms" },
    ] satisfies Figure[];
  },
};

/** @param budget ms of a step in a chain, and steps a second in many runs */
async function costOf(
  subject: Subject,
  whose: string,
  type: string,
  budget: { readonly chain: number; readonly rate: number },
): Promise<Figure[]> {
  const { client, baseline } = subject;
  const [long, many] = [`bench-chain-${type}`, `bench-many-${type}`];
  await client.push(chain(long, LENGTH, type));
  await client.push(chain(many, STEPS, type));
  const alone = await chains(subject, long);
  const rate = await runs(subject, many);
  return [
    {
      name: `chain of ${LENGTH} steps of ${whose}, a step`,
      value: median(alone) / LENGTH,
      unit: "ms",
      budget: budget.chain,
      raw: { what: "commit p50", value: baseline.commitP50 },
    },
    {
      name: `${rate.runs} runs × ${STEPS} steps of ${whose}`,
      value: rate.perSecond,
      unit: "steps/s",
      budget: budget.rate,
      atLeast: true,
      raw: { what: "850-byte rows/s", value: baseline.rows },
    },
  ];
}

/** Milliseconds of whole runs, as the client sees them. */
async function chains({ client, quick }: Subject, workflow: string): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < (quick ? 20 : 60) + 10; index++) {
    const begin = performance.now();
    await client.succeed(workflow);
    if (index >= 10) seen.push(performance.now() - begin);
  }
  return seen;
}

async function runs(
  { client, sql, quick }: Subject,
  workflow: string,
): Promise<{ readonly runs: number; readonly perSecond: number }> {
  const count = quick ? 300 : 1000;
  const rates: number[] = [];
  for (let round = 0; round < 4; round++) {
    const begin = performance.now();
    await concurrently(count, 64, () => client.start(workflow));
    await allEnded(sql, [workflow]);
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
