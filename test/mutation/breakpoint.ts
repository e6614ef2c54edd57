/** Of breakpoints: whom they hold, what is stored of it, and who is told. */
import { inFile, type Mutation } from "./mutation.ts";

const guard = inFile("src/flow/breakpoint.ts", "test/simulation/breakpoint.test.ts");
const gates = inFile("src/step/phase/gates.ts", "test/step/machine.test.ts");
const gather = inFile("src/flow/gather.ts", "test/flow/gather.test.ts");
const store = inFile("src/store/breakpoint.ts", "test/store/breakpoint.test.ts");
const statement = inFile("src/store/writer/statement.ts", "test/store/breakpoint.test.ts");
const batch = inFile("src/store/writer/batch.ts", "test/store/breakpoint.test.ts");
const workflow = inFile("src/store/workflow.ts", "test/store/breakpoint.test.ts");
const route = inFile("src/api/route/breakpoint.ts", "test/api/breakpoint.test.ts");
const pool = inFile("src/flow/pool.ts", "test/flow/pool.test.ts");
const peer = inFile("src/server/peer.ts", "test/server/peer.test.ts");

export const BREAKPOINT_MUTATIONS: readonly Mutation[] = [
  gates("nobody is said to have let a step go on", "if (event) move.events([event]);", ""),
  store(
    "an attempt that is resumed again forgets who has done it first",
    "WHERE p.resumed IS NULL AND p.run_key",
    "WHERE p.run_key",
  ),
  guard("a breakpoint that is told of holds nobody", "if (this.#known) put(this.#known, step);", ""),
  guard("a breakpoint that is told of during a read is forgotten", "if (this.#reading) this.#added.push(step);", ""),
  guard("no step is asked for before memory was read", "this.#known === undefined ||", "this.#known !== undefined &&"),
  guard(
    "a paused attempt that has ended stays among the paused",
    "return step.attempt.times.pause_time !== undefined\n",
    "return step.attempt.times.pause_time === undefined\n",
  ),
  guard("a resumed attempt is held while its breakpoint is there", "if (!isPaused(step)) return", "return"),
  guard("a breakpoint holds nobody who is not paused", "if (!isPaused(step)) return", "if (false) return"),
  guard("a step of another workflow is held", "this.#known.get(run.internalId)?.has(node.id) === true", "true"),
  gather("each question is a look of its own", "this.#waiting.splice(0, MOST)", "this.#waiting.splice(0, 1)"),
  gather("a look has any number of questions", "this.#waiting.splice(0, MOST)", "this.#waiting.splice(0)"),
  gather("nothing is asked after the first look", "    this.#isLooking = false;\n", ""),
  store("a breakpoint of another version matches", "b.version_id IN (0, r.version_id)", "true"),
  store("a breakpoint of another instance matches", "b.instance_id IN (0, r.instance_id)", "true"),
  store("a breakpoint of another run matches", "b.run_id IN (0, r.run_id)", "true"),
  store("a breakpoint of another attempt matches", "b.attempt_id IN (0, t.attempt_id)", "true"),
  store(
    "a removal lets go what other breakpoints hold",
    "AND p.step_id = ${stepId} AND r.key = p.run_key",
    "AND r.key = p.run_key",
  ),
  store("a removal lets go what it should not", "if (resumed === undefined) return [];", ""),
  store(
    "a breakpoint that is there is made anew",
    "SET create_time = breakpoint.create_time",
    "SET create_time = excluded.create_time",
  ),
  statement(
    "a commit that is made again pauses by a newer breakpoint what has come before it",
    "AND a.status = 'PAUSED')",
    "AND a.status = 'NONE')",
  ),
  statement("a removal does not see what is being paused", " LIMIT 1 FOR KEY SHARE) AS why", " LIMIT 1) AS why"),
  batch(
    "an attempt that is paused and ends in one commit stays paused",
    "=> since === undefined),",
    "=> since === 0),",
  ),
  workflow(
    "the breakpoints of a deleted workflow stay",
    "await transaction`DELETE FROM breakpoint WHERE internal_id = ${internal_id}`;",
    "",
  ),
  workflow(
    "the paused attempts of a deleted workflow stay",
    "paused AS (DELETE FROM paused_attempt WHERE run_key IN (SELECT key FROM gone)),",
    "",
  ),
  route("nobody is told of a new breakpoint", "await engine.breakpointAdded({ internalId, stepId });", ""),
  route("nobody is told that paused attempts go on", "engine.hintSteps(resumed);", ""),
  route("nobody is told that a paused attempt goes on", "engine.hintSteps([resumed]);", ""),
  route(
    "a nested step is shown with its workflow's id",
    'return inlinePrefixOf("foreach" in step ? "foreach" : "while", internalId);',
    "return workflowId;",
  ),
  pool(
    "a breakpoint is known before the threads have said so",
    "thread.post(message(id));\n      return promise;",
    "thread.post(message(id));\n      return Promise.resolve(promise && undefined);",
  ),
  peer(
    "a breakpoint counts as told before the node knows",
    "await this.#options.heardBreakpoint(step);",
    "void this.#options.heardBreakpoint(step);",
  ),
];
