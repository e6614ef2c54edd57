// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
/** References of a definition that lead nowhere, as far as it tells. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { DEFAULT_LIMITS } from "../../src/definition/limit.ts";
import { unknownReferences } from "../../src/definition/reference.ts";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { parseJson } from "../../src/json.ts";
import { buildCatalog } from "../../src/param/index.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;
const expression = (source: string) => ({ type: "LONG", expression: source }) as const;
const map = (value: object) => ({ type: "MAP", value }) as const;
const noop = (id: string, fields: object = {}) => ({ step: { id, type: "NoOp", transition: {}, ...fields } });
const found = (workflow: object, types?: readonly string[]) =>
  unknownReferences({ id: "w", steps: [], ...workflow } as unknown as Workflow, { types });
const foundIn = (fields: object, workflow: object = {}) => found({ ...workflow, steps: [noop("a", fields)] });

const CATALOG = buildCatalog({}, new Map([["shell", { param: "shell", fields: new Set(["script"]) }]]));

const SCRIPT = 'cd "$HOME"\nfor f in $dir/*; do\n  echo "${f}" "$f"\ndone\necho $$x $RUN_DATE $step_id';

describe("code", () => {
  const at = "workflow.steps[0].step.params.shell.value.script.value: warning: ";
  const inScript = (script: string, own: object = {}) =>
    unknownReferences(
      {
        id: "w",
        params: { region: text("eu"), "a-b": text("x") },
        steps: [
          {
            step: { id: "a", type: "Shell", transition: {}, params: { ...own, shell: map({ script: text(script) }) } },
          },
          noop("my-step", { params: { rows: { type: "LONG", value: 1 } } }),
          noop("count", { params: { rows: { type: "LONG", value: 1 } } }),
        ],
      } as unknown as Workflow,
      { catalog: CATALOG, types: ["shell"] },
    );

  test("has variables of its own, and every way to write them", () => {
    const script =
      'for f in *.csv; do echo "$f $HOME ${f%.csv} ${x-y} $dir/$f.csv"; done; $a__b\nkill $$; echo $$; echo "5$$"';
    expect(inScript(script)).toEqual([
      `${at}line 1: [a__b] is not found: step [a] has no param [b], and the variable is empty`,
    ]);
    expect(inScript('echo "$count__rows ${region} ${count__rows:-0}" $other__thing')).toEqual([]);
  });

  test("is told of what is no variable, once each, with its line", () => {
    const script = "echo hi\necho ${my-step__rows} $my-step__rows ${a-b}\nrm $$OUT $${OUT}/x";
    expect(inScript(script)).toEqual([
      `${at}line 2: [my-step__rows] can't be the name of a variable: it is in the file $MAESTRO_PARAMS alone`,
      `${at}line 2: [a-b] can't be the name of a variable: it is in the file $MAESTRO_PARAMS alone`,
      `${at}line 3: $$OUT is the number of the process and a text: the text of code is left as it is, so the variable is $OUT`,
    ]);
  });

  test("is that field alone: the others of the settings are texts", () => {
    const shell = map({ script: text("$x"), env: { type: "STRING_MAP", value: { A: "$y" } } });
    const lines = unknownReferences(
      {
        id: "w",
        steps: [{ step: { id: "a", type: "shell", transition: {}, params: { shell, script: text("$z") } } }],
      } as unknown as Workflow,
      { catalog: CATALOG, types: ["shell"] },
    );
    expect(lines.map((line) => /\[\w\]/.exec(line.slice(line.indexOf("warning")))?.[0])).toEqual(["[y]", "[z]"]);
  });
});

describe("a reference that leads nowhere", () => {
  test("is told of with every other one of its text, the lines and the escape", () => {
    const shell = map({ script: text(SCRIPT) });
    const step = { step: { id: "a", type: "shell", transition: {}, params: { shell } } };
    expect(found({ params: { dir: text("/data") }, steps: [step] }, ["shell"])).toEqual([
      "workflow.steps[0].step.params.shell.value.script.value: warning: " +
        '[HOME] (line 1: cd "$HOME"), [f] (line 3: echo "${f}" "$f") are not found: ' +
        "the step, the workflow or another step has no param of these names, and a run fails unless its start gives it. " +
        "A dollar that is to stay is written twice: $$HOME",
    ]);
  });

  const places: [string, readonly string[], string][] = [
    ["a list", foundIn({ params: { l: { type: "STRING_ARRAY", value: ["a", "$b"] } } }), "params.l.value[1]"],
    ["a map's key", foundIn({ params: { m: { type: "STRING_MAP", value: { k$b: "" } } } }), "params.m.value.k$b"],
    ["a map's value", foundIn({ params: { m: { type: "STRING_MAP", value: { k: "$b" } } } }), "params.m.value.k"],
    ["an expression", foundIn({ params: { x: expression("b + 1") } }), "params.x.expression"],
    ["an expression in a MAP", foundIn({ params: { x: map({ y: expression("b") }) } }), "params.x.value.y.expression"],
    ["a condition", foundIn({ transition: { successors: { c: "b > 1" } } }), "transition.successors.c"],
    ["a timeout", foundIn({ timeout: "$b" }), "timeout"],
    [
      "a retry policy",
      foundIn({ retry_policy: { backoff: { error_retry_backoff_in_secs: "$b" } } }),
      "retry_policy.backoff.error_retry_backoff_in_secs",
    ],
  ];
  test.each(places)("is found in %s", (_what, lines, path) => {
    expect(lines).toEqual([expect.stringContaining(`workflow.steps[0].step.${path}: warning: [b] is not found: `)]);
  });

  test("is found in the workflow's own params and timeout, which see no step", () => {
    const lines = found({
      params: { x: text("$y $a__z") },
      timeout: "$n hours",
      steps: [noop("a", { params: { z: text("") } })],
    });
    expect(lines).toEqual([
      expect.stringContaining("workflow.params.x.value: warning: [y], [a__z] are not found: the workflow has no param"),
      expect.stringContaining("workflow.timeout: warning: [n] is not found"),
    ]);
  });

  test("is a param that another step does not declare, and that no start can give", () => {
    const [line, ...others] = found({ steps: [noop("a"), noop("b", { params: { x: text("$a__rows $c__y") } })] });
    expect(line).toEndWith("and a run fails. A dollar that is to stay is written twice: $$a__rows");
    expect(line).toContain("[a__rows], [c__y] are not found");
    expect(others).toEqual([]);
  });

  test("is a param's own name in its definition, when the workflow has none", () => {
    expect(foundIn({ params: { x: text("$x") } })).toHaveLength(1);
    expect(foundIn({ params: { x: text("$x") } }, { params: { x: text("") } })).toEqual([]);
  });

  test("is named like what every object inherits", () => {
    expect(foundIn({ params: { x: expression("constructor + toString") } })).toEqual([
      expect.stringContaining("[constructor], [toString] are not found"),
    ]);
  });

  test("in an expression that does not parse is not looked for", () => {
    expect(foundIn({ params: { x: expression("b +") } })).toEqual([]);
  });
});

describe("a reference that is found", () => {
  test("is a param of the step, of the workflow, of another step, a default, a signal's", () => {
    const workflow = {
      params: { w: text("$RUN_TS $owner") },
      signal_triggers: [{ definitions: { sig: {} } }],
      steps: [
        noop("a", { params: { x: text("$w $y ${sig__day} $step_attempt_id $params"), y: text(""), params: text("") } }),
        noop("b", {
          params: { z: text("${a__x} $a__step_id $a__maestro_step_satisfied $dep__n") },
          signal_dependencies: [{ name: "dep" }],
        }),
        noop("c", { transition: { successors: { d: "params['any'] > 1 && a__y == 'x'" } } }),
      ],
    };
    expect(found(workflow)).toEqual([]);
  });

  test("is a loop's param, or what its step passes on", () => {
    const loop_params = map({ i: { type: "LONG_ARRAY", value: [1] } });
    const inner = noop("in", { params: { x: text("$i $loop_index $passed $w") } });
    const foreach = { id: "f", transition: {}, params: { loop_params, passed: text("") }, steps: [inner] };
    expect(found({ params: { w: text("") }, steps: [{ foreach }] })).toEqual([]);
    const other = noop("in", { params: { x: text("$loop_params $j") } });
    expect(found({ steps: [{ foreach: { ...foreach, steps: [other] } }] })).toEqual([
      expect.stringContaining(
        "workflow.steps[0].foreach.steps[0].step.params.x.value: warning: [loop_params], [j] are not found",
      ),
    ]);
    const made = { ...foreach, params: { loop_params: { type: "MAP", expression: "m" }, m: map({}) }, steps: [other] };
    expect(found({ steps: [{ foreach: made }] })).toEqual([]);
    const until = {
      id: "u",
      transition: {},
      condition: "i < 3 && loop_index < n",
      params: { loop_params: map({ i: expression("1") }) },
      steps: [],
    };
    expect(found({ steps: [{ while: until }] })).toEqual([
      expect.stringContaining("workflow.steps[0].while.condition: warning: [n] is not found"),
    ]);
  });

  test("may be of a step whose params the definition does not tell", () => {
    const reads = noop("b", { params: { x: text("$a__anything") } });
    const steps = (a: object) => [{ step: { id: "a", transition: {}, ...a } }, reads];
    expect(found({ steps: steps({ type: "own-plugin" }) })).toEqual([]);
    expect(found({ steps: steps({ type: "Notebook", sub_type: "template" }) })).toEqual([]);
    expect(found({ steps: steps({ type: "own-plugin" }) }, ["Own-Plugin"])).toHaveLength(1);
    expect(found({ steps: steps({ type: "Http" }) })).toHaveLength(1);
  });

  test("may be a default that the configuration adds", () => {
    const catalog = buildCatalog({ workflow: { REGION: text("eu") }, types: { noop: { size: text("1") } } });
    const workflow = { id: "w", steps: [noop("a", { params: { x: text("$REGION $size") } })] } as unknown as Workflow;
    expect(unknownReferences(workflow, { catalog })).toEqual([]);
    expect(unknownReferences(workflow)).toHaveLength(1);
  });
});

test("the examples have none", async () => {
  const folder = join(import.meta.dir, "../../examples");
  const limits = { ...DEFAULT_LIMITS, stepTypes: [...DEFAULT_LIMITS.stepTypes, "shell"] };
  for (const file of new Glob("*.json").scanSync(folder)) {
    const { workflow } = parseWorkflowCreateRequest(parseJson(await Bun.file(join(folder, file)).text()), limits);
    expect([file, unknownReferences(workflow, { catalog: CATALOG, types: ["shell"] })]).toEqual([file, []]);
  }
});
