/**
 * Fuzzes the expression language: random bytes, mutated recorded expressions, programs by the grammar.
 *
 *     bun test/sel/fuzz.ts --seconds 60 [--seed 1]
 *
 * Prints what it ran, and for a failure the program that reproduces it; exits with 1 then.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { BudgetExceeded, ExtensionRequest, evaluate, SelError, type SelValue } from "../../src/sel/index.ts";
import { programs } from "./generate.ts";
import { vectors } from "./vectors.ts";

export const LIMITS = { loop: 200, array: 200, visit: 50_000, memory: 2_000_000, timeoutMillis: 20 };

/** A variable whose object notices when somebody reaches for what is not its value. */
function trapped(value: SelValue): SelValue {
  return new Proxy(value, {
    get(target, key) {
      if (key === "type" || key === "value") return Reflect.get(target, key);
      throw new Error(`reached for ${String(key)}`);
    },
  });
}

const VARIABLES: ReadonlyMap<string, SelValue> = new Map<string, SelValue>([
  ["n", trapped({ type: "LONG", value: 41n })],
  ["x", trapped({ type: "STRING", value: "some text, with commas" })],
  ["b", trapped({ type: "BOOLEAN", value: true })],
  ["a", trapped({ type: "LONG_ARRAY", value: [3n, 1n, 2n] })],
  ["m", trapped({ type: "MAP", value: new Map([["k", { type: "DOUBLE", value: 1.5 }]]) })],
]);

/** Runs one program as anybody might. @throws what the language must never let out. */
export function survive(source: string): string {
  try {
    return evaluate(source, {
      variables: (name) => VARIABLES.get(name),
      extension: {
        call(method, args) {
          if (method === "getFromStep") throw new ExtensionRequest(method, args);
          throw new Error(`no ${method}`);
        },
      },
      limits: LIMITS,
      now: 1_700_000_000_000,
      seed: 1,
    }).type;
  } catch (error) {
    if (error instanceof SelError && error.category !== "fatal") return error.category;
    if (error instanceof BudgetExceeded || error instanceof ExtensionRequest) return error.name;
    throw error;
  }
}

const HEALTH = "return Integer + '|' + String + '|' + Map.size() + '|' + n;";

/** Whether an evaluation leaves the next ones alone. */
export function healthy(): boolean {
  const result = evaluate(HEALTH, { variables: (name) => VARIABLES.get(name), now: 0, seed: 0 });
  return result.type === "STRING" && result.value === "0|null|0|41" && !Object.hasOwn(Object.prototype, "polluted");
}

const PIECES = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ";",
  "'",
  '"',
  "\\",
  "\\u0027",
  "/*",
  "//",
  "new ",
  "__proto__",
  ".constructor",
  " += ",
  "9223372036854775807",
  "\0",
  "\ud800",
  "for(;;)",
];

function mutate(source: string, random: () => number): string {
  let text = source;
  for (let i = 0; i <= random() * 3; i++) {
    const at = Math.floor(random() * (text.length + 1));
    const piece = PIECES[Math.floor(random() * PIECES.length)] ?? "";
    const cut = Math.floor(random() * 8);
    text = random() < 0.5 ? text.slice(0, at) + piece + text.slice(at) : text.slice(0, at) + text.slice(at + cut);
  }
  return text;
}

/** Endless programs of all three kinds. */
export async function* corpus(seed: number): AsyncGenerator<string> {
  const recorded = (await vectors("language")).map(({ expr }) => String(expr)).filter((expr) => expr.length < 2000);
  const bytes = fc.string({ unit: "binary", maxLength: 60 });
  for (let round = seed; ; round++) {
    const batch = 200;
    for (const source of fc.sample(programs, { numRuns: batch, seed: round })) yield source;
    for (const source of fc.sample(bytes, { numRuns: batch, seed: round })) yield source;
    let state = round;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 4294967296;
    };
    for (let i = 0; i < batch * 3; i++) {
      yield mutate(recorded[Math.floor(random() * recorded.length)] ?? "", random);
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: String(Date.now() % 1e6) },
    },
  });
  const end = performance.now() + Number(values.seconds) * 1000;
  const outcomes = new Map<string, number>();
  let slowest = { millis: 0, source: "" };
  let count = 0;
  for await (const source of corpus(Number(values.seed))) {
    const start = performance.now();
    if (start > end) break;
    try {
      const outcome = survive(source);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (count++ % 1000 === 0 && !healthy()) throw new Error("the evaluator is not healthy afterwards");
    } catch (error) {
      console.error(`seed ${values.seed}: ${JSON.stringify(source)}`, error);
      process.exit(1);
    }
    const millis = performance.now() - start;
    if (millis > slowest.millis) slowest = { millis, source };
  }
  console.log(`${count} programs, seed ${values.seed}`, Object.fromEntries([...outcomes].sort((a, b) => b[1] - a[1])));
  console.log(`slowest: ${slowest.millis.toFixed(1)} ms for ${JSON.stringify(slowest.source.slice(0, 300))}`);
}

if (import.meta.main) await main();
