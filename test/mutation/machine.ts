/** Of what steps and runs decide. */
import { inFile, type Mutation } from "./mutation.ts";

const STEP = "test/step/machine.test.ts";
const RUN = "test/run/machine.test.ts";

const step = inFile("src/step/machine.ts", STEP);
const gates = inFile("src/step/phase/gates.ts", STEP);
const gate = inFile("src/step/gate.ts", STEP);
const node = inFile("src/step/node.ts", STEP);
const prepare = inFile("src/step/phase/prepare.ts", STEP);
const running = inFile("src/step/phase/run.ts", STEP);
const finish = inFile("src/step/phase/finish.ts", STEP);
const reported = inFile("src/step/reported.ts", STEP);
const signal = inFile("src/step/signal.ts", "test/step/signal.test.ts");
const retry = inFile("src/step/phase/retry.ts", STEP);
const terminate = inFile("src/step/phase/terminate.ts", STEP);
const status = inFile("src/step/status.ts", "test/step/status.test.ts");
const attempt = inFile("src/step/attempt.ts", "test/step/status.test.ts");
const run = inFile("src/run/machine.ts", RUN);
const walk = inFile("src/run/walk.ts", "test/run/walk.test.ts");
const plan = inFile("src/run/plan.ts", "test/run/plan.test.ts");
const inline = inFile("src/run/inline.ts", "test/run/inline.test.ts");
const overview = inFile("src/run/overview.ts", "test/run/overview.test.ts");

