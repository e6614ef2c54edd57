/** Of the queue: what is acted on, how often, by whom; and what becomes of what can't be done. */
import { inFile, type Mutation } from "./mutation.ts";

const lane = inFile("src/queue/lane.ts", "test/queue/queue.test.ts");
const failure = inFile("src/queue/failure.ts", "test/queue/queue.test.ts");
const outbox = inFile("src/store/outbox.ts", "test/store/outbox.test.ts");
const letter = inFile("src/store/letter.ts", "test/store/outbox.test.ts");
const queue = inFile("src/queue/queue.ts", "test/queue/queue.test.ts");
const dequeue = inFile("src/queue/dequeue.ts", "test/queue/dequeue.test.ts");
const flowStore = inFile("src/store/flow.ts", "test/queue/dequeue.test.ts");
const group = inFile("src/flow/group.ts", "test/simulation/fault.test.ts");
const batch = inFile("src/store/writer/batch.ts", "test/store/writer/writer.test.ts");
const statement = inFile("src/store/writer/statement.ts", "test/store/writer/writer.test.ts");

export const QUEUE_MUTATIONS: readonly Mutation[] = [
  lane("two calls have entries of one key", "if (this.#working.has(key)) continue;", ""),
  lane(
    "a row that is everybody's is deleted without being taken",
    "if (entry.token === 0 && this.#processor.settles !== true) this.#behind = true;\n      else this.#add(entry);",
    "this.#add(entry);",
  ),
  lane(
    "an entry whose time has run out is worked on",
    "if (entry.token !== 0 && entry.token <= now) this.#behind = true;\n      else entries.push(entry);",
    "entries.push(entry);",
  ),
  lane("what has failed before goes with others", "const goesAlone = entry.attempts > 0;", "const goesAlone = false;"),
  lane(
    "what is for good takes along what shares its call",
    "if (entries.length === 1 || !(error instanceof PermanentFailure)) return this.#failed(entries, error);",
    "return this.#failed(entries, error);",
  ),
  lane(
    "what waits in memory has no bound",
    "if (this.#waiting.size < MOST_WAITING || this.#waiting.has(entry.key)) this.#waiting.set(entry.key, entry);",
    "if (this.#waiting.size >= 0) this.#waiting.set(entry.key, entry);",
  ),
  lane("a sweep that has no room is forgotten", "if (room <= 0) this.#behind = true;", ""),
  lane("what did not fit is not looked for", "else this.#behind = true;\n  }\n\n  #advance", "\n  }\n\n  #advance"),
  lane(
    "a topic with more rows than a sweep takes waits for the next",
    "if (taken.length === room) this.#behind = true;",
    "",
  ),
  lane("a failed row waits for a sweep", "this.#wake(Math.min(...later.map(({ time }) => time)));", ""),
  lane(
    "nobody looks again after an outage",
    "this.#wake(this.#clock.now() + Math.min(",
    "void (this.#clock.now() + Math.min(",
  ),
  lane(
    "a database that is away is asked ever as often",
    "FIRST_PAUSE * 2 ** this.#pauses++",
    "FIRST_PAUSE * 2 ** (this.#pauses++ * 0)",
  ),
  lane("more calls than a topic may have", "this.#calls.size < concurrency", "this.#calls.size < 1000"),
  lane("what waits at a stop stays held", "    await this.#release(waiting);\n", ""),
  lane("what does not end at a stop stays held", "    await this.#release([...this.#working.values()]);\n", ""),
  lane("a stop does not wait for calls", "await Promise.race([Promise.all(this.#calls), late.promise]);", ""),
  lane(
    "a row stays when it is acted on",
    "if (this.#processor.settles === true) return;",
    "if (this.#processor) return;",
  ),
  failure("what is for good is tried again", "error instanceof PermanentFailure || ", ""),
  failure("a row is tried for ever", "failures >= MOST_ATTEMPTS", "failures >= 10 * MOST_ATTEMPTS"),
  queue("what is announced waits for a sweep", "this.#lanes.get(topic)?.announce(ofTopic)", "void ofTopic"),
  outbox(
    "a taken row is everybody's",
    "UPDATE outbox SET next_time = ${now + hold}",
    "UPDATE outbox SET next_time = ${now}",
  ),
  outbox(
    "what is said of a row counts though somebody else has it",
    "AND outbox.next_time = t.token AND outbox.dead = 0",
    "",
  ),
  outbox(
    "a dead row is taken",
    "WHERE kind = ${topic} AND dead = 0 AND next_time <= ${now}",
    "WHERE kind = ${topic} AND next_time <= ${now}",
  ),
  outbox(
    "a row that is announced twice alike has one token",
    "next_time = CASE outbox.next_time WHEN excluded.next_time THEN 0 ELSE excluded.next_time END",
    "next_time = excluded.next_time",
  ),
  letter(
    "a refused run's letter is replayed with the others",
    "WHERE dead = 1 AND id > ${after} AND kind <> ${REFUSED} ${ofTopic}",
    "WHERE dead = 1 AND id > ${after} ${ofTopic}",
  ),
  letter("a replay stops after the first batch", "if (rows.length < REPLAY_BATCH) return total;", "return total;"),
  dequeue(
    "a workflow that can never be let go is tried again",
    "throw error instanceof RefusedWrite ? new PermanentFailure(error.message, { cause: error }) : error;",
    "throw error;",
  ),
  flowStore(
    "a fault of the database is taken for a workflow's",
    "if (!isRefusal(error)) throw error;",
    "if (error === undefined) throw error;",
  ),
  group(
    "a refused run leaves no dead letter",
    "this.#engine.store.writer.write(this.stamp, [letterOf(run, refusal)]);",
    "",
  ),
  group(
    "a word that a parked run can't carry out takes it up with every sweep",
    "this.#parked.has(key) && this.#isNews(key, words)",
    "this.#parked.has(key)",
  ),
  batch("a row is announced and dead in one statement", "outbox.delete(`${row.topic}:${row.key}`);", ""),
  statement(
    "an announcement that is held is everybody's",
    "next_time: bigint((row) => row.held ?? 0),",
    "next_time: bigint(() => 0),",
  ),
];
