/** Loops: a foreach of 100,000 NoOp iterations, what reads a param of each of them, and loops of something nested. */
import type { Bench, Subject } from "./bench.ts";
import type { RunAddress } from "./client.ts";
import { attemptIn, bodyOf, ends, foreach, long, subworkflow } from "./loop.ts";
import type { Figure } from "./report.ts";
import { cpuSeconds, median, peakResidentMb } from "./stat.ts";
import { chain, step, workflow } from "./workflow.ts";

const BARE = "bench-foreach";
const READ = "bench-foreach-read";

export const foreachLoop: Bench = {
  name: "foreach",
  on: "fresh",
  async run(subject) {
    const { client, sql, quick, baseline, server } = subject;
    const count = quick ? 10_000 : 100_000;
    const size = count.toLocaleString("en-US");
    await client.push(workflow(BARE, [foreach("each", count, [step("in", "NoOp")])]));
    const body = [step("in", "NoOp", { params: { n: long("i * 2") } })];
    const all = { type: "LONG_ARRAY", expression: "params.getFromForeach('each', 'in', 'n')" };
    const after = step("after", "NoOp", { params: { all } });
    await client.push(workflow(READ, [foreach("each", count, body, ["after"]), after]));

    const cpu = cpuSeconds(server.pid) ?? Number.NaN;
    const bare = await once(subject, BARE);
    const used = (cpuSeconds(server.pid) ?? Number.NaN) - cpu;
    const peak = peakResidentMb(server.pid) ?? Number.NaN;
    const first = await attemptIn(
      sql,
      { workflow: bodyOf(await attemptIn(sql, bare.run, "each")), instance: 1, run: 1 },
      "in",
    );
    const read = await once(subject, READ);
    const { times } = await attemptIn(sql, read.run, "after");
    const loopEnd = (await attemptIn(sql, read.run, "each")).times.end_time ?? Number.NaN;
    const reading = (times.end_time ?? Number.NaN) - loopEnd;

    const raw = { what: "850-byte rows/s", value: baseline.rows };
    const budget = { budget: 5000, atLeast: true, raw };
    const note = `server ${((used / count) * 1000).toFixed(3)} ms of processor an iteration`;
    return [
      { name: `foreach of ${size} NoOp`, value: count / bare.seconds, unit: "iterations/s", ...budget, note },
      { name: "the same, server's peak resident memory", value: peak, unit: "MB", budget: 400 },
      {
        name: "the same, POST → first iteration's step executing",
        value: (first.times.execute_time ?? Number.NaN) - bare.begin,
        unit: "ms",
        note: "stored milliseconds, ±1",
      },
      { name: `foreach of ${size} with a param`, value: count / read.seconds, unit: "iterations/s", raw },
      { name: `getFromForeach of ${size}: loop's end → step's end`, value: reading / 1000, unit: "s" },
      {
        name: "both loops, server's peak resident memory",
        value: peakResidentMb(server.pid) ?? Number.NaN,
        unit: "MB",
      },
    ] satisfies Figure[];
  },
};

const OUTER = 100;
const INNER = 100;
const STEPS = 10;

export const nested: Bench = {
  name: "nested",
  on: "server",
  async run(subject) {
    const { client, quick, baseline } = subject;
    await client.push(chain("bench-nested-child", STEPS));
    const call = foreach("each", OUTER, [subworkflow("sub", "bench-nested-child")]);
    await client.push(workflow("bench-nested-sub", [call]));
    const loops = foreach("outer", OUTER, [foreach("inner", INNER, [step("in", "NoOp")], [], "j")]);
    await client.push(workflow("bench-nested-loop", [loops]));
    const raw = { what: "850-byte rows/s", value: baseline.rows };
    const figures: Figure[] = [];
    const shapes = [
      ["bench-nested-sub", `foreach ${OUTER} × subworkflow of ${STEPS} NoOp`, OUTER * STEPS],
      ["bench-nested-loop", `foreach ${OUTER} × foreach ${INNER} NoOp`, OUTER * INNER],
    ] as const;
    for (const [id, name, steps] of shapes) {
      await once(subject, id); // warm-up
      const rounds: number[] = [];
      for (let round = 0; round < (quick ? 1 : 5); round++) rounds.push((await once(subject, id)).seconds);
      figures.push({
        name,
        value: steps / median(rounds),
        unit: "leaf steps/s",
        raw,
        note: `median of ${rounds.length}`,
      });
    }
    return figures;
  },
};

interface Once {
  readonly run: RunAddress;
  /** When the start was sent. */
  readonly begin: number;
  /** Until a long poll showed its success. */
  readonly seconds: number;
}

async function once({ client }: Subject, id: string): Promise<Once> {
  const [begin, clock] = [Date.now(), performance.now()];
  const run = await client.start(id);
  await ends(client, run);
  return { run, begin, seconds: (performance.now() - clock) / 1000 };
}
