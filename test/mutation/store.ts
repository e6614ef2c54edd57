/** Of the writer: group commit, the fence, what is refused. */
import { inFile, type Mutation } from "./mutation.ts";

const writer = inFile("src/store/writer/writer.ts", "test/store/writer/writer.test.ts");
const batch = inFile("src/store/writer/batch.ts", "test/store/writer/batch.test.ts");
const pipeline = inFile("src/store/pipeline.ts", "test/store/writer/writer.test.ts");

const statement = inFile("src/store/writer/statement.ts", "test/store/writer/writer.test.ts");

const asked = inFile("src/store/fetch.ts", "test/store/fetch.test.ts");

export const STORE_MUTATIONS: readonly Mutation[] = [
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
  pipeline(
    "a fault of the database is taken for a row's",
    'return failureOf(error) === "permanent" && (typeof code !== "string" || DATA.test(code));',
    'return failureOf(error) === "permanent" && code !== "";',
  ),
  batch(
    "the first write of a row wins",
    "attempts.set(`${row.runKey}:${row.attempt.attemptId}:${row.attempt.stepId}`, row);",
    "{\n            const key = `${row.runKey}:${row.attempt.attemptId}:${row.attempt.stepId}`;\n            if (!attempts.has(key)) attempts.set(key, row);\n          }",
    "test/store/writer/writer.test.ts",
  ),
  statement(
    "a commit that is made again takes back what a user has marked",
    "AND run.status NOT IN ('FAILED_1', 'FAILED_2') RETURNING",
    "RETURNING",
  ),
  statement(
    "what is taken of one step takes the words to others with it",
    "AND run_word.step_id = coalesce(t.step_id, run_word.step_id)",
    "",
    "test/store/writer/twin.test.ts",
  ),
  writer(
    "what follows from a commit follows though it was fenced off",
    "this.#settle(request, new StaleOwner(request.stamp));",
    "this.#settle(request);",
  ),
  writer("a flush counts what comes after it", "if (request.number <= waiter.number) waiter.left--;", "waiter.left--;"),
  writer(
    "a flush waits for nothing that is being committed",
    "this.#waiting.push({ number: this.#number, left: this.#unsettled, resolve });",
    "this.#waiting.push({ number: this.#number, left: this.#queue.length, resolve });",
  ),
  writer(
    "a commit that was not heard of is not repeated",
    "else await this.#pause(tries++, result.error, left);",
    "else {\n        for (const request of left) this.#settle(request);\n        return;\n      }",
  ),
  writer("the refused half is committed first", "await this.#commit(requests.slice(0, middle));\n", ""),
  batch("keys that several nodes write are in any order", "shared.sort((a, b) => (a.key < b.key ? -1 : 1));", ""),
  batch(
    "a run's rows that are done have no run",
    'if ("runKey" in row) keys.add(row.runKey);',
    'if ("runKey" in row && row.kind === "attempt") keys.add(row.runKey);',
  ),
  asked("the oldest run of an iteration is read", "r.run_id DESC", "r.run_id"),
  asked("the first attempt of a run is read", "ORDER BY attempt_id DESC", "ORDER BY attempt_id"),
  asked("iterations beyond the loop's are read", "BETWEEN ${first} AND ${last}", "BETWEEN ${first} AND ${last} + 1"),
  asked(
    "values that are too large leave the database",
    "CASE WHEN size.chars <= ${maxChars} THEN",
    "CASE WHEN size.chars >= 0 THEN",
  ),
  asked("a param without a value of its own is read as its literal", ", '\"evaluated_time\":' || time::text", ""),
];
