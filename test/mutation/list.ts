/**
 * Named changes that make the sources wrong, and the tests that have to notice each: what the tests are worth. `from`
 * stands once in its file.
 */
export interface Mutation {
  /** What is wrong then. */
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Files or folders of tests. One of them must fail. */
  readonly tests: readonly string[];
}

const SIMULATION = ["test/simulation"];
const WRITER = ["test/store/writer/writer.test.ts"];
const STRATEGY = ["test/store/strategy.property.test.ts"];

const inFile =
  (file: string, tests: readonly string[]) =>
  (name: string, from: string, to: string): Mutation => ({ name, file, from, to, tests });

const flow = inFile("src/flow/flow.ts", SIMULATION);
const task = inFile("src/flow/task.ts", SIMULATION);
const group = inFile("src/flow/group.ts", SIMULATION);
const engine = inFile("src/flow/engine.ts", SIMULATION);
const start = inFile("src/flow/start.ts", SIMULATION);
const timer = inFile("src/flow/timer.ts", ["test/flow/timer.test.ts"]);
const scheduler = inFile("src/flow/scheduler.ts", ["test/flow/scheduler.test.ts"]);
const ended = inFile("src/flow/ended.ts", ["test/flow/ended.test.ts"]);
const writer = inFile("src/store/writer/writer.ts", WRITER);
const batch = inFile("src/store/writer/batch.ts", WRITER);
const starts = inFile("drizzle/0004_start_names.sql", STRATEGY);
const dequeue = inFile("src/store/run.ts", STRATEGY);
const stop = inFile("src/store/stop.ts", STRATEGY);
const strategy = inFile("src/run/strategy.ts", ["test/run/strategy.test.ts"]);
const strategyChange = inFile("src/store/version.ts", STRATEGY);
const overview = inFile("src/run/overview.ts", ["test/run/overview.test.ts"]);

