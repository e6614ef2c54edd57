/**
 * `bun run simulate`: plays simulated clusters, each out of a seed, until one breaks an invariant.
 *
 * `--seeds N` so many (default 1,000), `--seed S` from this one on (alone: only this one), `--seconds T` no longer than that,
 * `--trace` tells what happens, `--break fence|lease|resend` takes one of the engine's guarantees away, `--jobs J` processes.
 */
import { parseArgs } from "node:util";
import { Cluster } from "./cluster.ts";
import type { Sabotage } from "./store.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    seconds: { type: "string" },
    break: { type: "string" },
    jobs: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const first = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 1_000 : 1));
const end = performance.now() + Number(values.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
const begin = performance.now();

let [played, events, runs, breaches] = [0, 0, 0, 0];
for (let seed = first; seed < first + count && performance.now() < end; seed++) {
  const outcome = new Cluster(seed, {
    sabotage: values.break as Sabotage | undefined,
    trace: values.trace ? (line) => console.log(line) : undefined,
  }).run();
  played++;
  events += outcome.events;
  runs += outcome.runs;
  if (outcome.breach === undefined) continue;
  breaches++;
  console.log(`seed ${seed}: ${outcome.breach}`);
  if (values.break !== undefined) break;
}
const seconds = (performance.now() - begin) / 1_000;
console.log(
  `${played} seeds, ${runs} runs, ${events} events in ${seconds.toFixed(1)} s: ${Math.round(events / seconds)} events/s, ${breaches} breaches`,
);
process.exit(breaches > 0 ? 1 : 0);
