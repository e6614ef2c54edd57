// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parts of sources
/** Of code fields, of what scripts are given and leave behind, and of their outputs. */
import { inFile, type Mutation } from "./mutation.ts";

const evaluate = inFile("src/param/evaluate.ts", "test/plugin/script.test.ts");
const names = inFile("src/param/code.ts", "test/plugin/script.test.ts");
const resolve = inFile("src/param/resolve.ts", "test/plugin/script.test.ts");
const asking = inFile("src/flow/asking.ts", "test/server/code.test.ts");
const env = inFile("plugins/script/env.ts", "test/plugin/script.test.ts");
const lint = inFile("src/definition/reference.ts", "test/definition/reference.test.ts");
const output = inFile("src/param/output.ts", "test/param/order.test.ts");
const answer = inFile("src/runtime/result.ts", "test/plugin/shell.test.ts");
const machine = inFile("src/step/phase/finish.ts", "test/step/machine.test.ts");
const question = inFile("src/flow/question.ts", "test/server/code.test.ts");
const job = inFile("plugins/script/job.ts", "test/plugin/python.test.ts");
const kin = inFile("plugins/script/kin.ts", "test/plugin/python.test.ts");
const type = inFile("plugins/script/type.ts", "test/plugin/python.test.ts");
const thread = inFile("src/runtime/thread.ts", "test/plugin/python.test.ts");
const bytes = inFile("src/bytes.ts", "test/bytes.test.ts");
const log = inFile("src/runtime/attempt.ts", "test/server/code.test.ts");

export const CODE_MUTATIONS: readonly Mutation[] = [
  evaluate(
    "code in a STRING_MAP is interpolated",
    "const isText = value !== null && !this.#isCode(name, key);",
    "const isText = value !== null;",
  ),
  evaluate(
    "code is interpolated",
    'if (expression === undefined && entry.type === "STRING" && this.#isCode(name, key))',
    'if (expression === undefined && entry.type === "STRING" && key === "")',
  ),
  names("a variable in braces is none", "(?:\\{[#!]?)?", ""),
  names("arithmetic mentions nothing", 'flatMap(([, inside = ""]) => inside.match(NAME) ?? [])', "flatMap(() => [])"),
  resolve("params of other steps are not in the file", "...Object.fromEntries(mentioned) }", "}"),
  resolve("the settings are a variable", "name === param ? undefined : find(name)", "find(name)"),
  asking("a job is begun without what its code refers to", "return code === undefined ? {} : { code };", "return {};"),
  env("a param takes the place of PATH", ".filter(([name]) => !isOwn(name))", ""),
  env(
    "a param comes before the step's env",
    "...Object.fromEntries(variables),\n    ...env,",
    "...env,\n    ...Object.fromEntries(variables),",
  ),
  env("a variable may have any size", "if (size <= most) continue;", "if (size > 0) continue;"),
  lint("nobody warns of $$NAME in code", "if (dollars > 1) {", "if (dollars > 9) {"),
  output("30.0 is no LONG", 'to === "LONG" && from === "DOUBLE" ? wholeOf(value) : undefined', "undefined"),
  output("digits of a whole number are lost", "if (digits !== undefined) return parseLong(digits);", ""),
  output(
    "an object is no STRING_MAP",
    'to === "STRING_MAP" && isJsonObject(value)',
    'to === "STRING_MAP" && value === null',
  ),
  output(
    "a wrong output is an internal error",
    "throw error instanceof MaestroError ? new OutputError(error.message) : error;",
    "throw error;",
  ),
  answer("a wrong output is tried again", '{ ...rest, state: "FATAL_ERROR"', '{ ...rest, state: "USER_ERROR"'),
  machine("a wrong output is a success", 'move.enter(failedStatus("FATAL_ERROR", move.state.attempt.retry));\n', ""),
  question("a wrong output fails the step internally", "if (error instanceof OutputError)", "if (error === undefined)"),
  job("what a script leaves behind goes on", "if (await kin.isLeftBehind()) {", "if (kin === undefined) {"),
  job("what is detached ends, too", "if (params.detach) return;", ""),
  kin(
    "a session of its own is a way out",
    "readonly #isOutside = (pid: number): boolean => {",
    "readonly #isOutside = (pid: number): boolean => {\n    if (pid > 0) return false;",
  ),
  kin("a control group stays", "removeCgroup(this.#cgroup);", "{}"),
  kin(
    "without a control group nobody looks beyond the process group",
    "if (anew) this.#outside = this.#tagged();",
    "",
    "test/plugin/kin.test.ts",
  ),
  type("folders of successes are kept, too", '(keep === "failed" && result.state !== "DONE")', 'keep === "failed"'),
  job("a failure is told with half a line", "? lines.slice(1) : lines", "? lines : lines", "test/plugin/shell.test.ts"),
  thread("no folder is kept", "if (existsSync(join(folder, KEEP_FILE))) return;", ""),
  bytes("what stands for a byte can be printed", 'length === 4 && PRIVATE.test(whole.toString("utf8"))', "length > 4"),
  bytes("a NUL is stored", "if (first < 0x80) return first === 0 ? 0 : 1;", "if (first < 0x80) return 1;"),
  log(
    "what is no text is lost",
    "this.#veil.piece(textOf(bytes), isCut)",
    'this.#veil.piece(bytes.toString("utf8").replaceAll("\\0", ""), isCut)',
  ),
];
