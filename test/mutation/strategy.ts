/** Of the run strategies: in the database's function, the dequeue, what users do, and the model. */
import { inFile, type Mutation } from "./mutation.ts";

const STRATEGY = "test/store/strategy.property.test.ts";

const starts = inFile("drizzle/0005_words.sql", STRATEGY);
const dequeue = inFile("src/store/run.ts", STRATEGY);
const stop = inFile("src/store/stop.ts", STRATEGY);
const strategy = inFile("src/run/strategy.ts", "test/run/strategy.test.ts");
const strategyChange = inFile("src/store/version.ts", STRATEGY);

export const STRATEGY_MUTATIONS: readonly Mutation[] = [
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
