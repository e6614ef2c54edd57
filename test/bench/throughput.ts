/** Many runs at once: 1,000 runs of 10 NoOp steps, and one run of 1,000 steps beside each other. */
import type { Sql } from "../../src/store/connection.ts";
import type { Bench, Subject } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { cpuSeconds, median } from "./stat.ts";
import { chain, wide } from "./workflow.ts";

const STEPS = 10;
const CONNECTIONS = 64;
const WIDTH = 1000;

export const throughput: Bench = {
  name: "throughput",
  on: "server",
  async run(subject) {
    const { client, quick, baseline } = subject;
    await client.push(chain("bench-many", STEPS));
    const runs = quick ? 300 : 1000;
    await once(subject, runs); // warm-up
    const rounds = [];
    for (let round = 0; round < 3; round++) rounds.push(await once(subject, runs));
    const best = rounds.sort((a, b) => a.seconds - b.seconds)[1] as Round;
    const raw = { what: "850-byte rows/s", value: baseline.rows };
    return [
      {
        name: `${runs} runs × ${STEPS} NoOp steps`,
        value: (runs * STEPS) / best.seconds,
        unit: "steps/s",
        budget: 15_000,
        atLeast: true,
        raw,
        note: `median of 3; ${load(best)}`,
      },
      { name: "starts alone (POST … answered)", value: runs / best.starting, unit: "starts/s" },
    ] satisfies Figure[];
  },
};

interface Round {
  readonly seconds: number;
  /** Seconds until the last start was answered. */
  readonly starting: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
}

async function once({ client, sql, server }: Subject, runs: number): Promise<Round> {
  const cpu = [process.cpuUsage(), cpuSeconds(server.pid) ?? Number.NaN] as const;
  const begin = performance.now();
  await concurrently(runs, CONNECTIONS, () => client.start("bench-many"));
  const starting = (performance.now() - begin) / 1000;
  await allEnded(sql, ["bench-many"]);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu[0]);
  return {
    seconds,
    starting,
    clientCpu: (user + system) / 1e6,
    serverCpu: (cpuSeconds(server.pid) ?? Number.NaN) - cpu[1],
  };
}

const load = ({ seconds, clientCpu, serverCpu }: Round): string =>
  `cores used: client ${(clientCpu / seconds).toFixed(2)}, server ${(serverCpu / seconds).toFixed(2)}`;

/** Looks every 10 ms; the partial index on unfinished runs answers. */
export async function allEnded(sql: Sql, workflows: readonly string[]): Promise<void> {
  for (;;) {
    const open = await sql`SELECT 1 FROM run WHERE workflow_id = ANY(${workflows as string[]})
      AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') LIMIT 1`;
    if (open.length === 0) return;
    await Bun.sleep(10);
  }
}

export const fan: Bench = {
  name: "wide",
  on: "server",
  async run({ client, quick, baseline }) {
    await client.push(wide("bench-wide", WIDTH));
    const seen: number[] = [];
    for (let index = 0; index < (quick ? 4 : 10); index++) {
      const begin = performance.now();
      await client.succeed("bench-wide");
      if (index > 0) seen.push(performance.now() - begin);
    }
    const raw = { what: "850-byte rows/s", value: baseline.rows };
    const name = `one run of ${WIDTH} parallel NoOp steps`;
    return [
      { name, value: median(seen), unit: "ms" },
      { name: `${name}, rate`, value: (WIDTH / median(seen)) * 1000, unit: "steps/s", raw },
    ] satisfies Figure[];
  },
};
