/** The expression language by itself, in this process; and what hostile programs cost until a limit ends them. */
import { BudgetExceeded, type EvaluateOptions, evaluate, parse } from "../../src/sel/index.ts";
import type { SelValue } from "../../src/sel/value.ts";
import type { Bench } from "./bench.ts";
import { HOSTILE } from "./hostile.ts";
import type { Figure } from "./report.ts";
import { median } from "./stat.ts";

const TYPICAL = "'s3://bucket/' + table + '/' + (day - 1);";
const LOOP = "x = 0; for (i = 0; i < 10000; i += 1) { x += i * 2; } x;";
/** For hostile programs, so that they end while somebody waits; the server's own limit is longer. */
const TIME_LIMIT = 2000;
/** What `flow/evaluator.ts` grants an expression in place, before it goes to the evaluation thread. */
const INLINE_VISITS = 20_000;

const VARIABLES: Readonly<Record<string, SelValue>> = {
  table: { type: "STRING", value: "orders" } as unknown as SelValue,
  day: { type: "LONG", value: 20240501n } as unknown as SelValue,
};
const OPTIONS = { variables: (name: string) => VARIABLES[name], now: 1_700_000_000_000, seed: 1 };

export const expression: Bench = {
  name: "sel",
  on: "nothing",
  async run({ quick }) {
    const duration = quick ? 300 : 1500;
    let number = 0;
    const parses = rate(duration, () => parse(`${TYPICAL.slice(0, -1)} + ${number++};`));
    return [
      { name: "SEL, parse (not cached)", value: parses, unit: "/s" },
      {
        name: "SEL, typical expression (cached program)",
        value: rate(duration, () => evaluate(TYPICAL, OPTIONS)),
        unit: "/s",
        budget: 1e6,
        atLeast: true,
      },
      {
        name: "SEL, loop of 10,000 iterations",
        value: 1000 / rate(duration, () => evaluate(LOOP, OPTIONS)),
        unit: "ms",
      },
      ...Object.entries(HOSTILE).flatMap(([name, source]) => endure(name, source)),
    ] satisfies Figure[];
  },
};

/** Calls a second, after as much warm-up. */
function rate(duration: number, call: () => unknown): number {
  let figure = 0;
  for (let round = 0; round < 2; round++) {
    const begin = performance.now();
    let count = 0;
    do {
      for (let index = 0; index < 16; index++) call();
      count += 16;
    } while (performance.now() - begin < duration);
    figure = (count / (performance.now() - begin)) * 1000;
  }
  return figure;
}

function endure(name: string, source: string): readonly Figure[] {
  Bun.gc(true);
  const memory = process.memoryUsage().rss;
  const whole = timed(source, { limits: { timeoutMillis: TIME_LIMIT } });
  const grown = (process.memoryUsage().rss - memory) / 2 ** 20;
  const parts = Array.from({ length: 7 }, () => timed(source, { budget: { visits: INLINE_VISITS } }));
  return [
    {
      name: `SEL, hostile: ${name}, until its end`,
      value: whole.elapsed,
      unit: "ms",
      budget: TIME_LIMIT + 100,
      note: `ended by ${whole.end}; resident memory grew by ${grown.toFixed(0)} MB`,
    },
    {
      name: `SEL, hostile: ${name}, on an engine thread`,
      value: median(parts.map(({ elapsed }) => elapsed)),
      unit: "ms",
      budget: 5,
      note: `ended by ${parts[0]?.end}`,
    },
  ];
}

function timed(source: string, options: Partial<EvaluateOptions>): { readonly elapsed: number; readonly end: string } {
  const begin = performance.now();
  let end = "a value";
  try {
    evaluate(source, { ...OPTIONS, ...options });
  } catch (error) {
    end = error instanceof BudgetExceeded ? "the budget" : String((error as { category?: unknown }).category ?? error);
  }
  return { elapsed: performance.now() - begin, end };
}
