/** Of restarts, of what earlier runs have left, and of what users do to steps. */
import { inFile, type Mutation } from "./mutation.ts";

const MACHINE = "test/run/machine.test.ts";
const STEP = "test/step/machine.test.ts";
const AGAIN = "test/simulation/again.test.ts";

const restart = inFile("src/run/restart.ts", "test/run/restart.test.ts");
const plan = inFile("src/run/plan.ts", "test/run/plan.test.ts");
const earlier = inFile("src/run/earlier.ts", "test/run/earlier.test.ts");
const aggregate = inFile("src/run/aggregate.ts", "test/run/aggregate.test.ts", "test/run/earlier.test.ts");
const overview = inFile("src/run/overview.ts", MACHINE);
const run = inFile("src/run/machine.ts", MACHINE);
const walk = inFile("src/run/walk.ts", "test/run/walk.test.ts");
const again = inFile("src/step/phase/again.ts", STEP);
const retry = inFile("src/step/phase/retry.ts", STEP);
const prepare = inFile("src/step/phase/prepare.ts", STEP);
const terminate = inFile("src/step/phase/terminate.ts", STEP);
const action = inFile("src/step/action.ts", "test/step/action.test.ts");
const steps = inFile("src/flow/steps.ts", AGAIN);
const flow = inFile("src/flow/flow.ts", AGAIN);
const said = inFile("src/flow/said.ts", AGAIN);
const task = inFile("src/flow/task.ts", AGAIN);

export const RESTART_MUTATIONS: readonly Mutation[] = [
  restart(
    "params of a request reach the runs on the way",
    "config?.restart_path.length === 1;",
    "config !== undefined;",
  ),
  restart(
    "the way up does not stop below a step that does not wait",
    "if (parent === undefined || parent.sync === false) return undefined;",
    "if (parent === undefined) return undefined;",
  ),
  restart("the way up forgets to name the step", '    policy = "RESTART_FROM_SPECIFIC";\n    config =', "    config ="),
  restart(
    "another iteration is restarted by the path",
    "node.workflow_id === child.workflowId && node.instance_id === child.instanceId;",
    "node.workflow_id === child.workflowId;",
  ),
  restart(
    "the end of a path has no policy of its own",
    'restart_path.length === 1 ? config.restart_policy : "RESTART_FROM_SPECIFIC"',
    '"RESTART_FROM_SPECIFIC"',
  ),
  restart(
    "a step's own restart is overlooked by what is below it",
    "const config = restarted ?? run.restart_config;",
    "const config = run.restart_config;",
  ),
  restart(
    "an older param of a step counts more than a newer one",
    "{ ...carried.get(stepId), ...params }",
    "{ ...params, ...carried.get(stepId) }",
  ),
  restart(
    "what a step was given in a live run is forgotten",
    "for (const { stepId, restart } of attempts) add(stepId, stepRestartParamsOf(restart, stepId));",
    "",
  ),
  plan(
    "a restart of one step begins with all that is unfinished",
    "const roots = open.map(({ id }) => id).filter((id) => target === undefined || id === target);",
    "const roots = open.map(({ id }) => id);",
  ),
  plan(
    "what waits for a held step counts for the end",
    "for (const [successor] of nodes.get(id)?.successors ?? []) pending.push(successor);",
    "",
  ),
  plan("a step that was made stays out of the end", "filter((id) => !made(id));", "filter(() => true);"),
  plan(
    "a run's graph has edges from steps that it does not execute",
    "const before = predecessors.filter((other) => nodes.has(other));",
    "const before = predecessors;",
  ),
  walk("a step that is held begins by itself", " && !held.has(id)) yield id;", ") yield id;"),
  earlier(
    "what was before a run from the beginning counts after it",
    "for (const run of runs.slice(Math.max(0, whole))) {",
    "for (const run of runs.slice(0, whole + 1)) {",
  ),
  aggregate(
    "a restart that did not come to a step leaves it as it was",
    "for (const id of layer.reach) if (!touched.has(id)) steps.set(id, NOT_CREATED);",
    "",
  ),
  aggregate(
    "a failed step is outranked by one that has timed out",
    'if (statuses.some(isFailed)) return "FAILED";',
    "",
  ),
  overview(
    "a restart forgets the leaves of the steps that it leaves out",
    "attempt ? leaves(run, attempt) : { total_leaf_count: 1,",
    "attempt ? leaves(run, attempt) : { total_leaf_count: 0,",
  ),
  run(
    "a restart that succeeds makes good what it has left out",
    "return { status, overview: status === own ? overview : { ...overview, runStatus: own } };",
    "return { status: own, overview };",
  ),
  run(
    "a restarted run does not say how it went itself",
    "status === own ? overview : { ...overview, runStatus: own }",
    "overview",
  ),
  run(
    "a restart with nothing to do fails",
    "const idle = attempts.length === 0 && (ending !== undefined || nodes.size === 0);",
    "const idle = attempts.length === 0 && ending !== undefined;",
  ),
  run(
    "a step is tried again in a run that is being ended",
    'if (!ending) yield { type: "again", stepId, again: { after, restart, note } };',
    'yield { type: "again", stepId, again: { after, restart, note } };',
  ),
  again(
    "a step that is complete is tried again",
    'if (move.state.phase !== "ended" || !isRestartable(before.status)) return;',
    'if (move.state.phase !== "ended") return;',
  ),
  again("the row of another try waits for its end", "move.save();", ""),
  again(
    "a success that is declared forgets what the step knew",
    'if (termination.status === "SUCCEEDED") move.change({ params: before.params, paramsTime: before.paramsTime });',
    "",
  ),
  retry(
    "an attempt by hand has only the retries that were left",
    "follow(move, uuid, { ...FRESH_RETRY, manual: manual + 1, plan }, restart);",
    "follow(move, uuid, { ...move.state.attempt.retry, manual: manual + 1 }, restart);",
  ),
  retry(
    "a retry forgets what the step was restarted with",
    "follow(move, uuid, countRetry(retry, status), restart);",
    "follow(move, uuid, countRetry(retry, status), undefined);",
  ),
  prepare("a step that the restart skips runs", "if (skipped) return leaveOut(move);", ""),
  terminate(
    "a success that is declared puts nothing out",
    "if (termination.outputs === undefined) return end(move, termination);",
    "if (termination) return end(move, termination);",
  ),
  terminate(
    "a job that is done is declared done once more",
    'if (phase === "finish" && isDone(termination)) return;',
    "",
  ),
  action("a step that runs may be restarted", 'SUCCEED: "end" };', 'SUCCEED: "end", RESTART: "again" };'),
  action("upstream's map has an action of ours", 'new Set<StepAction>(["SUCCEED"])', "new Set<StepAction>()"),
  steps("a run ends while a step is tried again", "this.#live++;\n    if (!(task", "if (!(task"),
  steps(
    "a step that was held is not made",
    "if (!node || !this.#plan.held.has(stepId) || after !== 0) return false;",
    "return false;",
  ),
  task("a word for an older attempt tries the step again", "if (attemptId !== again.after) return false;", ""),
  flow(
    "another try that ends at once is carried out before it has ended",
    "if (!again.termination || !this.#steps.isLive(stepId)) this.#carriedOut(stepId);",
    "",
  ),
  said("a word is followed again after it was carried out", "if (this.#carriedOut.has(key)) return false;", ""),
];
