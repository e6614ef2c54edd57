// biome-ignore-all lint/suspicious/noTemplateCurlyInString: scripts are the subject
/** Scripts as people write them: evaluated as the engine does, and run as the plugin does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepType } from "@maestro/sdk";
import { shell } from "../../plugins/script/shell.ts";
import type { Json } from "../../src/json.ts";
import { codeParams, evaluateStepParams, type Params, type StepScope } from "../../src/param/index.ts";
import { context as evaluation } from "../param/support.ts";
import { contextOf, type Driver, inPlace, message } from "../runtime/harness.ts";

const dataDir = mkdtempSync(join(tmpdir(), "maestro-script-"));
let driver: Driver & Disposable;
beforeAll(() => {
  driver = inPlace(dataDir, [shell as unknown as StepType]);
});
afterAll(() => {
  driver[Symbol.dispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

const CODE = { param: "shell", fields: new Set(["script"]) };
const text = (value: string) => ({ type: "STRING", value }) as const;
const done = (type: "STRING" | "LONG", result: Json) =>
  ({ type, value: result, evaluated_result: result, evaluated_time: 1 }) as Params[string];

const NASTY = `a "b" 'c' $(touch injected) \`touch injected\` $region\n\\ ; x`;
const IDENTITY = { workflow_instance_id: 12, step_instance_uuid: "u", step_attempt_id: 1, step_id: "job" };

const scope: StepScope = {
  facts: { ...IDENTITY, step_instance_id: 7, step_type_info: "shell", error_retries: 0 },
  workflow: {
    params: {
      region: done("STRING", "eu"),
      nasty: done("STRING", NASTY),
      x: done("STRING", "param"),
      f: done("STRING", "param"),
      PATH: done("STRING", "/nowhere"),
      HOME: done("STRING", "/nowhere"),
      IFS: done("STRING", "x"),
      LD_PRELOAD: done("STRING", "/no/such.so"),
      BASH_ENV: done("STRING", "/no/such"),
      "a-b": done("STRING", "dashed"),
      large: done("STRING", "y".repeat(140_000)),
    },
  },
  finished: (id) => {
    if (id !== "count" && id !== "my-step") return undefined;
    return {
      params: { params: { rows: done("LONG", 42) }, identity: { ...IDENTITY, step_id: id } },
      status: "SUCCEEDED",
    };
  },
};

/** As a run has it done: the step's params are evaluated, what its code mentions is looked up, the script is run. */
async function run(script: string, settings: { readonly [name: string]: Params[string] } = {}, own: Params = {}) {
  const merged: Params = { ...own, shell: { type: "MAP", value: { script: text(script), ...settings } } };
  const step = evaluateStepParams(merged, scope, evaluation(), [], CODE);
  const code = codeParams(CODE, { ...scope, own: step }, evaluation());
  const plain = Object.entries(step.params).map(([name, param]): [string, Json] => [
    name,
    param.evaluated_result ?? null,
  ]);
  const context = { ...contextOf("shell", Object.fromEntries(plain)), code };
  const result = await driver.run(context);
  const outputs = Object.entries(result.outputs ?? {}).map(([name, param]) => [name, param.evaluated_result]);
  return {
    state: result.state,
    out: driver.text("stdout", context.uuid),
    says: message(result),
    outputs: Object.fromEntries(outputs) as Record<string, Json>,
    code,
  };
}

test.each([
  ["a loop over files", 'touch a.csv b.csv; for f in *.csv; do echo "$f"; done', "a.csv\nb.csv\n"],
  ["HOME and a command's output", '[ -n "$HOME" ] && [ -n "$(date)" ] && echo yes', "yes\n"],
  ["HOME is the system's, whatever a param is", '[ "$HOME" != /nowhere ] && echo yes', "yes\n"],
  ["awk's fields", "echo a b c | awk '{print $NF, $1}'", "c a\n"],
  ["a suffix taken off", "f=data.csv; echo ${f%.csv}", "data\n"],
  ["a default", 'echo "${nothing:-none}" "${region:-none}"', "none eu\n"],
  ["the process number", "test -d /proc/$$ || ps -p $$ >/dev/null; echo $?", "0\n"],
  ["a workflow's param, both ways", 'echo "$region ${region}"', "eu eu\n"],
  ["another step's param", 'echo "$count__rows"', "42\n"],
  ["arithmetic on a param", "echo $((count__rows + $count__rows))", "84\n"],
  ["arithmetic without a dollar", "echo $((count__rows * 2 - (1 + 1)))", "82\n"],
  ["a variable of its own over a param", 'x=5; echo "$x"', "5\n"],
  ["a value with quotes and commands", 'printf "%s" "$nasty"; ls', NASTY],
  ["single quotes", "echo '$region $(x)'", "$region $(x)\n"],
  ["a here-document", "cat <<END\n$region $(echo hi)\nEND", "eu hi\n"],
  ["a quoted here-document", "cat <<'END'\n$region $$ ${x}\nEND", "$region $$ ${x}\n"],
  ["positional arguments", 'set -- a b; echo "$# $1 $@ $*"', "2 a a b a b\n"],
  ["a function's arguments", 'greet() { echo "hi $1"; }; greet "$region"', "hi eu\n"],
  ["the last status", "false; echo $?", "1\n"],
  ["sed with an end of line", "echo abc | sed 's/c$/d/'", "abd\n"],
  ["grep with an end of line", "printf 'a\\nab\\n' | grep 'a$'", "a\n"],
  ["a money sign alone", 'echo "5$ each, $ 3"', "5$ each, $ 3\n"],
  ["perl's variables", `perl -e 'my $y = 3; my @l = (1,2); print "$y $#l $l[1]\\n"'`, "3 1 2\n"],
  ["a nested default", 'echo "${nothing:-${region:-none}}"', "eu\n"],
  ["a length", "echo ${#region}", "2\n"],
  ["a while over lines", "printf '1\\n2\\n' | while read -r n; do echo \"n=$n\"; done", "n=1\nn=2\n"],
  ["bash arrays", '#!/usr/bin/env bash\na=(1 2 3); echo "${a[@]} ${#a[@]} ${a[-1]} $((2**3))"', "1 2 3 3 3 8\n"],
  ["set -u with a param", "set -eu; echo $region", "eu\n"],
  ["a case", 'case "$region" in eu*) echo europe;; *) echo "other $region";; esac', "europe\n"],
  [
    "all params from the file",
    `tr ',' '\\n' <"$MAESTRO_PARAMS" | grep -c '"region":"eu"\\|"count__rows":42'; : count__rows`,
    "2\n",
  ],
  ["a name with a dash from the file", `grep -c '"a-b":"dashed"' "$MAESTRO_PARAMS"`, "1\n"],
  ["a step with a dash from the file", `grep -o '"my-step__rows":42' "$MAESTRO_PARAMS"`, '"my-step__rows":42\n'],
  ["byte order mark and line ends of Windows", "\uFEFFset -e\r\nif true; then\r\n  echo ${-%%[!e]*}\r\nfi\r\n", "e\n"],
  ["trap and a background job", 'trap "echo bye" EXIT; (echo bg) & wait $!', "bg\nbye\n"],
])("%s", async (_, script, out) => {
  const result = await run(script);
  expect([result.state, result.says, result.out]).toEqual(["DONE", "", out]);
});

