/** From the end of a step to the start of the next: a chain of 100 NoOp steps, alone and beside 1,000 sleeping runs. */
import type { Bench, Subject } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { median, percentile } from "./stat.ts";
import { chain, sleeper } from "./workflow.ts";

const LENGTH = 100;

interface Chains {
  /** Milliseconds of whole runs, as the client sees them. */
  readonly seen: number[];
  /** Milliseconds from the end of a step to its successor executing, as stored. */
  readonly launches: number[];
}

export const chains: Bench = {
  name: "chain",
  on: "server",
  async run(subject) {
    const { client, quick, baseline } = subject;
    await client.push(chain("bench-chain", LENGTH));
    const alone = await measure(subject, quick ? 20 : 100);
    await client.push(sleeper("bench-sleep", 3600));
    const sleepers = quick ? 200 : 1000;
    await concurrently(sleepers, 64, () => client.start("bench-sleep"));
    const beside = await measure(subject, quick ? 20 : 100);
    await concurrently(sleepers, 32, (index) =>
      client.request("PUT", `/bench-sleep/instances/${index + 1}/runs/1/actions/kill`),
    );
    const raw = { what: "2 commits p50 / 100", value: (baseline.commitP50 * 2) / LENGTH };
    const crowd = `beside ${sleepers} sleeping runs`;
    return [
      { name: "chain of 100, a step", value: median(alone.seen) / LENGTH, unit: "ms", budget: 0.15, raw },
      { name: "chain of 100, a step, p99 of runs", value: percentile(alone.seen, 0.99) / LENGTH, unit: "ms" },
      { name: `chain of 100 ${crowd}, a step`, value: median(beside.seen) / LENGTH, unit: "ms", budget: 0.15, raw },
      { name: `step end → successor executing ${crowd}, p50`, value: median(beside.launches), unit: "ms", budget: 1 },
      { name: "the same, p99", value: percentile(beside.launches, 0.99), unit: "ms", budget: 10 },
    ] satisfies Figure[];
  },
};

/** Runs of the workflow `bench-chain`, after ten to warm up. */
export async function measure({ client }: Subject, count: number): Promise<Chains> {
  const result: Chains = { seen: [], launches: [] };
  for (let index = 0; index < count + 10; index++) {
    const begin = performance.now();
    const run = await client.succeed("bench-chain");
    const end = performance.now();
    if (index < 10) continue;
    result.seen.push(end - begin);
    const times = (await client.steps(run)).map((step) => step.runtime_state);
    for (let at = 1; at < times.length; at++) {
      result.launches.push((times[at]?.execute_time ?? Number.NaN) - (times[at - 1]?.end_time ?? Number.NaN));
    }
  }
  return result;
}
