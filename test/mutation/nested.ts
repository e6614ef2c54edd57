/** Of loops and subworkflows: which children run, how they are counted, what a restart leaves alone, who may start them. */
import { inFile, type Mutation } from "./mutation.ts";

const NESTED = "test/flow/nested.test.ts";
const CLUSTER = "test/simulation/cluster.test.ts";
const interval = inFile("src/nested/interval.ts", "test/nested/interval.test.ts");
const foreach = inFile("src/nested/foreach.ts", "test/nested/foreach.test.ts");
const again = inFile("src/nested/again.ts", "test/nested/again.test.ts");
const loop = inFile("src/nested/loop.ts", "test/nested/loop.test.ts");
const whileLoop = inFile("src/nested/while.ts", "test/nested/while.test.ts");
const whileStep = inFile("src/flow/nested/while.ts", "test/flow/while.test.ts");
const subworkflow = inFile("src/flow/nested/subworkflow.ts", CLUSTER);
const step = inFile("src/flow/nested/step.ts", CLUSTER);
const children = inFile("src/flow/nested/children.ts", CLUSTER);
const stop = inFile("src/flow/nested/stop.ts", CLUSTER);

export const NESTED_MUTATIONS: readonly Mutation[] = [
  interval("neighbours are not joined", "this.#lasts[at] === id - 1;", "this.#lasts[at] === id - 2;"),
  interval(
    "an id in the middle takes the rest along",
    "this.#firsts.splice(at + 1, 0, id + 1);\n      this.#lasts.splice(at + 1, 0, last);",
    "",
  ),
  interval("a set does not count what a list overlaps", "first <= before) {", "first < before) {"),
  foreach(
    "a limit is exceeded by one",
    "this.running + chosen.length < limit",
    "this.running + chosen.length <= limit",
  ),
  foreach(
    "the window of a strict order begins at what is launched next",
    "Math.min(running.least ?? id, chosen[0] ?? id)",
    "(chosen[0] ?? id)",
  ),
  foreach("launches go on after a failure", 'if (this.#has("FAILED")) return [];', ""),
  foreach(
    "an iteration that is named is launched again",
    "return this.#running.has(id) || this.#isOver(id);",
    'return this.#running.has(id) || this.#of("SUCCEEDED").has(id);',
  ),
  foreach("the end of an earlier run of an iteration counts", "|| running.runId !== end.runId", ""),
  foreach(
    "an iteration that runs again counts its leaves twice",
    "if (before.rollup) this.#rollup.subtract(before.rollup);",
    "",
  ),
  foreach(
    "a new owner takes what earlier runs have failed for done",
    "if (!isOwn && !kept(child.instanceId)) continue;",
    "",
  ),
  foreach("a new owner forgets which iteration is named", "foreach.#name(named);\n    for", "for"),
  again(
    "an iteration beside the named one runs again",
    "instanceId !== named && isRunTerminal(status);",
    "instanceId === named;",
  ),
  again(
    "a restart from the beginning keeps what has succeeded",
    'if (policyBeside(step) === "RESTART_FROM_BEGINNING") return () => false;',
    "",
  ),
  loop(
    "the param that is written last varies fastest",
    "rest = Math.floor(rest / items.length);",
    "rest = Math.floor(rest / 2);",
  ),
  whileLoop(
    "a loop resumes after the last iteration",
    "const first = named ?? last;",
    "const first = named ?? last + 1;",
  ),
  whileLoop(
    "leaves of the iteration that resumes count twice",
    "instanceId < first && rollup",
    "instanceId <= first && rollup",
  ),
  whileLoop("the first step that has a param hands it on", "ordered.findLast(", "ordered.find("),
  whileStep("an iteration that a former owner launched outlives its step", "    await this.#takeNext();\n", ""),
  whileStep(
    "what an earlier run of a loop has left counts as launched",
    "if (next === undefined || next.runId < loop_run_id) return;",
    "if (next === undefined) return;",
  ),
  subworkflow(
    "an asynchronous run is waited for",
    "if (!this.#isAsync) this.#child = run;",
    "this.#child = run;",
    "test/flow/subworkflow.test.ts",
  ),
  step(
    "a call that ends the step overtakes its launches",
    "    this.#over = true;\n    await this.#last;",
    "    this.#over = true;",
  ),
  step(
    "an iteration runs again below a step that is being ended",
    "while (!this.#over && !this.#closed) {",
    "while (!this.#closed) {",
    NESTED,
  ),
  step(
    "an iteration runs again below a step that has ended",
    "while (!this.#over && !this.#closed) {",
    "while (!this.#over) {",
    NESTED,
  ),
  children("ends that nobody has told are not asked for", "await this.#ask([...this.#steps.values()]);", ""),
  children("steps that have ended are kept", "this.#steps.delete(uuid);", ""),
  stop("a step ends before its children", "while (!isEmpty(live())) await place.told();", ""),
];
