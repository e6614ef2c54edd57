/** The worst delay that hostile expressions in the params of one client's runs cause the runs of another. */
import type { Bench } from "./bench.ts";
import { HOSTILE } from "./hostile.ts";
import type { Figure } from "./report.ts";
import { percentile } from "./stat.ts";
import { chain } from "./workflow.ts";

export const delay: Bench = {
  name: "hostile",
  on: "server",
  async run({ client, quick }) {
    await client.push(chain("bench-victim", 1));
    await client.push(chain("bench-hostile", 1));
    const seconds = quick ? 4 : 12;
    const measure = async (): Promise<number[]> => {
      const seen: number[] = [];
      for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
        const begin = performance.now();
        await client.succeed("bench-victim");
        seen.push(performance.now() - begin);
      }
      return seen;
    };
    await measure(); // warm-up
    const alone = percentile(await measure(), 0.99);
    let over = false;
    let attacks = 0;
    const attacker = async (source: string): Promise<void> => {
      while (!over) {
        const started = client.start("bench-hostile", { params: { x: { type: "STRING", expression: source } } });
        await Promise.race([started.catch(() => undefined), Bun.sleep(seconds * 1000)]);
        attacks++;
      }
    };
    for (const source of Object.values(HOSTILE)) void attacker(source);
    const beside = await measure();
    over = true;
    const name = "one-step run beside hostile starts";
    return [
      {
        name: `${name}, p99 − p99 without them`,
        value: percentile(beside, 0.99) - alone,
        unit: "ms",
        budget: 10,
        note: `${alone.toFixed(1)} ms without; ${attacks} attacks ended`,
      },
      { name: `${name}, slowest`, value: Math.max(...beside), unit: "ms" },
    ] satisfies Figure[];
  },
};
