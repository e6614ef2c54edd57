/** Of the engine: actors, groups, starts, timers, membership, and what lies between threads and nodes. */
import { inFile, type Mutation } from "./mutation.ts";

const SIMULATION = ["flow", "adopt", "fault", "evaluation"].map((name) => `test/simulation/${name}.test.ts`);
const GATE = "test/simulation/gate.test.ts";
const CLUSTER = "test/simulation/cluster.test.ts";
const MEMBERSHIP = "test/flow/membership.test.ts";
const CHANNEL = "test/runtime/channel.test.ts";

const flow = inFile("src/flow/flow.ts", ...SIMULATION);
const steps = inFile("src/flow/steps.ts", ...SIMULATION);
const intake = inFile("src/flow/intake.ts", ...SIMULATION);
const task = inFile("src/flow/task.ts", ...SIMULATION);
const asking = inFile("src/flow/asking.ts", ...SIMULATION);
const turn = inFile("src/flow/turn.ts", ...SIMULATION);
const timing = inFile("src/flow/timing.ts", ...SIMULATION);
const group = inFile("src/flow/group.ts", ...SIMULATION);
const engine = inFile("src/flow/engine.ts", ...SIMULATION);
const start = inFile("src/flow/start.ts", ...SIMULATION);
const pool = inFile("src/flow/pool.ts", "test/flow/pool.test.ts");
const membership = inFile("src/flow/membership.ts", MEMBERSHIP, CLUSTER);
const channel = inFile("src/runtime/channel.ts", CHANNEL);
const timer = inFile("src/flow/timer.ts", "test/flow/timer.test.ts");
const scheduler = inFile("src/flow/scheduler.ts", "test/flow/scheduler.test.ts");
const fetching = inFile("src/flow/fetching.ts", "test/flow/fetching.test.ts");
const child = inFile("src/run/child.ts", "test/flow/fetching.test.ts", "test/store/fetch.test.ts");
const loops = inFile("src/param/evaluate.ts", "test/run/loop.test.ts");
const sizes = inFile("src/param/resolve.ts", "test/run/loop.test.ts");
const outcome = inFile("src/flow/outcome.ts", "test/flow/outcome.test.ts");
const ended = inFile("src/flow/ended.ts", "test/flow/ended.test.ts");

const seen = inFile("src/flow/seen.ts", "test/flow/seen.test.ts");
const own = "test/simulation/own.test.ts";
const reports = inFile("src/flow/reports.ts", "test/flow/reports.test.ts");
const token = inFile("src/runtime/token.ts", "test/runtime/token.test.ts");
const report = inFile("src/runtime/report.ts", "test/runtime/report.test.ts");