export const MUTATIONS: readonly Mutation[] = [
  flow(
    "a KILL after a STOP is ignored",
    "if (this.#ending && !outranks(termination, this.#ending)) return;",
    "if (this.#ending) return;",
  ),
  flow(
    "an adopted FAIL_IMMEDIATELY is not carried on",
    "for (const task of this.#tasks.values()) if (endsRun(task.status, task.node.body.failure_mode)) this.#failAll(task);",
    "",
  ),
  flow(
    "what a termination keeps from beginning is forgotten",
    "this.#cut ||= this.#ready.size + this.#preparing.size > 0;",
    "",
  ),
  flow(
    "a run's timeout begins anew at adoption",
    "const due = (this.#run.startTime ?? this.#now) + limit;",
    "const due = this.#now + limit;",
  ),
  flow(
    "a run that has to fail ends as its steps do",
    'const status = this.#doom === undefined ? cut : "FAILED";',
    "const status = cut;",
  ),
  flow(
    "the jobs of a run that has to fail are asked on",
    "if (this.#doom === undefined) task.resume();",
    "task.resume();",
  ),
  flow(
    "a run ends without the row that frees its place",
    'this.#rows.push({ kind: "outbox", topic: "dequeue", key: this.#run.workflowId });',
    "",
  ),
  flow(
    "an action stays when it is carried out",
    'if (this.#ending) this.#rows.push({ kind: "action-done", runKey: this.#run.key });',
    "",
  ),
  flow(
    "a step runs though none of its conditions holds",
    "own(this.#tasks.get(id)?.attempt.conditions, node.id) === true",
    "true",
  ),
  flow("steps that become ready together see each other's ends", "task.prepare();", "task.prepare();\n    task.go();"),
  task(
    "a termination that overrules another is not heard",
    'if (this.#phase === "terminating") return this.#overrule(termination);',
    'if (this.#phase === "terminating") return;',
  ),
  task(
    "an answer to a call made before a termination is acted on",
    'if (epoch === this.#epoch && this.#phase !== "ended") then();',
    'if (this.#phase !== "ended") then();',
  ),
  task(
    "a termination during a backoff makes no last attempt",
    'if (this.#phase === "backoff") this.#attempt = this.#followUp();',
    "",
  ),
  task("a wake during a call is lost", "else this.#woken = true;", ""),
  task(
    "a step's timeout begins anew at adoption",
    "const start = this.#attempt.times.start_time ?? this.#flow.now;",
    "const start = this.#flow.now;",
  ),
  task(
    "a backoff begins anew at adoption",
    "const end = this.#attempt.times.end_time ?? this.#flow.now;",
    "const end = this.#flow.now;",
  ),
  task(
    "a runtime that does not end its job keeps the step",
    'if (call === "terminate" && !this.#isOverdue) {',
    "if (this.#isOverdue) {",
  ),
  task("start is called before its row has committed", "this.#flow.afterCommit(invoke);", "invoke();"),
  task(
    "a running attempt is started again at adoption",
    'return this.#call("execute");\n    }\n    this.#prepare(true);',
    'return this.#call("start");\n    }\n    this.#prepare(true);',
  ),
  task(
    "a failed step is not tried again",
    "return kind !== undefined && !limitReached(this.#attempt.retry, kind);",
    "return false;",
  ),
  group(
    "a parked run is taken up again by a hint",
    "} else if (loaded.action || !this.#parked.has(key)) {",
    "} else {",
  ),
  group(
    "the sweep reads a parked run again and again",
    "return this.#flows.has(key) || this.#parked.has(key);",
    "return this.#flows.has(key);",
  ),
  group(
    "a run whose end is refused, too, is taken up for ever",
    "if (this.#doomed.has(run.key)) return this.park(run, reason);",
    "",
  ),
  group(
    "a run that has ended is taken up by a late read",
    "if (this.#closed || this.#flows.has(run.key) || this.#engine.recentlyEnded.has(run.key)) return undefined;",
    "if (this.#closed || this.#flows.has(run.key)) return undefined;",
  ),
  engine("an action that came too late stays", "await this.store.dropActions(groups);", ""),
  engine("the end of a run is not told", "this.#options.events.ended(run, row);", ""),
  start("a start whose head was out of date is refused", "else this.#again(pending);", "else pending.reject(error);"),
  start("starts hold the thread", "await othersFirst();", ""),
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
  writer(
    "what a run has queued behind a refused row is committed",
    "for (const key of runsOf(first)) this.#broken.set(key, this.#number);",
    "",
  ),
  writer(
    "a run whose row was refused can never write again",
    "for (const [key, last] of this.#broken) if (last < oldest) this.#broken.delete(key);",
    "for (const key of this.#broken.keys()) this.#broken.set(key, Number.POSITIVE_INFINITY);",
  ),
  writer(
    "a flush does not wait",
    "if (this.#unsettled === 0) return Promise.resolve();",
    "if (this.#unsettled >= 0) return Promise.resolve();",
  ),
  writer(
    "a stale owner's rows are sent again for ever",
    "this.#settle(request, new StaleOwner(request.stamp));\n      return false;",
    "return true;",
  ),
  writer(
    "rows of a lost group take those of others with them",
    "if (!lost.has(`${groupId}:${generation}`)) return true;",
    "",
  ),
  writer(
    "a fault of the database is taken for a row's",
    'const isData = typeof code !== "string" || DATA.test(code);',
    "const isData = true;",
  ),
  batch(
    "the first write of a row wins",
    "attempts.set(`${row.runKey}:${row.attempt.attemptId}:${row.attempt.stepId}`, row);",
    "{\n            const key = `${row.runKey}:${row.attempt.attemptId}:${row.attempt.stepId}`;\n            if (!attempts.has(key)) attempts.set(key, row);\n          }",
  ),
  overview(
    "an older attempt counts beside the newest",
    "if (known === undefined || known.attemptId < attempt.attemptId) latest.set(attempt.stepId, attempt);",
    "latest.set(`${attempt.stepId}:${attempt.attemptId}`, attempt);",
  ),
  overview("sums of rollups keep the last part's count", "sum.cnt += count.cnt;", "sum.cnt = count.cnt;"),
  starts(
    "LAST_ONLY lets the running one be",
    "IF running > 0 AND place.run_rule = 'LAST_ONLY' THEN",
    "IF running > 1 AND place.run_rule = 'LAST_ONLY' THEN",
  ),
  starts(
    "LAST_ONLY does not ask what its own batch has launched",
    "UNION ALL SELECT keys[j], group_ids[j] FROM unnest(going) AS j",
    "",
  ),
  starts(
    "STRICT_SEQUENTIAL does not mind a failed run",
    "OR place.run_rule = 'STRICT_SEQUENTIAL' AND failed THEN",
    "THEN",
  ),
  starts("a run that is kept as FAILED holds no later one of its batch back", "failed := true;", ""),
  starts(
    "SERIAL_LATEST_ONLY queues as SEQUENTIAL does",
    "IF waits AND place.run_rule IN ('LAST_ONLY', 'SERIAL_LATEST_ONLY') THEN",
    "IF waits AND place.run_rule IN ('LAST_ONLY') THEN",
  ),
  starts("FIRST_ONLY does not mind what waits", "IF running > 0 OR waits THEN", "IF running > 0 THEN"),
  starts(
    "a new run overtakes those that wait",
    "WHEN running >= place.run_concurrency OR waits OR",
    "WHEN running >= place.run_concurrency OR",
  ),
  starts(
    "one more goes than may",
    "WHEN running >= place.run_concurrency OR",
    "WHEN running > place.run_concurrency OR",
  ),
  starts("what a batch launches takes no place", "running := running + 1;", ""),
  starts("what a batch queues is overtaken by its next one", "        waits := true;", ""),
  starts(
    "a paused run takes no place",
    "AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL\n          LIMIT",
    "AND r.status IN ('CREATED', 'IN_PROGRESS') AND r.execution_id IS NOT NULL\n          LIMIT",
  ),
  starts("an outdated request makes a run", "ELSIF place.revision <> revisions[i] THEN", "ELSIF false THEN"),
  starts("what waits in a batch survives a newer one of it", "results[waiting[j]] := 'STOPPED';", ""),
  dequeue(
    "the first that was made goes first, not the oldest instance",
    "ORDER BY r.instance_id, r.run_id\n",
    "ORDER BY r.key\n",
  ),
  dequeue(
    "a paused run takes no place at the dequeue",
    "AND o.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED')",
    "AND o.status IN ('CREATED', 'IN_PROGRESS')",
  ),
  dequeue(
    "a dequeue does not mind what runs",
    "AND o.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED')",
    "AND o.status IN ('IN_PROGRESS', 'PAUSED')",
  ),
  dequeue("a dequeue does not mind a failed run", "AND NOT (w.run_rule = 'STRICT_SEQUENTIAL'\n", "AND NOT (false\n"),
  dequeue("every failed run holds others back", "AND NOT (w.run_rule = 'STRICT_SEQUENTIAL'\n", "AND NOT (true\n"),
  dequeue(
    "a dequeue lets one too many go",
    "LIMIT greatest(0, w.run_concurrency - (",
    "LIMIT greatest(0, w.run_concurrency + 1 - (",
  ),
  stop(
    "a run that was launched meanwhile is stopped as one that waits",
    "AND run_id = ${ref.runId}\n        AND status = 'CREATED' AND execution_id IS NULL",
    "AND run_id = ${ref.runId}\n        AND status = 'CREATED'",
  ),
  stop(
    "nobody is told that an unblocked run lets others go",
    "${event.timestamp} FROM unblocked",
    "${event.timestamp} FROM unblocked WHERE false",
  ),
  strategyChange("a rule is taken that two unfinished runs break", "if (open.length >= 2)", "if (open.length > 2)"),
  strategyChange(
    "a paused run does not stand in a new rule's way",
    "status IN ('CREATED', 'IN_PROGRESS', 'PAUSED')",
    "status IN ('CREATED', 'IN_PROGRESS')",
  ),
  strategy(
    "in the model, a failed run holds nothing back",
    'if (strategy.rule === "STRICT_SEQUENTIAL" && failed.length > 0) return 0;',
    "",
  ),
  strategy(
    "in the model, LAST_ONLY does not ask",
    'const asked = strategy.rule === "LAST_ONLY" ? running : [];',
    "const asked: readonly RunRef[] = [];",
  ),
  strategy(
    "in the model, a new run overtakes those that wait",
    "left.waiting.length === 0 && room(left) > 0",
    "room(left) > 0",
  ),
  strategy(
    "in the model, a restarted run goes last",
    "waiting.findLastIndex((it) => byInstance(it, ref) < 0) + 1",
    "waiting.length",
  ),
  strategy(
    "in the model, a batch tells of its own runs as of others",
    "[...stopped].filter((ref) => ref.instanceId <= workflow.latestInstanceId)",
    "[...stopped]",
  ),
];
