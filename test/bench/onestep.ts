/** One run of one NoOp step, one after the other: as a client sees it, and from its request to the first step. */
import type { Bench } from "./bench.ts";
import type { Figure } from "./report.ts";
import { median, percentile } from "./stat.ts";
import { chain } from "./workflow.ts";

/** Until then the runtime is still compiling what a run takes: the first 250 take about a millisecond and a half longer. */
const WARM_UP = 1000;

export const oneStep: Bench = {
  name: "one-step",
  on: "server",
  async run({ client, quick, baseline }) {
    await client.push(chain("bench-one", 1));
    const seen: number[] = [];
    const started: number[] = [];
    const count = quick ? 200 : 1000;
    for (let index = 0; index < count + WARM_UP; index++) {
      const requested = Date.now();
      const begin = performance.now();
      const run = await client.succeed("bench-one");
      const end = performance.now();
      if (index < WARM_UP) continue;
      seen.push(end - begin);
      const [step] = await client.steps(run);
      started.push((step?.runtime_state.execute_time ?? Number.NaN) - requested);
    }
    const twice = { what: "2 commits p50", value: baseline.commitP50 * 2 };
    const twiceP99 = { what: "2 commits p99", value: baseline.commitP99 * 2 };
    const clock = "stored milliseconds, ±1";
    return [
      { name: "one-step run, POST → SUCCEEDED seen, p50", value: median(seen), unit: "ms", budget: 4, raw: twice },
      { name: "one-step run, p99", value: percentile(seen, 0.99), unit: "ms", budget: 12, raw: twiceP99 },
      { name: "request → first step executing, p50", value: median(started), unit: "ms", budget: 3, note: clock },
      { name: "request → first step executing, p99", value: percentile(started, 0.99), unit: "ms", budget: 15 },
    ] satisfies Figure[];
  },
};
