/**
 * `bun run simulate`: plays simulated clusters, each out of a seed, and prints which broke an invariant.
 *
 * | option | |
 * |---|---|
 * | `--seeds N` | how many; 1,000, or 1 with `--seed` alone |
 * | `--seed S` | the first one; 1 |
 * | `--seconds T` | stop after that time, however many are left |
 * | `--jobs J` | processes; as many as there are cores |
 * | `--trace` | tell what happens, in one process |
 * | `--break fence\|lease\|resend\|children\|ends` | take one of the guarantees away, and stop at the first seed that notices |
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Cluster } from "./cluster.ts";
import { SABOTAGES, type Sabotage } from "./store.ts";

const text = { type: "string" } as const;
const { values } = parseArgs({
  options: { seeds: text, seed: text, seconds: text, jobs: text, break: text, trace: { type: "boolean" } },
});

function numberOf(name: "seeds" | "seed" | "seconds" | "jobs", fallback: number): number {
  const given = values[name];
  if (given === undefined) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(given)) fail(`--${name} is a number from 1 on, not [${given}]`);
  return Number(given);
}

function fail(problem: string): never {
  console.error(problem);
  process.exit(2);
}

const isSabotage = (name: string): name is Sabotage => (SABOTAGES as readonly string[]).includes(name);
if (values.break !== undefined && !isSabotage(values.break)) fail(`--break is one of ${SABOTAGES.join(", ")}`);

const plan = {
  first: numberOf("seed", 1),
  count: numberOf("seeds", values.seed === undefined ? 1_000 : 1),
  seconds: numberOf("seconds", 1_000_000),
  jobs: values.trace || values.break ? 1 : numberOf("jobs", availableParallelism()),
};

interface Tally {
  readonly seeds: number;
  readonly runs: number;
  readonly events: number;
  readonly breaches: number;
}

function play(): Tally {
  const tally = { seeds: 0, runs: 0, events: 0, breaches: 0 };
  const end = performance.now() + plan.seconds * 1_000;
  for (let seed = plan.first; seed < plan.first + plan.count && performance.now() < end; seed++) {
    const { runs, events, breach } = new Cluster(seed, {
      sabotage: values.break as Sabotage | undefined,
      trace: values.trace ? console.log : undefined,
    }).run();
    tally.seeds++;
    tally.runs += runs;
    tally.events += events;
    if (breach === undefined) continue;
    tally.breaches++;
    console.log(`seed ${seed}: ${breach}`);
    if (values.break !== undefined) break;
  }
  return tally;
}

/** A share of the seeds in a process of its own: its last line is its tally. */
async function playElsewhere(index: number): Promise<Tally> {
  const from = Math.floor((plan.count * index) / plan.jobs);
  const to = Math.floor((plan.count * (index + 1)) / plan.jobs);
  if (from === to) return { seeds: 0, runs: 0, events: 0, breaches: 0 };
  const share = ["--seed", `${plan.first + from}`, "--seeds", `${to - from}`, "--seconds", `${plan.seconds}`];
  const child = Bun.spawn([process.execPath, import.meta.path, ...share, "--jobs", "1"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, SIMULATION_SHARE: "yes" },
  });
  const lines = (await new Response(child.stdout).text()).trimEnd().split("\n");
  const tally = lines.pop() ?? "";
  for (const line of lines) console.log(line);
  if (!tally.startsWith("{")) fail(`a process of the simulation has died: ${tally}`);
  return JSON.parse(tally) as Tally;
}

const begin = performance.now();
const shares = plan.jobs === 1 ? [play()] : await Promise.all([...Array(plan.jobs).keys()].map(playElsewhere));
const sum = (of: keyof Tally): number => shares.reduce((total, tally) => total + tally[of], 0);
const breaches = sum("breaches");
if (process.env.SIMULATION_SHARE !== undefined) {
  console.log(JSON.stringify(shares[0]));
} else {
  const seconds = (performance.now() - begin) / 1_000;
  const speed = Math.round(sum("events") / seconds);
  console.log(
    `${sum("seeds")} seeds, ${sum("runs")} runs, ${sum("events")} events in ${seconds.toFixed(1)} s (${speed} events/s): ${breaches} breaches`,
  );
}
process.exit(breaches > 0 ? 1 : 0);
