/** What a param has become in other runs, read back from rows as the engine writes them. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { Json } from "../../src/json.ts";
import { rawNumber } from "../../src/json.ts";
import { toSel } from "../../src/param/literal.ts";
import { stepParam } from "../../src/param/scope.ts";
import type { Parameter } from "../../src/param/type.ts";
import { type ChildAnswer, childValue, type ParamQuestion } from "../../src/run/child.ts";
import type { SelValue } from "../../src/sel/index.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { withSatisfied } from "../../src/step/satisfied.ts";
import { fetchParam } from "../../src/store/fetch.ts";
import { stepParamsText, timesText } from "../../src/store/row.ts";
import { freshDatabase } from "../support/database.ts";
import { attempt } from "./fixture.ts";

const db = await freshDatabase();
const { sql } = db;
afterAll(() => db.close());
beforeEach(async () => {
  await sql`TRUNCATE run, step_attempt`;
});

const LOOP = "maestro_foreach_Ib2_11_94587073c5c260cfd048a0d09251a917";
const NOW = 1_700_000_000_000;

const long = (value: Json): Parameter => ({
  type: "LONG",
  expression: "i",
  evaluated_result: value,
  evaluated_time: NOW,
});
const evaluated = (params: Readonly<Record<string, Parameter>>, more: Partial<StepAttempt> = {}) => ({
  params,
  paramsTime: NOW,
  status: "SUCCEEDED" as const,
  ...more,
});

let lastKey = 0;

/** A run of an iteration, with its attempts, as the engine's encoders write them. */
async function iteration(instanceId: number, runId: number, ...attempts: readonly StepAttempt[]): Promise<void> {
  const key = ++lastKey;
  await sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
      initiator, config, properties, status, request_time, create_time, modify_time)
    VALUES (${LOOP}, ${instanceId}, ${runId}, ${key}, ${`u${key}`}, 1, 1, 0, 1, '{}', '{}', '{}', 'SUCCEEDED', 1, 1, 1)`;
  for (const one of attempts) {
    await sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params)
      VALUES (${key}, ${one.stepId}, ${one.attemptId}, ${one.uuid}, 1, ${one.status}, ${timesText(one.times)},
        ${stepParamsText(one)})`;
  }
}

const question = (total: number, more: Partial<ParamQuestion> = {}): ParamQuestion => ({
  ...{ workflowId: LOOP, first: 1, last: total, stepId: "s", name: "v", maxChars: 5_000_000 },
  ...more,
});

async function answer(method: string, asked: ParamQuestion, more: Partial<ChildAnswer> = {}): Promise<ChildAnswer> {
  const { rows } = await fetchParam(sql, asked);
  return { method, args: ["f", asked.stepId, asked.name], rows, total: asked.last, ...more };
}

const gather = async (asked: ParamQuestion, more: Partial<ChildAnswer> = {}): Promise<SelValue> =>
  childValue(await answer("getFromForeach", asked, more));