test("outputs are written as a shell would", async () => {
  const { outputs } = await run(
    `printf 'a\\nb\\n' >f; rows=$(wc -l <f); printf '{"rows": %d}' "$rows" > "$MAESTRO_OUTPUT"`,
  );
  expect(outputs).toEqual({ rows: 2 });
});

test("a script of Windows that fails under set -e fails", async () => {
  expect((await run("set -e\r\nfalse\r\necho not reached\r\n")).state).toBe("USER_ERROR");
});

test("names that would break the process are in the file alone", async () => {
  const { state, out, code } = await run(
    'a="1 2"; set -- $a; echo "$# $PATH $IFS $LD_PRELOAD $BASH_ENV"; grep -o \'"IFS":"x"\' "$MAESTRO_PARAMS"',
  );
  expect(state).toBe("DONE");
  expect(out).toStartWith("2 ");
  expect(out).not.toContain("nowhere");
  expect(out).not.toContain("/no/such");
  expect(out).toEndWith('"IFS":"x"\n');
  expect(Object.keys(code.variables).sort()).toEqual(["BASH_ENV", "IFS", "LD_PRELOAD", "PATH"]);
});

test("only what is mentioned is a variable", async () => {
  expect((await run("echo hi")).code.variables).toEqual({});
  expect((await run('env | grep -c "^region="')).out).toBe("0\n");
});

test("a step's own param comes before the workflow's, its env before both, and env is text with references", async () => {
  const own: Params = { region: text("own ${x}") };
  expect((await run('echo "$region"', {}, own)).out).toBe("own param\n");
  const env = { type: "STRING_MAP", value: { region: "env $region" } } as const;
  expect((await run('echo "$region"', { env }, own)).out).toBe("env own param\n");
});

test("a script in a STRING_MAP is left as it is, while the rest of it is text", async () => {
  const value = { script: 'echo "$HOME ${region} $shell"', working_dir: "/tmp/$region" };
  const merged: Params = { shell: { type: "STRING_MAP", value } };
  const step = evaluateStepParams(merged, scope, evaluation(), [], CODE);
  expect(step.params.shell?.evaluated_result).toEqual({ ...value, working_dir: "/tmp/eu" });
  const { params, variables } = codeParams(CODE, { ...scope, own: step }, evaluation());
  expect([variables, Object.hasOwn(params, "shell")]).toEqual([{ HOME: "/nowhere", region: "eu" }, false]);
});

test("a script that an expression makes is left as it is, too", async () => {
  const merged: Params = {
    shell: { type: "MAP", value: { script: { type: "STRING", expression: "'echo $' + 'region'" } } },
  };
  const step = evaluateStepParams(merged, scope, evaluation(), [], CODE);
  expect(step.params.shell?.evaluated_result).toEqual({ script: "echo $region" });
  expect(codeParams(CODE, { ...scope, own: step }, evaluation()).variables).toEqual({ region: "eu" });
});

describe.skipIf(process.platform !== "linux")("a value that the system refuses", () => {
  test("fails the step with its name and the limit, and is in the file", async () => {
    const { state, says } = await run('echo "$large"');
    expect(state).toBe("FATAL_ERROR");
    expect(says).toStartWith("Environment variable [large] has 140000 bytes; the system takes 131065 at most");
    expect((await run('test $(wc -c <"$MAESTRO_PARAMS") -gt 140000')).state).toBe("DONE");
  });

  test("fails it when all together are too large", async () => {
    const env = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`V${index}`, "z".repeat(100_000)]));
    const result = await driver.run(contextOf("shell", { shell: { script: "true", env } }));
    expect(result.state).toBe("FATAL_ERROR");
    expect(message(result)).toContain("more than the system takes; the largest variable is [V");
  });
});
