/**
 * The run strategies of the database against their model: whatever happens to workflows and their runs, the answers
 * and the rows are the model's; of what happens at once, those of one order or another.
 *
 * The sequences are the same each time, unless `MAESTRO_PROPERTY_RUNS` says how many new ones to try; of these, one that
 * fails is shortened.
 */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { RunStrategy } from "../../src/definition/strategy.ts";
import { freshDatabase } from "../support/database.ts";
import { type Command, intents, resolve, strategy } from "./strategy/command.ts";
import { makeGroups, perform, push, read } from "./strategy/database.ts";
import { type Answer, apply, type State, show } from "./strategy/model.ts";

const db = await freshDatabase({ max: 4 });
afterAll(() => db.close());
await makeGroups(db.sql);

const wanted = Number(process.env.MAESTRO_PROPERTY_RUNS ?? 0);
const SIZE = wanted > 0 ? { numRuns: wanted } : { numRuns: 200, seed: 1, endOnFailure: true };

let count = 0;
/** Workflows of one's own. */
async function make(strategies: readonly RunStrategy[]): Promise<State> {
  const ids = strategies.map((_, i) => `w${count}${"ab"[i]}`);
  count++;
  for (const [i, id] of ids.entries()) await push(db.sql, id, strategies[i] as RunStrategy);
  return { ...(await read(db.sql, ids)), uuids: [] };
}

interface Result {
  readonly answers: readonly Answer[];
  readonly state: ReturnType<typeof show>;
}

interface Played extends Result {
  readonly after: State;
}

/** What the model says of the commands in this order. */
function play(before: State, commands: readonly Command[], order: readonly number[]): Played {
  const after = structuredClone(before);
  const answers: Answer[] = [];
  for (const index of order) answers[index] = apply(after, commands[index] as Command);
  return { answers, state: show(after), after };
}

const orders = (numbers: readonly number[]): readonly (readonly number[])[] =>
  numbers.length < 2
    ? [numbers]
    : numbers.flatMap((first) => orders(numbers.filter((it) => it !== first)).map((rest) => [first, ...rest]));

test("the database decides as the model does", async () => {
  const run = fc.asyncProperty(
    fc.array(strategy, { minLength: 1, maxLength: 2 }),
    fc.array(intents, { minLength: 1, maxLength: 20, size: "max" }),
    async (strategies, turns) => {
      let state = await make(strategies);
      const ids = Object.keys(state.workflows);
      for (const turn of turns) {
        const commands = turn.flatMap((intent) => resolve(intent, state) ?? []);
        const answers = await Promise.all(commands.map((command) => perform(db.sql, command)));
        const actual: Result = { answers, state: show({ ...(await read(db.sql, ids)), uuids: [] }) };
        const possible = orders([...commands.keys()]).map((order) => play(state, commands, order));
        const { after, ...expected } =
          possible.find(({ after, ...result }) => Bun.deepEquals(result, actual)) ?? (possible[0] as Played);
        expect({ commands, ...actual }).toEqual({ commands, ...expected });
        state = after;
      }
    },
  );
  await fc.assert(run, SIZE);
}, 600_000);