export const MACHINE_MUTATIONS: readonly Mutation[] = [
  running(
    "a job that has ended still reports",
    'move.state.phase !== "run" || move.state.attempt.uuid',
    "move.state.attempt.uuid",
  ),
  running("an attempt takes what an earlier one reports", " || move.state.attempt.uuid !== uuid", ""),
  running("a report is not stored", "move.change({ reported });\n  move.save();", "move.change({ reported });"),
  running("what a job has reported is forgotten", "withReported(move.state.attempt, answer)", "answer"),
  finish(
    "a report stays with an attempt that has ended",
    "if (move.state.attempt.reported) move.change({ reported: undefined });",
    "",
  ),
  finish(
    "signals that can't be read are no failure",
    "if (problem !== undefined) return failInternally",
    "if (!move) return failInternally",
  ),
  reported(
    "a report counts over what the runtime says",
    "{ ...reported.params, ...result.outputs }",
    "{ ...result.outputs, ...reported.params }",
  ),
  reported(
    "a report changes what the runtime remembers",
    "mergeArtifacts(reported.artifacts ?? {}, artifacts)",
    "mergeArtifacts(artifacts, reported.artifacts)",
  ),
  signal(
    "a signal has a param that is no integer",
    "if (jsonToLong(value) !== undefined) return value;",
    "return value;",
  ),
  signal(
    "a signal has texts in its payload",
    'if (typeof value === "string") params.push',
    'if (typeof value === "string") payload.push',
  ),
  step(
    "an answer to a call made before a termination is acted on",
    "if (asked?.id !== event.id) return;",
    "if (!asked) return;",
  ),
  step("a step that has ended acts again", 'if (state.phase !== "ended") apply(move, event);', "apply(move, event);"),
  step("a timer that was overtaken fires", "if (move.state.timers[timer] !== time) return;", ""),
  step(
    "a running attempt is started again at adoption",
    'return move.state.attempt.status === "STARTING" ? launch(move) : adopt(move);',
    "return launch(move);",
  ),
  step("a backoff is over at adoption", "return backOff(move);", "return prepare(move, true);"),
  step(
    "a job that nobody has resumed is not ended",
    'return status === "STARTING" || status === "RUNNING" || status === "FINISHING" ? "run" : "gates";',
    'return "gates";',
  ),
  step(
    "an attempt that has completed is stored before its conditions",
    "if (!isComplete(move.state.attempt.status)) move.save();",
    "move.save();",
  ),
  gates(
    "a step goes on at a gate that waits for its params",
    "else if (isGate(asked.what)) move.state.woken = true;",
    "else pass(move);",
  ),
  gates(
    "what is told while a guard is asked is lost",
    "else if (isGate(asked.what)) move.state.woken = true;",
    "",
    STEP,
    "test/simulation/gate.test.ts",
  ),
  gates(
    "a step that is paused is not stored",
    "if (isEntered || move.state.attempt.timeline !== timeline) move.save();",
    "",
  ),
  gates("a paused step is not asked for once that is stored", "if (isEntered || woken) ask(", "if (woken) ask("),
  gates("a guard has its rows in no commit of the step's", "if (isEntered) move.save();", ""),
  gates(
    "a guard writes its rows each time it is asked",
    "return ask(move, what, isEntered);",
    "return ask(move, what, true);",
  ),
  gates("a gate that is open is asked again", "placeOf(gate) + 1", "placeOf(gate)"),
  gates("a guard that could not be asked is never asked again", "move.arm({ again: move.now + ASK_AGAIN });", ""),
  gates("a guard is asked twice after a failure", "move.state.timers = NO_TIMERS;", ""),
  gates("a step is ready without being told to be", "move.effects.push(READY);", ""),
  gates("a pause leaves a trace though there was none", 'gate.entered === "always"', "true"),
  gate("no gate is ever guarded", "facts.guarded[gate] || state.attempt.status === held ? gate", "false ? gate"),
  gate("a paused step goes on once its breakpoint is forgotten", " || state.attempt.status === held", ""),
  prepare("a step runs though none of its conditions holds", "if (!satisfied) return skip(move);", ""),
  prepare("what follows a skipped step runs", "map(([id]) => [id, false])", "map(([id]) => [id, true])"),
  node(
    "each attempt reads its retry policy anew",
    "retry.plan === undefined ? typed?.retry_policy : undefined",
    "typed?.retry_policy",
  ),
  running("a wake during a call is lost", "} else move.state.woken = true;", "}"),
  running("a wake that came during a call is forgotten", 'if (move.state.woken) call(move, "execute");', ""),
  running("a step's timeout begins anew at adoption", "return (attempt.times.start_time ?? now) +", "return now +"),
  running(
    "a job begins before the row that says so is saved",
    '    move.save();\n  }\n  call(move, "start");',
    '  }\n  call(move, "start");',
  ),
  running("a call that failed is not made again", "move.arm({ again: move.now + CALL_AGAIN });", ""),
  finish(
    "a failed step is not tried again",
    "const retry = retryKind(attempt.status) !== undefined;",
    "const retry = false;",
  ),
  finish(
    "what has failed for good is tried again",
    "retryKind(attempt.status) !== undefined",
    "isFailed(attempt.status)",
  ),
  finish(
    "a failure that lets the run go on ends it",
    "const becomes = applyFailureMode(status, move.facts.node.body.failure_mode);",
    "const becomes = status;",
  ),
  finish(
    "edges with conditions are all taken",
    'if (node.successors.some(([, condition]) => condition !== "true")) return false;',
    "",
  ),
  finish("timers outlive their attempt", "move.state.timers = NO_TIMERS;\n", ""),
  retry("a backoff begins anew at adoption", "(times.end_time ?? move.now) + delay", "move.now + delay"),
  retry("retries are not counted", "countRetry(retry, status)", "retry"),
  terminate(
    "a KILL after a STOP is ignored",
    'if (phase === "terminate") return overrule(move, termination);',
    'if (phase === "terminate") return;',
  ),
  terminate(
    "a termination during a backoff makes no last attempt",
    'if (phase === "retry") replaced(move, termination, uuid);',
    "",
  ),
  terminate("a runtime that does not end its job keeps the step", "  giveUpAfter(move, grace);\n  call", "  call"),
  terminate(
    "a runtime that says it has not ended its job has a day",
    "  giveUpAfter(move, TERMINATION_GRACE);\n}\n\n/** Its time",
    "}\n\n/** Its time",
  ),
  terminate(
    "a KILL leaves the runtime the time of a STOP",
    "if (!isHard(termination)) return;\n  giveUpAfter(move, graceOf(move));",
    "if (!isHard(termination)) return;",
  ),
  terminate(
    "a job whose runtime has not ended it counts as ended",
    'if (result.state === "STOPPED") return ended(move);',
    "return ended(move);",
  ),
  status(
    "what has failed for good may run again",
    '  FATALLY_FAILED: ["COMPLETED_WITH_ERROR"],',
    '  FATALLY_FAILED: ["COMPLETED_WITH_ERROR", "RUNNING"],',
  ),
  attempt("nobody minds how a status changes", "if (!mayFollow(draft.status, next)) {", "if (mayFollow(next, next)) {"),
  run(
    "a KILL of the run after a STOP is ignored",
    "if (state.ending && !outranks(termination, state.ending)) return { state, effects: NOTHING };",
    "if (state.ending) return { state, effects: NOTHING };",
  ),
  run("what a termination keeps from beginning is forgotten", "cut: state.cut || waiting > 0", "cut: state.cut"),
  run("what a step's end would have let begin is forgotten", "state.cut ? state : { ...state, cut: true }", "state"),
  run(
    "steps begin though the run is being ended",
    "if (state.ending) return { state: state.cut",
    "if (state.doom) return { state: state.cut",
  ),
  run(
    "a run's timeout begins anew at adoption",
    "deadline: (state.run.startTime ?? 0) + timeoutOf(state.run),",
    "deadline: state.run.modifyTime + timeoutOf(state.run),",
  ),
  run("a run that has to fail ends as its steps do", 'if (doom !== undefined) return "FAILED";', ""),
  run("a failure under FAIL_IMMEDIATELY leaves the others alone", "if (endsRun(status, mode)) {", "if (false) {"),
  run(
    "a KILL of a step does not mind its failure mode",
    'byMode: kind === "KILL"',
    "byMode: false",
    "test/simulation/word.test.ts",
  ),
  run(
    "a word to a step ends the run",
    "if (stepId !== undefined) return {",
    "if (false) return {",
    "test/simulation/word.test.ts",
  ),
  run("a run ends twice", "if (state.over) return { state, effects: [] };", ""),
  walk(
    "a step is released with the first of those it waits for",
    "if (missing === 0) released.push(id);",
    "released.push(id);",
  ),
  walk(
    "what another run did holds a step back",
    "if (plan.nodes.has(before) && !completed(before)) missing++;",
    "if (!completed(before)) missing++;",
  ),
  plan(
    "a restart runs every step again",
    "const executed = before && reachable(",
    "const executed = undefined && reachable(",
  ),
  plan("a restart does not run the step that it names", "return id === target || status", "return status"),
  plan(
    "an iteration of a loop runs the whole definition",
    'if (!isUpstream(initiator) || initiator.type === "SUBWORKFLOW") return definition;',
    "if (initiator) return definition;",
  ),
  plan("what an earlier run did is forgotten", "if (runId === undefined || !status) continue;", "continue;"),
  inline(
    "a loop within a loop is named after the iteration",
    "(isInlineId(workflowId) ? closestWhole(initiator)",
    "(initiator === undefined ? closestWhole(initiator)",
  ),
  inline("instances sort as texts", "return DIGITS.charAt(digits.length) + digits;", "return digits;"),
  overview(
    "an older attempt counts beside the newest",
    "if (known === undefined || known.attemptId < attempt.attemptId) latest.set(attempt.stepId, attempt);",
    "latest.set(`${attempt.stepId}:${attempt.attemptId}`, attempt);",
  ),
  overview("sums of rollups keep the last part's count", "sum.cnt += cnt;", "sum.cnt = cnt;"),
];
