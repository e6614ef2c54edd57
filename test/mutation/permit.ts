/** Of permits: who needs them, who is granted them, and that none is left behind. */
import { inFile, type Mutation } from "./mutation.ts";

/** The newest migration that makes the function. */
const FUNCTION = "drizzle/0014_assign_permits.sql";
const PROPERTY = "test/store/permit.property.test.ts";
const STORE = "test/store/permit.test.ts";
const SIMULATION = "test/simulation/permit.test.ts";
const CLUSTER = "test/simulation/cluster.test.ts";
const MODEL = "test/run/permit.test.ts";

const granting = inFile(FUNCTION, PROPERTY, STORE);
const model = inFile("src/run/permit.ts", MODEL);
const engine = inFile("src/flow/permit.ts", SIMULATION);
const store = inFile("src/store/permit.ts", STORE, "test/api/permit.test.ts");
const statement = inFile("src/store/writer/statement.ts", STORE);
const admission = inFile("src/flow/nested/admission.ts", CLUSTER);
const machine = inFile("src/step/machine.ts", "test/step/machine.test.ts");
const queued = inFile("drizzle/0017_permit_of_queued.sql", STORE);
const batch = inFile("src/store/writer/batch.ts", STORE);

export const PERMIT_MUTATIONS: readonly Mutation[] = [
  granting(
    "one permit more is granted than may",
    "IF held[n] + taken[n] >= most THEN",
    "IF held[n] + taken[n] > most THEN",
  ),
  granting("permits that a call grants do not count in it", "taken[n] := taken[n] + 1;", ""),
  granting(
    "what an attempt brings counts more than the tag's limit",
    "most := coalesce(stored[n], found.limits[i]);",
    "most := found.limits[i];",
  ),
  granting(
    "whoever waits holds up those behind",
    "blockers := array_append(blockers, blocker);",
    "blockers := array_append(blockers, blocker);\n        EXIT;",
  ),
  granting(
    "the newest attempt goes first",
    "x.seq <= reach.seq ORDER BY x.seq",
    "x.seq <= reach.seq ORDER BY x.seq DESC",
  ),
  granting("attempts beyond a page are never looked at", "HAVING count(*) = x.page", "HAVING false"),
  granting("an attempt that is being ended is waited for", "FOR UPDATE SKIP LOCKED", "FOR UPDATE", STORE),
  granting(
    "half of an attempt's permits are granted",
    "CONTINUE WHEN found.width IS NULL OR cardinality(found.needs) IS DISTINCT FROM found.width;",
    "CONTINUE WHEN found.width IS NULL;",
    STORE,
  ),
  granting("two calls grant at a time", "PERFORM pg_advisory_xact_lock(1835099507, 1);", "", STORE),
  granting("the sweep looks at nothing", "IF sweeps THEN", "IF false THEN", PROPERTY),
  granting(
    "a call looks at everything, however much it is",
    "is_more := looked >= most_looked;",
    "is_more := false;",
    STORE,
  ),
  model("a loop holds permits while its iterations run", "node.typed !== undefined &&", "", MODEL),
  model("step_concurrency limits nothing", "if (steps !== undefined) wants.set(", "if (steps === 0) wants.set("),
  model("instance_step_concurrency limits nothing", "if (tree !== undefined) wants.set(", "if (tree === 0) wants.set("),
  model("who holds a permit counts twice", "if (request.granted || ", "if ("),
  engine(
    "an attempt keeps its permits for ever",
    'return [{ kind: "permits-released", runKey: run.key, uuid: attempt.uuid }];',
    "return [];",
  ),
  engine(
    "nobody looks at what an attempt leaves free",
    "this.#open(isNested(node) ? childWants(run) : stepWants(run, node));",
    "",
  ),
  engine(
    "what a crash has left free is not looked at",
    "await this.#assign((waiting) => this.#sweeps.push(waiting));",
    "",
  ),
  engine("nobody is told of permits", "if (hints.size > 0) this.#options.tell([...hints.values()]);", ""),
  engine("a step that is told of its grant asks again", "if (this.#granted.has(uuid)) return undefined;", ""),
  engine("what was opened in vain is forgotten", "for (const tag of opened) this.#missed.add(tag);", ""),
  engine(
    "each step asks by itself",
    "await nextTurn(this.#options.clock);",
    "if (this.#sweeps.length > 9) await nextTurn(this.#options.clock);",
  ),
  engine(
    "nobody goes on where a call has ended early",
    "if (state === undefined && isMore) this.#wait(uuid, waiting);\n        else for",
    "for",
    "test/flow/permit.test.ts",
  ),
  engine("a run that a step has started keeps its place", "ownWants(run).length === 0 ?", "true ?", CLUSTER),
  engine(
    "a step that ends before its runs keeps their places",
    'return [{ kind: "permits-left", runKey: run.key, starter: attempt.uuid }];',
    "return [];",
    "test/flow/permit.test.ts",
  ),
  engine("what a run leaves free is not looked at", "    this.#open(ownWants(run));\n", "", "test/flow/permit.test.ts"),
  admission("steps start runs whatever the tree's limit says", "if (!this.isLimited || (", "if (true || ("),
  admission(
    "what is given up goes on waiting",
    "const gone = [...this.#asked].filter((uuid) => !due.has(uuid));",
    "const gone: string[] = [];",
    "test/flow/admission.test.ts",
  ),
  admission(
    "a step asks behind its own end",
    "if (this.#place.isOver) return new Set();",
    "",
    "test/flow/admission.test.ts",
  ),
  machine(
    "a step is not told that its run may go",
    'move.state.phase !== "gates" && isNested(move.facts.node)',
    "false",
  ),
  queued(
    "a run that its strategy ends keeps its place",
    "NEW.end_time IS NOT NULL AND OLD.end_time IS NULL)",
    "NEW.end_time IS NULL AND OLD.end_time IS NULL)",
  ),
  store("raising a limit lets go as many as one call looks at", "while (answer.isMore) {", "while (false) {"),
  statement(
    "a commit that is made again takes permits back",
    "ON CONFLICT (uuid, tag) DO NOTHING",
    "ON CONFLICT (uuid, tag) DO UPDATE SET state = excluded.state",
  ),
  batch("an attempt that has ended in its first batch waits for ever", "wanted.delete(row.uuid);", ""),
];