describe("what is gathered from a loop", () => {
  test("is one element for each iteration, of its newest attempt in the newest run that has one", async () => {
    await iteration(1, 1, attempt("s", 1, evaluated({ v: long(10) })), attempt("s", 2, evaluated({ v: long(11) })));
    await iteration(2, 1, attempt("s", 1, evaluated({ v: long(20) })));
    await iteration(2, 2, attempt("other", 1, evaluated({ v: long(29) })));
    await iteration(3, 1, attempt("s", 5, evaluated({ v: long(30) })));
    await iteration(3, 4, attempt("s", 1, evaluated({ v: long(31) })));
    await iteration(4, 1, attempt("s", 1, evaluated({ v: long(40) })));
    expect(await gather(question(3))).toEqual({ type: "LONG_ARRAY", value: [11n, 20n, 31n] });
    expect((await fetchParam(sql, question(3))).chars).toBe("112031".length);
  });

  test("has gaps for iterations that do not exist, have no such step, no such param, or have not evaluated it", async () => {
    await iteration(2, 1, attempt("other", 1, evaluated({ v: long(1) })));
    await iteration(3, 1, attempt("s", 1, evaluated({ w: long(1) })));
    await iteration(
      4,
      1,
      attempt("s", 1, evaluated({ v: { type: "LONG", expression: "i" } }, { paramsTime: undefined })),
    );
    await iteration(5, 1, attempt("s", 1, evaluated({ v: long(5) })));
    expect(await gather(question(6))).toEqual({ type: "LONG_ARRAY", value: [0n, 0n, 0n, 0n, 5n, 0n] });
  });

  test.each([
    ["STRING", "a", "STRING_ARRAY", [null, "a"]],
    ["DOUBLE", rawNumber("3.0"), "DOUBLE_ARRAY", [0, 3]],
    ["BOOLEAN", true, "BOOLEAN_ARRAY", [false, true]],
    ["LONG", rawNumber("9223372036854775807"), "LONG_ARRAY", [0n, 9223372036854775807n]],
  ] as const)("has the gap of its type: %s", async (type, value, array, items) => {
    const param: Parameter = { type, value: value as never, evaluated_result: value, evaluated_time: NOW };
    await iteration(2, 1, attempt("s", 1, evaluated({ v: param })));
    expect(await gather(question(2))).toEqual({ type: array, value: items } as SelValue);
  });

  test("has the declared type when no iteration has the param", async () => {
    expect(await gather(question(2), { type: "DOUBLE" })).toEqual({ type: "DOUBLE_ARRAY", value: [0, 0] });
    await expect(gather(question(2))).rejects.toThrow(
      "no iteration of step [f] has an evaluated param [v] of step [s]",
    );
    expect(await gather(question(0))).toEqual({ type: "STRING_ARRAY", value: [] });
  });

  test("is of one scalar type", async () => {
    const texts: Parameter = { type: "STRING_ARRAY", value: ["x"], evaluated_result: ["x"], evaluated_time: NOW };
    await iteration(1, 1, attempt("s", 1, evaluated({ v: texts, w: long(1) })));
    await expect(gather(question(1))).rejects.toThrow("param [v] of step [s] is a STRING_ARRAY; only STRING");
    await iteration(2, 1, attempt("s", 1, evaluated({ w: { ...texts, type: "STRING", value: "x" } as Parameter })));
    await expect(gather(question(2, { name: "w" }))).rejects.toThrow(
      "is a LONG in some iterations and a STRING in others",
    );
  });

  test("stays in the database when it is too large", async () => {
    await iteration(1, 1, attempt("s", 1, evaluated({ v: long(12_345) })));
    await iteration(2, 1, attempt("s", 1, evaluated({ v: long(67) })));
    expect(await fetchParam(sql, question(2, { maxChars: 6 }))).toEqual({ chars: 7, rows: undefined });
    expect((await fetchParam(sql, question(2, { maxChars: 7 }))).rows).toBeDefined();
  });

  test("takes any text for a name", async () => {
    for (const name of ["__proto__", "constructor", "a'b\"c\\", "ü€😀"]) {
      await sql`TRUNCATE run, step_attempt`;
      await iteration(1, 1, attempt("s", 1, evaluated(Object.fromEntries([[name, long(7)]]))));
      expect(await gather(question(1, { name }))).toEqual({ type: "LONG_ARRAY", value: [7n] });
      expect(await gather(question(1, { name: `${name}'` }), { type: "LONG" })).toMatchObject({ value: [0n] });
    }
  });
});

