/** Of the run strategies: in the database's function, the dequeue, what users do, and the model. */
import { inFile, type Mutation } from "./mutation.ts";

const STRATEGY = "test/store/strategy.property.test.ts";
const START = "test/store/start.test.ts";

const starts = inFile("drizzle/0018_restart_after.sql", STRATEGY);
const dequeue = inFile("src/store/run.ts", STRATEGY);
const stop = inFile("src/store/stop.ts", STRATEGY);
const strategy = inFile("src/run/strategy.ts", "test/run/strategy.test.ts");
const strategyChange = inFile("src/store/version.ts", "test/store/strategy.test.ts", STRATEGY);

const start = inFile("src/flow/start.ts", "test/server/batch.test.ts");

export const STRATEGY_MUTATIONS: readonly Mutation[] = [
  starts(
    "a restart follows a run that it was not made from",
    "ELSIF before <> restart_afters[i] THEN",
    "ELSIF false THEN",
  ),
  strategy(
    "in the model a restart follows a run that it was not made from",
    "before.runId !== (restartAfter ?? before.runId)",
    "false",
  ),
  starts(
    "LAST_ONLY lets the running one be",
    "IF running > 0 AND NOT asked AND place.run_rule = 'LAST_ONLY' THEN",
    "IF running > 1 AND NOT asked AND place.run_rule = 'LAST_ONLY' THEN",
  ),
  starts(
    "LAST_ONLY does not ask what its own batch has launched",
    "UNION ALL SELECT keys[j], group_ids[j] FROM unnest(going) AS j",
    "",
  ),
  starts(
    "STRICT_SEQUENTIAL does not mind a failed run",
    "\n            OR place.run_rule = 'STRICT_SEQUENTIAL' AND failed THEN",
    " THEN",
  ),
  starts(
    "a run that is kept as FAILED holds no later one of its batch back",
    "result := 'FAILED';\n        failed := true;",
    "result := 'FAILED';",
  ),
  starts(
    "SERIAL_LATEST_ONLY queues as SEQUENTIAL does",
    "        IF place.run_rule IN ('LAST_ONLY', 'SERIAL_LATEST_ONLY') THEN",
    "        IF place.run_rule IN ('LAST_ONLY') THEN",
  ),
  starts(
    "FIRST_ONLY does not mind what waits",
    "IF running > 0 OR front IS NOT NULL THEN",
    "IF running > 0 THEN",
    START,
  ),
  starts("a new run overtakes those that wait", "OR front < instance_ids[i]", ""),
  starts("a restarted run goes behind all that wait", "OR front < instance_ids[i]", "OR front IS NOT NULL", START),
  starts("one more goes than may", "OR running >= place.run_concurrency OR", "OR running > place.run_concurrency OR"),
  starts("what a batch launches takes no place", "running := running + 1;", ""),
  starts(
    "what a batch queues is overtaken by its next one",
    "        front := least(front, instance_ids[i]);",
    "",
    START,
  ),
  starts(
    "a paused run takes no place",
    "AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL\n          LIMIT",
    "AND r.status IN ('CREATED', 'IN_PROGRESS') AND r.execution_id IS NOT NULL\n          LIMIT",
  ),
  starts("an outdated request makes a run", "ELSIF place.revision <> revisions[i] THEN", "ELSIF false THEN"),
  starts("what waits in a batch survives a newer one of it", "results[waiting[j]] := 'STOPPED';", ""),
  starts(
    "what is restarted in a batch is restarted once more before it has ended",
    "UNION ALL SELECT run_ids[j], stored[j] FROM unnest(fresh) AS j\n          WHERE workflow_ids[j] = workflow_ids[i] AND instance_ids[j] = restart_ofs[i]",
    "",
  ),
  starts("what has not ended is restarted", "ELSIF unfinished THEN", "ELSIF false THEN"),
  starts("the first run of an instance is restarted, not its latest", "ORDER BY it.run_id DESC", "ORDER BY it.run_id"),
  starts(
    "a restart takes a new instance id too",
    "latest := greatest(latest, instance_ids[i]);",
    "latest := latest + 1;",
  ),
  starts("a failed run that is restarted still holds others back", "SET status = 'FAILED_2'", "SET status = 'FAILED'"),
  starts(
    "a restart takes every failed run away",
    "AND r.instance_id = restart_ofs[i]\n          AND r.status = 'FAILED'",
    "AND r.status = 'FAILED'",
  ),
  starts("a restart lets its own batch's failed run be", "stored[fresh[j]] := 'FAILED_2';", "NULL;"),
  starts("a restart forgets that its batch has failed runs", "              failed := true;", "              NULL;"),
  starts("a restart forgets the other failed runs", "failed := failed OR place.failed", "failed := failed OR false"),
  starts(
    "nobody is told that a restart lets others go",
    "PERFORM announce_dequeue(workflow_ids[i], now_ms);",
    "NULL;",
    "test/store/start.test.ts",
  ),
  starts("a start does not mind that its workflow is paused", "WHEN place.paused OR running >=", "WHEN running >="),
  starts(
    "FIRST_ONLY makes a run of a paused workflow",
    "place.paused AND place.run_rule IN ('FIRST_ONLY', 'LAST_ONLY')",
    "place.paused AND place.run_rule IN ('LAST_ONLY')",
  ),
  dequeue("a dequeue does not mind that the workflow is paused", "AND NOT w.paused AND", "AND"),
  inFile("src/store/pause.ts", STRATEGY)(
    "nobody is told that a workflow is resumed",
    "if (!paused) await askDequeue(transaction, workflowId);",
    "",
  ),
  starts(
    "of a batch that is one decision, the first one goes",
    "IF batches[i] = batches[going[cardinality(going)]] THEN",
    "IF false THEN",
  ),
  starts(
    "what a batch has let go first takes a place",
    "            going := going[:cardinality(going) - 1];\n            running := running - 1;",
    "            going := going[:cardinality(going) - 1];",
  ),
  starts(
    "those that wait are stopped in the batch alone",
    "      queued := front IS NOT NULL;",
    "      queued := false;",
  ),
  starts("a step without its run's group starts runs", "stale := NOT FOUND;", ""),
  starts(
    "a run does not know whose step has started it",
    "correlation_ids[i], parent_keys[i],",
    "correlation_ids[i], NULL,",
  ),
  dequeue(
    "the first that was made goes first, not the oldest instance",
    "ORDER BY r.instance_id, r.run_id\n",
    "ORDER BY r.key\n",
    "test/store/start.test.ts",
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
  start(
    "a batch that was read before its workflow changed is refused",
    "if (outcomes.some(isRefusal)) return this.#again(unit);",
    "if (outcomes.every(isRefusal)) return this.#again(unit);",
  ),
  inFile("src/flow/start.ts", "test/server/strategy.test.ts")(
    "what a restart lets go is told to nobody",
    "if (outcome.run.runId > 1) this.#engine.dequeue([outcome.run.workflowId]);",
    "",
  ),
  inFile("src/api/route/property.ts", "test/server/strategy.test.ts")(
    "a changed strategy lets nobody go before the sweep",
    '  engine.hintDequeue([call.path("workflowId")]);\n',
    "",
  ),
  inFile("src/server/engine/told.ts", "test/server/strategy.test.ts")(
    "nobody is told that what a step has started is stopped for a newer run",
    "...stopped.flatMap(({ parent }) => parent ?? [])",
    "",
  ),
  inFile("src/store/stop.ts", "test/store/strategy.property.test.ts")(
    "what is stopped has no parent",
    "key === null || groupId === null ? undefined",
    "key === null || groupId !== null ? undefined",
  ),
  start("a batch is as many decisions as it has starts", "ready.length > 1 ? number : undefined", "undefined"),
  inFile("src/flow/unit.ts", "test/server/batch.test.ts")(
    "a batch that is larger than a transaction is never started",
    "Math.max(1, end)",
    "end",
  ),
  strategy(
    "in the model, of a batch that is one decision the first one goes",
    "[...workflow.waiting, ...mates]",
    "workflow.waiting",
  ),
  strategy(
    "in the model, batches that stand side by side are one",
    "request.batch === undefined || request.batch !== batch",
    "request.batch === undefined",
  ),
  strategy(
    "in the model, a failed run holds nothing back",
    'strategy.rule === "STRICT_SEQUENTIAL" && failed.length > 0;',
    "false;",
  ),
  strategy(
    "in the model, LAST_ONLY does not ask",
    'const asked = rule === "LAST_ONLY" ? running : [];',
    "const asked: readonly RunRef[] = [];",
  ),
  strategy("in the model, a new run overtakes those that wait", "isNext && room(left) > 0", "room(left) > 0"),
  strategy(
    "in the model, a restarted run goes last",
    "waiting.findLastIndex((it) => byInstance(it, ref) < 0) + 1",
    "waiting.length",
  ),
  strategy(
    "in the model, a batch tells of its own runs as of others",
    "[...stopped].filter((ref) => !made.includes(ref))",
    "[...stopped]",
  ),
  strategy(
    "in the model, a restart lets its instance's failed runs be",
    "const failed = workflow.failed.filter((it) => it.instanceId !== instanceId);",
    "const { failed } = workflow;",
  ),
  strategy(
    "in the model, what has not ended is restarted",
    "if (before && isOpen(workflow, before))",
    "if (before && !isOpen(workflow, before) && isOpen(workflow, before))",
  ),
  strategy(
    "in the model, a restart goes behind all that wait",
    "left.waiting.every((it) => byInstance(it, ref) > 0)",
    "left.waiting.length === 0",
  ),
  strategy(
    "in the model, a paused workflow lets runs go",
    "if (workflow.paused || isBlocked(workflow)) return 0;",
    "if (isBlocked(workflow)) return 0;",
  ),
];
