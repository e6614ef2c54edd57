/** From spawning the program to its ready line: on an empty directory, and on one that has been served before. */
import type { Bench } from "./bench.ts";
import type { Figure } from "./report.ts";
import { startServer } from "./server.ts";
import { median } from "./stat.ts";

export const cold: Bench = {
  name: "cold",
  on: "nothing",
  async run({ program, folder, quick }) {
    const first: number[] = [];
    const second: number[] = [];
    const stops: number[] = [];
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const dataDir = folder();
      for (const [index, samples] of [first, second, second].entries()) {
        const server = await startServer({ program, dataDir });
        samples.push(server.readyAfter / 1000);
        const begin = performance.now();
        await server.stop();
        if (index > 0) stops.push((performance.now() - begin) / 1000);
      }
    }
    return [
      { name: "cold start, empty directory", value: median(first), unit: "s", budget: 2 },
      { name: "start, second time", value: median(second), unit: "s", budget: 0.5 },
      { name: "SIGTERM → exit, idle", value: median(stops), unit: "s" },
    ] satisfies Figure[];
  },
};
