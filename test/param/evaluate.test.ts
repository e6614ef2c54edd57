// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import { MaestroError } from "../../src/error.ts";
import {
  evaluateCondition,
  evaluateDefinitions,
  evaluatedParam,
  interpolateText,
  type ParamDefinitions,
  type Params,
} from "../../src/param/index.ts";
import { ExtensionRequest } from "../../src/sel/index.ts";
import { context, finishedStep, NOW, noAnswers, results, runStep, scope, start } from "./support.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;
const long = (value: number) => ({ type: "LONG", value }) as const;
const expr = (expression: string, type: "STRING" | "LONG" | "BOOLEAN" = "STRING") => ({ type, expression }) as const;

function codeOf(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    return error instanceof MaestroError ? error.code : String(error);
  }
}

describe("workflow params", () => {
  test("evaluate in the order in which they need each other", () => {
    const run = start({
      later: expr("first + '!'"),
      first: text("1st of ${n}"),
      n: expr("m * 2", "LONG"),
      m: long(21),
    });
    expect(results(run.params)).toEqual({ later: "1st of 42!", first: "1st of 42", n: 42, m: 21 });
    expect(run.params.later).toEqual({
      expression: "first + '!'",
      type: "STRING",
      tags: [],
      mode: "MUTABLE",
      source: "DEFINITION",
      evaluated_result: "1st of 42!",
      evaluated_time: NOW,
    });
  });

  test("leave a note where a result was converted", () => {
    const run = start({ s: expr("1 + 2"), l: expr("'12'", "LONG"), b: expr("'TRUE'", "BOOLEAN") });
    expect(results(run.params)).toEqual({ s: "3", l: 12, b: true });
    expect(run.params.s?.info).toInclude("Implicitly converted");
    expect(run.params.l?.warn).toInclude("Implicitly converted");
    expect(run.params.b?.warn).toInclude("Implicitly converted");
  });

  test("of a map are evaluated entry by entry, and do not see each other", () => {
    const map: ParamDefinitions = {
      n: long(4),
      cfg: {
        type: "MAP",
        value: {
          size: expr("n * 2", "LONG"),
          env: { type: "STRING_MAP", value: { "k${n}": "v-$n" } },
          deep: { type: "MAP", value: { t: text("<$n>") } },
        },
      },
    };
    expect(results(start(map).params)).toEqual({ n: 4, cfg: { size: 8, env: { k4: "v-4" }, deep: { t: "<4>" } } });
    const sibling = { cfg: { type: "MAP", value: { a: long(1), b: text("$a") } } } as const;
    expect(() => start(sibling)).toThrow(/\[a\] is not found/);
  });

  const cycles: [string, ParamDefinitions][] = [
    ["text", { a: text("$b"), b: text("${c}"), c: text("$a") }],
    ["itself", { a: text("$a") }],
    ["expressions", { a: expr("b"), b: expr("c"), c: expr("a") }],
    ["a map", { a: { type: "MAP", value: { x: text("$b") } }, b: text("$a") }],
  ];
  test.each(cycles)("cycles through %s are refused, with their way", (_what, definition) => {
    expect(() => start(definition)).toThrow(/cycle: a( → .)* → a/);
    expect(codeOf(() => start(definition))).toBe("BAD_REQUEST");
  });

  const failures: [string, ParamDefinitions, RegExp][] = [
    ["an unknown name in text", { a: text("$nope") }, /\[nope\] is not found/],
    ["an unknown name in an expression", { a: expr("nope + 1") }, /\[nope\] is not found/],
    ["a name of Object", { a: text("${constructor}") }, /\[constructor\] is not found/],
    ["a bad expression", { a: expr("1 +") }, /for \[a\]/],
    ["a failing expression", { a: expr("1 / 0", "LONG") }, /for \[a\]/],
    ["a result of the wrong type", { a: expr("1.5", "LONG") }, /\[a\].*Long/],
    ["two equal keys", { a: { type: "STRING_MAP", value: { $b: "1", x: "2" } }, b: text("x") }, /duplicate key \[x\]/],
  ];
  test.each(failures)("%s is a bad request that names the param", (_what, definition, message) => {
    expect(() => start(definition)).toThrow(message);
    expect(codeOf(() => start(definition))).toBe("BAD_REQUEST");
  });

  test("may follow each other in long chains, not in endless ones", () => {
    const chain = (length: number): ParamDefinitions =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [`p${i}`, i + 1 < length ? text(`$p${i + 1}`) : text("end")]),
      );
    expect(results(start(chain(500)).params).p0).toBe("end");
    expect(() => start(chain(501))).toThrow(/chain of 500/);
  });

  test("with a separator are signal params, asked for outside", () => {
    expect(() => start({ a: text("${sig__day}") })).toThrow(ExtensionRequest);
    const extension = {
      ...noAnswers,
      getFromSignal: (signal: string, param: string) => ({ type: "STRING", value: `${signal}/${param}` }) as const,
    };
    const run = start({});
    expect(interpolateText("at ${sig__day} ${RUN_DATE}", run, context({ extension }))).toBe("at sig/day 20231114");
  });

  test("are limited in size", () => {
    expect(() => start({ a: text("x".repeat(400_000)) })).toThrow(
      /size in JSON is \d+ characters: the limit is 750000/,
    );
    expect(results(start({ a: text("x".repeat(300_000)) }).params).a).toHaveLength(300_000);
  });
});