describe("a param of a child", () => {
  const P = (param: Partial<Parameter>): Parameter => ({ evaluated_time: NOW, ...param }) as Parameter;
  const PARAMS: Readonly<Record<string, Parameter>> = {
    text: P({ type: "STRING", value: "a$b", evaluated_result: 'x"\n\\u0000' }),
    literal: P({ type: "STRING", value: "plain", evaluated_result: "plain" }),
    empty: P({ type: "STRING", value: "", evaluated_result: "" }),
    long: P({ type: "LONG", expression: "1", evaluated_result: rawNumber("9007199254740993") }),
    double: P({ type: "DOUBLE", value: rawNumber("1.0E20"), evaluated_result: rawNumber("1.0E20") }),
    nan: P({ type: "DOUBLE", expression: "d", evaluated_result: "NaN" }),
    no: P({ type: "BOOLEAN", value: false, evaluated_result: false }),
    longs: P({
      type: "LONG_ARRAY",
      value: [1, 2],
      evaluated_result: [1, 2],
      tags: [],
      mode: "CONSTANT",
      source: "SYSTEM" as never,
    }),
    doubles: P({ type: "DOUBLE_ARRAY", value: [1, 2], evaluated_result: [rawNumber("1.0"), rawNumber("2.0")] }),
    texts: P({ type: "STRING_ARRAY", value: ["a", null as never], evaluated_result: ["a", null] }),
    map: P({ type: "MAP", value: { k: { type: "LONG", value: 1 } }, evaluated_result: { k: 1 } }),
    textMap: P({ type: "STRING_MAP", value: { a: "b" }, evaluated_result: { a: "b" } }),
    early: P({ type: "LONG", value: 3, evaluated_result: 3, evaluated_time: NOW - 5 }),
    open: { type: "LONG", value: 3 },
  };
  const names = [
    ...Object.keys(PARAMS),
    ...[
      "workflow_instance_id",
      "step_instance_uuid",
      "step_attempt_id",
      "step_id",
      "maestro_step_satisfied",
      "nothing",
    ],
  ];
  const ATTEMPTS = {
    "an attempt with all params": attempt(
      "s",
      2,
      evaluated(PARAMS, { times: { create_time: 10, initialize_time: 11 } }),
    ),
    "an attempt that is not evaluated": attempt("s", 1, { params: PARAMS, times: { create_time: 10 } }),
    "an unsatisfied one": attempt("s", 1, { status: "UNSATISFIED", times: { create_time: 10, end_time: 12 } }),
    "one that was stopped at once": attempt("s", 1, { status: "STOPPED", times: { create_time: 10, end_time: 12 } }),
  };

  test.each(Object.entries(ATTEMPTS))("is what a step of its own run would read: %s", async (_, one) => {
    await iteration(7, 1, one);
    const identity = {
      workflow_instance_id: 7,
      step_instance_uuid: one.uuid,
      step_attempt_id: one.attemptId,
      step_id: "s",
    };
    for (const name of names) {
      const inside = stepParam({ params: withSatisfied(one), identity, time: one.paramsTime }, name);
      const asked = await answer("getFromSubworkflow", question(7, { first: 7, name }));
      if (inside?.evaluated_result === undefined) {
        expect(() => childValue(asked)).toThrow(`no evaluated param [${name}] of a step [s]`);
      } else {
        expect(childValue(asked)).toEqual(toSel(inside.type, inside.evaluated_result));
      }
    }
  });
});

test("a hundred thousand iterations are one statement of seconds", async () => {
  const total = 100_000;
  const stored = stepParamsText(attempt("s", 1, evaluated({ v: long(-1), w: long(5) }))) ?? "";
  const keys = 1_000_000;
  await sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
      initiator, config, properties, status, request_time, create_time, modify_time)
    SELECT ${LOOP}, i, r, ${keys}::int + i * 2 + r, 'u' || i || ':' || r, 1, 1, 0, 1, '{}', '{}', '{}', 'SUCCEEDED', 1, 1, 1
    FROM generate_series(1, ${total}::int) i, generate_series(1, 2) r`;
  await sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params)
    SELECT ${keys}::int + i * 2 + 1, 's', a, 'a', 1, 'SUCCEEDED', '[1]', replace(${stored}, '-1', (i * a)::text)::json
    FROM generate_series(1, ${total}::int) i, generate_series(1, 2) a`;
  const value = await gather(question(total));
  expect(value.type).toBe("LONG_ARRAY");
  const items = (value as { readonly value: readonly bigint[] }).value;
  expect(items.length).toBe(total);
  expect([items[0], items[1], items[total - 1]]).toEqual([2n, 4n, 200_000n]);
}, 60_000);