export const ENGINE_MUTATIONS: readonly Mutation[] = [
  reports("a report waits for ever when its run has ended", 'if (!report.isTaken) report.answer("unknown");', ""),
  reports("a report that is about to commit is said to be unknown", "if (!report.isTaken) report", "report"),
  token("whoever knows an attempt may report for it", "timingSafeEqual(given, right) ? attempt", "given ? attempt"),
  token(
    "a token is good for another run of the group",
    "`${PURPOSE}\\n${groupId}.${runKey}.${uuid}`",
    "`${PURPOSE}\\n${groupId}.${uuid}`",
  ),
  report("a job writes what its runtime remembers", "name.startsWith(PREFIX) && !OPEN.has(name)", "name.length === 0"),
  report("a job reports without an end", "if (size > MAX_OUTPUTS) {", "if (size < 0) {"),
  pool(
    "a report is answered by a node that does not own its step",
    "if (this.#closed || !this.#owned.has(report.groupId))",
    "if (this.#closed)",
  ),
  outcome(
    "results that nobody fetches are kept whatever their size",
    '"string") chars += next.length;',
    '"string") chars += 1;',
  ),
  outcome("a result that is too large is evaluated for ever", "return Math.min(chars, most);", "return chars;"),
  flow("what is given up ends the runs that wait for their turn", "if (this.#abandoned) return false;", "", own),
  flow("an adopted FAIL_IMMEDIATELY is not carried on", "for (const task of ended) this.#stepEnded(task, []);", ""),
  flow(
    "what was said to a step stays when it has ended",
    "if (this.#said.carriedOut(stepId)) this.write",
    "if (!stepId) this.write",
    "test/simulation/word.test.ts",
  ),
  flow(
    "a run ends without the row that frees its place",
    '(isInline(run.initiator) ? [] : [{ kind: "outbox"',
    '(run.key > 0 ? [] : [{ kind: "outbox"',
  ),
  flow(
    "an action stays when it is carried out",
    '...(ending ? [{ kind: "words-taken", runKey: run.key, stepId: undefined } as const] : []),',
    "",
  ),
  flow(
    "an abandoned flow's attempts stay tracked",
    "for (const uuid of this.#tracked) this.engine.drop(uuid);",
    "",
    CLUSTER,
  ),
  flow(
    "traces are forgotten before the last row has committed",
    "    this.afterCommit(() => {\n      this.#tracked.delete(uuid);\n      this.engine.untrack(uuid);\n    });",
    "    this.#tracked.delete(uuid);\n    this.engine.untrack(uuid);",
  ),
  flow(
    "an action that waits for a new owner is not carried out",
    "for (const word of loaded.words) this.#hear(word);",
    "",
  ),
  steps(
    "any condition that was decided lets a step run",
    "?.conditions, id) === true);",
    "?.conditions, id) !== undefined);",
  ),
  steps(
    "numbers of steps begin anew at adoption",
    "this.#lastInstanceId = Math.max(this.#lastInstanceId, attempt.stepInstanceId);",
    "",
  ),
  intake(
    "steps that become ready together see each other's ends",
    "      begin(preparing);\n      return true;",
    "      begin(preparing);\n      this.#prepared.take()?.go();\n      return true;",
  ),
  asking(
    "a guard is asked before the step's rows have committed",
    "this.#flow.afterCommit(() => {\n      if (!this.#task.isAsking(id)) return;\n      gates",
    "void Promise.resolve().then(() => {\n      if (!this.#task.isAsking(id)) return;\n      gates",
    GATE,
  ),
  asking("a guard's rows are not written", "if (isEntered) this.#flow.write(gates.entering(gate, step));", "", GATE),
  turn(
    "what waits for a commit of an earlier turn does not",
    "if (this.#uncommitted) this.#uncommitted.push(...callbacks);\n      else ",
    "",
    GATE,
  ),
  task(
    "what a guard keeps stays when a step ends",
    '      case "ended":\n        this.#leaveGates();',
    '      case "ended":',
    GATE,
  ),
  task(
    "what a guard keeps stays when an attempt fails",
    '      case "over":\n        this.#leaveGates();',
    '      case "over":',
    GATE,
  ),
  engine(
    "the sweep asks for no step that is held",
    "for (const group of this.#owned.values()) group.tellHeld();",
    "",
    GATE,
  ),
  engine("a step that is told is not asked for", "group?.tell(key, told);", "", GATE),
  engine("what guards know grows old", "    await this.gates.refresh();\n", "", GATE),
  asking("start is called before its row has committed", "this.#flow.afterCommit(invoke);", "invoke();"),
  asking(
    "a job begins though its commit was heard of late",
    'if (call === "start" && clock.elapsed() - since > CERTAIN) return this.#confirm(id);',
    "",
  ),
  asking(
    "an evaluation that took a while is forgotten",
    "void reply.then(() => this.#flow.post(() => this.#evaluate(id, evaluating)));",
    "void reply;",
  ),
  turn(
    "what waits for one commit waits for an earlier one",
    "    this.#afterCommit = [];\n    if (rows",
    "    if (callbacks.length > 0) this.#afterCommit = [];\n    if (rows",
    CLUSTER,
  ),
  turn(
    "a refused row of an abandoned run ends its successor",
    "if (!this.#abandoned) this.#engine.refused",
    "this.#engine.refused",
    "test/simulation/fault.test.ts",
  ),
  turn(
    "a stale owner doesn't tell",
    "if (error instanceof StaleOwner) return this.#engine.lost(error.stamp);",
    "if (error instanceof StaleOwner) return;",
    own,
  ),
  timing("a timer that is not wanted any more fires", "      timer.cancel();\n", "", "test/flow/timing.test.ts"),
  group(
    "the sweep reads a parked run again and again",
    "return this.#flows.has(key) || this.#parked.has(key);",
    "return this.#flows.has(key);",
  ),
  group(
    "a run that is handed over is taken, whoever had it",
    "if (plan && this.#seen.isNew(run.key)) this.launch",
    "if (plan && !this.has(run.key)) this.launch",
    own,
  ),
  group(
    "a run whose end is refused, too, is taken up for ever",
    "if (this.#doomed.has(run.key)) return this.park(run, refusal.reason);",
    "",
  ),
  group(
    "a run that has ended is taken up by a late read",
    "if (this.#closed || this.#flows.has(run.key) || this.#engine.recentlyEnded.has(run.key)) return undefined;",
    "if (this.#closed || this.#flows.has(run.key)) return undefined;",
  ),
  group(
    "the jobs of a run that has to fail are asked on",
    "?.adopt(loaded, this.#doomed.get(key));",
    "?.adopt(loaded);",
  ),
  group(
    "a group that was lost keeps its runs",
    "for (const flow of this.#flows.values()) flow.abandon();",
    "",
    CLUSTER,
  ),
  group(
    "a run that is handed over twice begins twice",
    "if (plan && this.#seen.isNew(run.key)) this.launch(run, plan);",
    "if (plan) {\n      this.forget(run.key);\n      this.launch(run, plan);\n    }",
    own,
  ),
  engine("a word is read with the whole run", "else if (group?.has(key)) {", "else if (!group) {", own),
  engine(
    "what is said to a run is not handed to it",
    "await Promise.all([...said].map(([key, words]) => groups.get(key)?.hear(key, words)));",
    "",
    own,
  ),
  seen("a run is new before it is known what there was", "return this.#hasBegun && key", "return key"),
  seen("a run that is forgotten is new again", "this.#floor = old.at(-1) ?? this.#floor;", ""),
  seen(
    "a run that was there at the take-over is new",
    "return this.#hasBegun && key > this.#floor && !this.#keys.has(key);",
    "return !this.#keys.has(key);",
  ),
  engine("an action that came too late stays", "await this.store.dropWords(groups);", ""),
  engine("the end of a run is not told", "this.#options.events.ended(run, row);", ""),
  engine("a group that is owned anew leaves its former actors alive", "      held?.close();\n", "", own),
  engine(
    "a refusal of an old generation takes the new one away",
    "if (group?.stamp.generation !== generation) return;",
    "if (!group) return;",
    own,
  ),
  engine(
    "disowning does not wait for queued rows",
    "    await this.store.writer.flush();\n",
    "",
    "test/simulation/own.test.ts",
  ),
  engine(
    "a run is launched that a former owner may have run",
    "else if (group.since > asOf) this.look([hint]);",
    "",
    own,
  ),
  engine(
    "the sweep finds no run without an actor",
    "this.look([...runs.filter(({ key, groupId }) => !this.#owned.get(groupId)?.has(key)), ...words]);",
    "this.look(words);",
    CLUSTER,
  ),
  engine(
    "queued runs are not let go after an outage",
    "await this.#children.sweep();\n    await this.#options.outbox.sweep();",
    "await this.#children.sweep();",
    CLUSTER,
  ),
  start("a start whose head was out of date is refused", "else this.#again(unit);", "else unit.reject(error);"),
  inFile("src/flow/unit.ts", "test/simulation/flow.test.ts")(
    "starts hold the thread",
    "    await nextTurn(clock);\n",
    "",
  ),
  engine(
    "what a former owner announced waits for the sweep",
    "    await this.#options.outbox.sweep();\n  }\n\n  /** Gives up groups",
    "  }\n\n  /** Gives up groups",
    own,
  ),
  engine(
    "the ends of a while are looked at one by one",
    "const quiet = rows.filter(({ topic, key }) => topic === DEQUEUE && !this.#queueing.has(key));",
    "const quiet: readonly OutboxRow[] = [];",
    "test/simulation/flow.test.ts",
  ),
  pool(
    "hints for other nodes go nowhere",
    "this.#options.elsewhere(hints.filter(({ groupId }) => !this.#owned.has(groupId)));",
    "",
  ),
  pool(
    "a disowned group is still this node's",
    "for (const id of groups) this.#owned.delete(id);",
    "",
    "test/flow/pool.test.ts",
  ),
  membership("groups that this node owns unawares are left alone", "    this.#takeUp(owned);\n", ""),
  membership("groups of another owner are kept", "    await this.#dropLost(owned);\n", ""),
  membership(
    "two heartbeats act at a time",
    "    this.#unanswered ??= this.#beat()",
    "    this.#unanswered = this.#beat()",
  ),
  membership(
    "a node takes more than its share",
    "store.claim(node.id, share - this.#held.size)",
    "store.claim(node.id, groups)",
  ),
  membership("a node that has forgotten itself does not come back", "if (!registered) await store.register(node);", ""),
  membership(
    "surplus is given away before it is at rest",
    "    await this.#options.disown(surplus);\n    await this.#options.store.giveBack(this.#options.node.id, surplus);",
    "    await this.#options.store.giveBack(this.#options.node.id, surplus);\n    await this.#options.disown(surplus);",
  ),
  channel("what was lost is not sent again", "if (this.#out.length > 0) this.#flush(0);", ""),
  channel("what comes twice is received twice", "const skip = this.#received + 1 - frame.n;", "const skip = 0;"),
  channel("a gap is not minded", "    if (skip >= 0) {", "    {"),
  channel("a frame for a predecessor is taken", "if (forPredecessor) {", "if (false) {"),
  channel("a message of a dead end is taken", "if (this.#dead.has(frame.s)) return;", ""),
  channel(
    "an acknowledgement takes too much away",
    "const count = upTo - this.#base;",
    "const count = this.#out.length;",
  ),
  timer("a cancelled timer fires", "cancel: () => this.#remove(entry)", "cancel: () => {}"),
  timer("a timer that takes another's place sinks no further", "    this.#sink(last);\n", ""),
  timer(
    "a timer that takes another's place rises no further",
    "    this.#rise(last);\n    this.#sink(last);",
    "    this.#sink(last);",
  ),
  scheduler("one turn that throws ends all", "flow.failed(error);\n    return false;", "throw error;"),
  scheduler(
    "a flow that is ready twice stands in the queue twice",
    "if (this.#stopped || this.#queued.has(flow)) return;",
    "if (this.#stopped) return;",
  ),
  scheduler(
    "flows go on while the writer is congested",
    "done < waiting.length && !this.#options.congested()",
    "done < waiting.length",
  ),
  ended("an end is forgotten while a read that began before it goes on", "if (ended > oldest) return;", ""),
  fetching("an evaluation forgets what it was answered", "answers.push(answer);", "answers.splice(0, 9, answer);"),
  fetching("an evaluation reads without a limit", "room -= chars;", ""),
  fetching(
    "an evaluation asks without end",
    "if (count >= MOST_ANSWERS) throw",
    "if (count >= 10 * MOST_ANSWERS) throw",
  ),
  fetching("all evaluations ask at once", "if (this.#running >= MOST_AT_ONCE)", "if (this.#running < 0)"),
  fetching(
    "a slot is handed on twice",
    "if (next) next();\n      else this.#running--;",
    "next?.();\n      this.#running--;",
  ),
  fetching(
    "a long expression has the short budget after an answer",
    "if (!(error instanceof BudgetExceeded)) throw error;",
    "throw error;",
  ),
  fetching(
    "a database that is away fails the expression",
    "if (!(error instanceof MaestroError && error.retryable)) throw error;",
    "throw error;",
  ),
  fetching(
    "a question that fails for good is asked for ever",
    "error.retryable)) throw error;",
    "error)) throw error;",
  ),
  child("a step under way is asked about its children", "!isComplete(attempt.status)", "false"),
  child("a plugin's artifact names children", "step && stepOf(step).kind === kind ?", "step ?"),
  child("a gap is nothing", "fill(gap)", "fill(null)"),
  child("iterations of two types are one array", "if (other !== undefined) throw", "if (other === name) throw"),
  child(
    "a param of a child that follows from its attempt is not found",
    "const params = facts ? withSatisfied",
    "const params = !facts ? withSatisfied",
  ),
  loops(
    "an expression of any step has the limits of loops",
    'return this.#where.kind === "step" && isOfLoop ?',
    'return this.#where.kind === "step" ?',
  ),
  loops(
    "who gathers from a loop is not remembered",
    "if (method === GATHERING && param !== undefined) this.#ofLoops.add(param);",
    "",
  ),
  sizes("params of loops have no limit", "checkSize(what, loops?.maxChars ?? LOOP_SIZE_LIMIT,", "checkSize(what, 1e9,"),
  sizes("params of loops count twice", "others(params), () => others(whole())", "params, whole"),
];
