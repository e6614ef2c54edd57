import { describe, expect, test } from "bun:test";
import { Cluster } from "./cluster.ts";
import { SABOTAGES } from "./store.ts";

/** How long clusters are played here, ms; `bun run simulate` plays as many as one likes. */
const BUDGET = Number(process.env.MAESTRO_SIMULATION_MS ?? 50_000);

/** The rarest of them takes most of its seeds, on a busy machine too, ms. */
const SABOTAGE_LIMIT = 120_000;

describe("a cluster of several nodes", () => {
  test(
    "keeps its invariants through crashes, pauses, cut links, and messages that are lost, late and repeated",
    () => {
      const end = performance.now() + BUDGET;
      let [seed, runs, events] = [0, 0, 0];
      while (performance.now() < end) {
        const outcome = new Cluster(++seed).run();
        expect([seed, outcome.breach]).toEqual([seed, undefined]);
        runs += outcome.runs;
        events += outcome.events;
      }
      console.log(`${seed} seeds, ${runs} runs, ${events} events`);
      expect(runs).toBeGreaterThan(seed * 10);
    },
    BUDGET * 2,
  );

  test("is the same cluster for the same seed", () => {
    const told = (): readonly string[] => {
      const lines: string[] = [];
      const { breach: _, ...outcome } = new Cluster(4711, { trace: (line) => lines.push(line) }).run();
      return [...lines.filter((line) => !line.includes(" logs ")), JSON.stringify(outcome)];
    };
    expect(told()).toEqual(told());
  });

  test.each(SABOTAGES)(
    "without its %s is found out within 200 seeds",
    (sabotage) => {
      let found: string | undefined;
      for (let seed = 1; seed <= 200 && found === undefined; seed++)
        found = new Cluster(seed, { sabotage }).run().breach;
      expect(found).toBeDefined();
      expect(found).not.toContain("Error");
    },
    SABOTAGE_LIMIT,
  );
});
