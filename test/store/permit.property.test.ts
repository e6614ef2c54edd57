/**
 * The granting of permits in the database against its model: whatever comes, goes and is allowed, the same attempts hold
 * permits. `MAESTRO_PROPERTY_RUNS` says how many new sequences to try; else they are the same each time.
 */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { Write } from "../../src/flow/port.ts";
import { assign, type PermitRequest, type Permits, type Want } from "../../src/run/permit.ts";
import type { Sql } from "../../src/store/connection.ts";
import { assignPermits, putTagPermit, removeTagPermit } from "../../src/store/permit.ts";
import { batchOf } from "../../src/store/writer/batch.ts";
import { commit } from "../../src/store/writer/statement.ts";
import { freshDatabase } from "../support/database.ts";

const db = await freshDatabase({ max: 6 });
afterAll(() => db.close());
await db.sql`INSERT INTO flow_group (id, generation) VALUES (0, 1)`;

const given = Number(process.env.MAESTRO_PROPERTY_RUNS ?? 0);
const SIZE = given > 0 ? { numRuns: given } : { numRuns: 100, seed: 1, endOnFailure: true };

const STAMP = { groupId: 0, generation: 1 };
const write = (rows: readonly Write[]) =>
  commit(db.sql, batchOf([{ number: 1, stamp: STAMP, rows, settled: undefined }]));

const TAGS = ["a", "b", 'c "\\', "d"];
const tag = fc.constantFrom(...TAGS);
const want = fc.record({ tag, limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }) });
const wants = fc.uniqueArray(want, { minLength: 1, maxLength: 3, selector: (it) => it.tag });
const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      wants: fc.array(wants, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("crowd" as const), wants, count: fc.constantFrom(90, 101, 520) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("end unheard" as const),
      which: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("allow" as const), tag, most: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forbid nothing" as const), tag }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

const arrives = (uuid: string, wanted: readonly Want[]): Write => ({
  ...{ kind: "permits-wanted", uuid, wants: wanted, runKey: 1, groupId: 0, stepId: "s", time: 1 },
});
const ends = ({ uuid }: PermitRequest): Write => ({ kind: "permits-released", runKey: 1, uuid });

/** What the database says of each attempt. */
async function read(sql: Sql): Promise<Record<string, string>> {
  const rows = await sql<{ uuid: string; states: string[] }[]>`
    SELECT uuid, array_agg(state ORDER BY state) AS states FROM step_permit GROUP BY uuid ORDER BY min(seq)`;
  return Object.fromEntries(rows.map(({ uuid, states }) => [uuid, words(states)]));
}

/** All rows of an attempt hold, or one row says why they do not. */
function words(states: readonly string[]): string {
  if (states.every((state) => state === "HELD")) return "holds";
  const [first, ...others] = states;
  return first === "BLOCKED" && others.every((state) => state === "WAITING") ? "waits" : states.join();
}

const shown = ({ requests }: Permits): Record<string, string> =>
  Object.fromEntries(requests.map(({ uuid, granted }) => [uuid, granted ? "holds" : "waits"]));

class Play {
  model: Permits = { limits: new Map(), requests: [] };
  #count = 0;

  async perform(step: Command): Promise<void> {
    switch (step.do) {
      case "arrive":
        return this.#arrive(step.wants);
      case "crowd":
        return this.#arrive(new Array(step.count).fill(step.wants));
      case "end": {
        const ended = this.#end(step.which);
        await write(ended.map(ends));
        const opened = [...new Set(ended.flatMap((it) => it.wants.map((one) => one.tag)))];
        await assignPermits(db.sql, { opened, asked: [], sweeps: false });
        return;
      }
      case "end unheard":
        await write(this.#end(step.which).map(ends));
        await assignPermits(db.sql, { opened: [], asked: [], sweeps: true });
        return;
      case "allow": {
        this.model = { ...this.model, limits: new Map([...this.model.limits, [step.tag, step.most]]) };
        await putTagPermit(db.sql, { tag: step.tag, maxAllowed: step.most, extra: {}, user: "ada", now: 1 });
        return;
      }
      case "forbid nothing": {
        const limits = new Map(this.model.limits);
        limits.delete(step.tag);
        this.model = { ...this.model, limits };
        await removeTagPermit(db.sql, step.tag);
      }
    }
  }

  async #arrive(all: readonly (readonly Want[])[]): Promise<void> {
    const made = all.map((wanted): PermitRequest => ({ uuid: `u${++this.#count}`, wants: wanted, granted: false }));
    this.model = { ...this.model, requests: [...this.model.requests, ...made] };
    await write(made.map((it) => arrives(it.uuid, it.wants)));
    const asked = made.map(({ uuid }) => uuid);
    const { states } = await assignPermits(db.sql, { opened: [], asked, sweeps: false });
    expect(states.map(({ uuid }) => uuid).sort()).toEqual(asked.sort());
  }

  #end(which: readonly number[]): readonly PermitRequest[] {
    const { requests } = this.model;
    if (requests.length === 0) return [];
    const ended = new Set(which.map((index) => requests[index % requests.length] as PermitRequest));
    this.model = { ...this.model, requests: requests.filter((it) => !ended.has(it)) };
    return [...ended];
  }
}

test("the database grants what the model grants", async () => {
  const run = fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
    await db.sql`TRUNCATE step_permit, tag_permit`;
    const play = new Play();
    for (const step of steps) {
      await play.perform(step);
      play.model = assign(play.model);
      expect({ step, states: await read(db.sql) }).toEqual({ step, states: shown(play.model) });
    }
  });
  await fc.assert(run, SIZE);
}, 600_000);