describe("names inside a step", () => {
  const workflow = start({ x: text("wf"), n: long(4), mm: { type: "STRING_MAP", value: { k: "v" } } });

  test("its own param comes before the workflow's, evaluated or not", () => {
    const step = runStep({ a: text("$x"), x: text("own") }, scope(workflow));
    expect(results(step.params)).toEqual({ a: "own", x: "own" });
  });

  test("inside its own definition a name means the workflow's", () => {
    const step = runStep({ x: text("${x}_daily"), n: expr("n + 1", "LONG") }, scope(workflow));
    expect(results(step.params)).toEqual({ x: "wf_daily", n: 5 });
    expect(() => runStep({ y: text("$y") }, scope(workflow))).toThrow(/\[y\] refers to itself/);
    expect(() => runStep({ x: text("$y"), y: text("$x") }, scope(workflow))).toThrow(/cycle: x → y → x/);
  });

  test("an unknown one is an internal error, as a step fails internally", () => {
    expect(codeOf(() => runStep({ a: text("$nope") }, scope(workflow)))).toBe("INTERNAL_ERROR");
    expect(codeOf(() => runStep({ a: expr("nope") }, scope(workflow)))).toBe("INTERNAL_ERROR");
  });

  test("reach into finished steps, the step itself, and signals", () => {
    const at = scope(workflow, { a: finishedStep("a", { p: evaluatedParam("LONG_ARRAY", [4, 5], NOW) }) });
    const step = runStep(
      {
        el: expr("a__p[1]", "LONG"),
        all: text("${a__p}"),
        attempt: text("${a__step_attempt_id}"),
        self: text("${me__el}"),
      },
      at,
    );
    expect(results(step.params)).toEqual({ el: 5, all: "[4,5]", attempt: "2", self: "5" });
    expect(codeOf(() => runStep({ q: text("${a__missing}") }, at))).toBe("INTERNAL_ERROR");
    expect(() => runStep({ q: text("${me__missing}") }, at)).toThrow(/no param \[missing\]/);
    expect(() => runStep({ q: text("${sig__p}") }, at)).toThrow(ExtensionRequest);
  });

  test("three underscores are read by which step exists", () => {
    const p = { _b: evaluatedParam("STRING", "under", NOW), b: evaluatedParam("STRING", "plain", NOW) };
    const read = (...ids: string[]) => {
      const steps = Object.fromEntries(ids.map((id) => [id, finishedStep(id, p)]));
      return results(runStep({ v: text("${a___b}") }, scope(workflow, steps)).params).v;
    };
    expect(read("a")).toBe("under");
    expect(read("a_")).toBe("plain");
    expect(() => read("a", "a_")).toThrow(/ambiguous/);
    expect(() => read()).toThrow(/ambiguous/);
  });

  test("params brings in the workflow's, and the functions of the scope", () => {
    const at = scope(workflow, { a: finishedStep("a", { p: evaluatedParam("LONG", 9, NOW) }) });
    const definitions: ParamDefinitions = {
      w: expr("params.get('x')"),
      by: expr("params.getFromStep('a', 'p')", "LONG"),
      st: expr("params.getFromStep('a', 'MAESTRO_STEP_STATUS')"),
      me: expr("params.getFromStep('step_id')"),
      who: expr("params.getFromInstance('INITIATOR_TYPE')"),
      env: expr("params.getExecutionEnvironment()"),
      id: expr("params.nextUniqueId() + params.nextUniqueId()", "LONG"),
    };
    const expected = { w: "wf", by: 9, st: "SUCCEEDED", me: "me", who: "MANUAL", env: "test", id: 85 };
    expect(results(runStep(definitions, at).params)).toEqual(expected);
    const foreach = { f: expr("params.getFromForeach('l', 's', 'p')") };
    expect(() => runStep(foreach, at)).toThrow(ExtensionRequest);
    expect(codeOf(() => runStep({ o: expr("params.getFromInstance('owner')") }, at))).toBe("BAD_REQUEST");
    const otherwise = {
      ...noAnswers,
      getFromSignal: () => {
        throw new Error("none");
      },
    };
    const fallback = { d: expr("params.getFromSignalOrDefault('s', 'p', 'dflt')") };
    expect(results(runStep(fallback, at, { extension: otherwise }).params)).toEqual({ d: "dflt" });
  });
});

describe("conditions", () => {
  const workflow = start({ n: long(4) });
  const own = runStep({ x: long(5) }, scope(workflow));
  const at = { ...scope(workflow, { a: finishedStep("a", { p: evaluatedParam("LONG", 9, NOW) }) }), own };

  test("see the step, the workflow and finished steps", () => {
    expect(evaluateCondition("x == 5 && n == 4 && a__p == 9 && me__x == 5", at, context())).toBe(true);
    expect(evaluateCondition("x > n + 1", at, context())).toBe(false);
    expect(evaluateCondition("true", at, context())).toBe(true);
    expect(evaluateCondition("'False'", at, context())).toBe(false);
  });

  test("must be a boolean", () => {
    expect(codeOf(() => evaluateCondition("1", at, context()))).toBe("BAD_REQUEST");
    expect(codeOf(() => evaluateCondition("'maybe'", at, context()))).toBe("BAD_REQUEST");
  });

  test("and definitions beside the step's params see them, not each other", () => {
    const params: Params = evaluateDefinitions({ a: text("<$x>"), b: expr("x + n", "LONG") }, at, context());
    expect(results(params)).toEqual({ a: "<5>", b: 9 });
    expect(() => evaluateDefinitions({ a: text("1"), b: text("$a") }, at, context())).toThrow(/\[a\] is not found/);
  });
});
