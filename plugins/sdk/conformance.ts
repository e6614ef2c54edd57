/**
 * What every step type must hold, as cases for any test runner:
 *
 * ```ts
 * for (const { name, run } of conformance({ load, dataDir, quick, slow, bad, starts })) test(name, run);
 * ```
 *
 * A crash is played by a fresh copy of the plugin's module, whose memory is empty, and an old copy that nobody hears.
 */
import { type Attempt, Bench } from "./bench.ts";
import type { StepResult, StepState } from "./context.ts";
import type { StepType } from "./type.ts";

export interface ConformanceOptions {
  /** A copy of the step type with a memory of its own, such as ``import(`./index.ts?${incarnation}`)``. */
  load(incarnation: number): Promise<StepType>;
  /** An existing folder for the attempts' files. */
  readonly dataDir: string;
  /** The MAP param of work that soon succeeds. */
  readonly quick: unknown;
  /** The MAP param of work that goes on until it is terminated. */
  readonly slow: unknown;
  /** MAP params that must be refused. */
  readonly bad: readonly unknown[];
  /** How often the work of an attempt has begun, as seen from outside. */
  starts(uuid: string): number | Promise<number>;
  /** Milliseconds until work that does not end fails its case. Default 10,000. */
  readonly patience?: number | undefined;
}

export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}

/** The cases, in an order in which the simple ones come first. */
export function conformance(options: ConformanceOptions): readonly ConformanceCase[] {
  const bench = new Bench(options);
  const scenario = (name: string, params: unknown, play: (attempt: Attempt) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => {
      const attempt = await bench.attempt(params);
      try {
        await play(attempt);
      } finally {
        await attempt.call("terminate");
      }
    },
  });
  const { quick, slow } = options;
  return [
    { name: "describes its params as a JSON Schema", run: () => describes(bench) },
    { name: "refuses bad params", run: () => refuses(bench, options.bad) },
    scenario("runs to its end", quick, async (attempt) => {
      await attempt.call("start");
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
    ...startCases(options, scenario),
    ...adoptionCases(options, scenario),
    scenario("is stopped, and stopping it again changes nothing", slow, async (attempt) => {
      same((await attempt.call("start")).state, "CONTINUE", "start");
      await stops(attempt);
      await stops(attempt);
    }),
    scenario("is stopped after a crash", slow, async (attempt) => {
      await attempt.call("start");
      await attempt.crash();
      await stops(attempt);
    }),
    scenario("is stopped after a crash that lost the answer to start", slow, async (attempt) => {
      await attempt.callAndLose("start");
      await attempt.crash();
      await stops(attempt);
    }),
    scenario("is stopped twice with a crash between", slow, async (attempt) => {
      await attempt.call("start");
      await attempt.callAndLose("terminate");
      await attempt.crash();
      await stops(attempt);
    }),
    scenario("does not run when it was stopped before it started", slow, async (attempt) => {
      await stops(attempt);
      if ((await attempt.call("start")).state === "CONTINUE") throw new Error("start went on after terminate");
      same(await options.starts(attempt.uuid), 0, "number of starts");
    }),
    scenario("takes a stop after its end", quick, async (attempt) => {
      await attempt.call("start");
      await ends(attempt, "DONE");
      await stops(attempt);
    }),
  ];
}

type Scenario = (name: string, params: unknown, play: (attempt: Attempt) => Promise<void>) => ConformanceCase;

function startCases(options: ConformanceOptions, scenario: Scenario): readonly ConformanceCase[] {
  return [
    scenario("begins the work once when it is started twice", options.quick, async (attempt) => {
      await attempt.call("start");
      await attempt.call("start");
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
    scenario("begins the work once when the answer to start was lost in a crash", options.quick, async (attempt) => {
      await attempt.callAndLose("start");
      await attempt.crash();
      await attempt.call("start");
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
    scenario("begins the work once when it is started by two at a time", options.quick, async (attempt) => {
      await Promise.all([attempt.call("start"), attempt.call("start")]);
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
  ];
}

function adoptionCases(options: ConformanceOptions, scenario: Scenario): readonly ConformanceCase[] {
  return [
    scenario("is adopted while it runs", options.quick, async (attempt) => {
      await attempt.call("start");
      await attempt.crash();
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
    scenario("is adopted when it ended while nobody looked", options.quick, async (attempt) => {
      await attempt.call("start");
      await attempt.stirs();
      await attempt.crash();
      await ends(attempt, "DONE");
      await began(options, attempt);
    }),
    scenario("gives its last answer again when it was lost in a crash", options.quick, async (attempt) => {
      await attempt.call("start");
      const first = await attempt.settle({ lose: true });
      await attempt.crash();
      const second = await attempt.settle();
      same(second.state, first.state, "state");
      same(JSON.stringify(second.outputs), JSON.stringify(first.outputs), "outputs");
      await began(options, attempt);
    }),
    scenario("goes on running after it was adopted", options.slow, async (attempt) => {
      await attempt.call("start");
      await attempt.crash();
      same((await attempt.call("execute")).state, "CONTINUE", "execute");
    }),
  ];
}

async function describes(bench: Bench): Promise<void> {
  const schema = (await bench.load()).schema();
  if (typeof schema !== "object" || schema === null) throw new Error("schema() must answer an object");
  JSON.stringify(schema);
}

async function refuses(bench: Bench, bad: readonly unknown[]): Promise<void> {
  const { params } = await bench.load();
  for (const value of bad) {
    if ((await params.safeParseAsync(value)).success) throw new Error(`Accepted ${JSON.stringify(value)}`);
  }
}

async function ends(attempt: Attempt, state: StepState): Promise<void> {
  const result = await attempt.settle();
  if (result.state !== state) throw new Error(`Ended ${describe(result)} instead of ${state}`);
}

async function stops(attempt: Attempt): Promise<void> {
  const result = await attempt.call("terminate");
  if (result.state !== "STOPPED") throw new Error(`terminate answered ${describe(result)} instead of STOPPED`);
}

async function began(options: ConformanceOptions, attempt: Attempt): Promise<void> {
  same(await options.starts(attempt.uuid), 1, "number of starts");
}

const describe = (result: StepResult): string => `${result.state} ${JSON.stringify(result.timeline ?? [])}`;

function same(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`The ${what} is ${actual} instead of ${expected}`);
}
