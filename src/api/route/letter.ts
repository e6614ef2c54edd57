/** Dead letters: work that was announced and given up. An operator looks at them, replays or deletes them. */
import { MaestroError, notFound } from "../../error.ts";
import { isJsonObject } from "../../json.ts";
import { isRunTerminal, shownRunStatus } from "../../run/status.ts";
import type { Sql } from "../../store/connection.ts";
import { loadRun } from "../../store/instance.ts";
import {
  deleteLetter,
  isReplayable,
  type Letter,
  type LetterSummary,
  listLetters,
  loadLetter,
  replayLetter,
  replayLetters,
} from "../../store/letter.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { listQuery } from "../page.ts";
import { integer, type QueryValues, text } from "../parameter.ts";
import { letterListSchema, letterSchema, replayedSchema } from "../schema/letter.ts";
import type { Services } from "../service.ts";

const BASE = "/api/v3/dead-letters";

const topic = text("Only those of this topic");
const searchQuery = { topic, cursor: integer("The previous page's next_cursor", { min: 0 }), limit: listQuery.limit };
const replayQuery = { topic };

export function letterRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: BASE,
      operationId: "listDeadLetters",
      summary: "Dead letters, the newest first",
      description: "Without their payloads; goes on at `next_cursor`. An empty list is no error.",
      tag: "queue",
      query: searchQuery,
      reply: { description: "A page", schema: letterListSchema },
    },
    listed,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{letterId}`,
      operationId: "getDeadLetter",
      summary: "A dead letter",
      description: "With its payload.",
      tag: "queue",
      reply: { description: "The letter", schema: letterSchema },
      errors: ["NOT_FOUND"],
    },
    async (call, { sql }) => letterView(await found(sql, call.path("letterId"))),
  );
  router.add(
    {
      method: "delete",
      path: `${BASE}/{letterId}`,
      operationId: "deleteDeadLetter",
      summary: "Delete a dead letter",
      description: "What it announces is never done.",
      tag: "queue",
      caller: true,
      reply: { description: "The letter that was", schema: letterSchema },
      errors: ["NOT_FOUND"],
    },
    deleted,
  );
  replayRoutes(router);
}

function replayRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: `${BASE}/{letterId}/actions/replay`,
      operationId: "replayDeadLetter",
      summary: "Try again what a dead letter announces",
      description:
        "At once, with all its tries. What fails again is a dead letter again. A letter of topic `refused-run` says that a run " +
        "has failed since the database refused its rows: nothing can be replayed there, and the answer says what to do.",
      tag: "queue",
      caller: true,
      reply: { description: "It is tried again", schema: replayedSchema },
      errors: ["NOT_FOUND", "PRECONDITION_FAILED"],
    },
    replayed,
  );
  router.add(
    {
      method: "post",
      path: `${BASE}/actions/replay`,
      operationId: "replayDeadLetters",
      summary: "Try again what all dead letters announce, or those of a topic",
      description: "As each of them alone; those of topic `refused-run` stay as they are.",
      tag: "queue",
      caller: true,
      query: replayQuery,
      reply: { description: "How many are tried again", schema: replayedSchema },
    },
    replayedAll,
  );
}

async function listed(_call: Call, { sql }: Services, query: QueryValues<typeof searchQuery>) {
  const { topic, cursor, limit } = query;
  const letters = await listLetters(sql, { topic, before: cursor, limit: limit + 1 });
  const elements = letters.slice(0, limit);
  const last = elements.at(-1);
  return {
    elements: elements.map(summaryView),
    ...(letters.length > limit && last && { next_cursor: String(last.id) }),
  };
}

async function deleted(call: Call, { sql, log }: Services) {
  const id = call.path("letterId");
  const letter = await deleteLetter(sql, id);
  if (letter === undefined) throw noLetter(id);
  log.info("a dead letter is deleted", { topic: letter.topic, key: letter.key, user: call.user() });
  return letterView(letter);
}

async function replayed(call: Call, { sql, engine, log }: Services) {
  const id = call.path("letterId");
  const letter = await found(sql, id);
  if (!isReplayable(letter.topic)) throw await notReplayable(sql, letter);
  if (!(await replayLetter(sql, id))) throw noLetter(id);
  engine.hintOutbox();
  log.info("a dead letter is replayed", { topic: letter.topic, key: letter.key, user: call.user() });
  return { replayed: 1 };
}

async function replayedAll(call: Call, { sql, engine, log }: Services, { topic }: QueryValues<typeof replayQuery>) {
  const count = await replayLetters(sql, topic);
  if (count > 0) engine.hintOutbox();
  log.info("dead letters are replayed", { topic, count, user: call.user() });
  return { replayed: count };
}

/** @throws NOT_FOUND */
async function found(sql: Sql, id: number): Promise<Letter> {
  const letter = await loadLetter(sql, id);
  if (letter === undefined) throw noLetter(id);
  return letter;
}

const noLetter = (id: number): MaestroError =>
  notFound(`There is no dead letter [${id}]; it may have been replayed or deleted.`);

/** A refused run is a fact, and no work that waits: says what is left to do. */
async function notReplayable(sql: Sql, { id, key, payload }: Letter): Promise<MaestroError> {
  const told = isJsonObject(payload) ? payload : {};
  const { workflow_id: workflow, workflow_instance_id: instance, workflow_run_id: run } = told;
  const isRef = typeof workflow === "string" && typeof instance === "number" && typeof run === "number";
  const row = isRef ? await loadRun(sql, workflow, instance, run) : undefined;
  const status = row && shownRunStatus(row.status);
  const next =
    status === undefined
      ? "The run is not there any more: delete the letter."
      : isRunTerminal(status)
        ? `The run is ${status}. Mend what the letter's error says, restart instance [${instance}] of [${workflow}] (maestro run restart), then delete the letter.`
        : `The run is ${status}, and parked. Mend what the letter's error says, stop or kill the run, then delete the letter.`;
  return new MaestroError(
    "PRECONDITION_FAILED",
    `The dead letter [${id}] can't be replayed: the database refused rows of run ${key}.`,
    { details: [next] },
  );
}

const summaryView = (letter: LetterSummary) => ({
  id: letter.id,
  topic: letter.topic,
  key: letter.key,
  error: letter.error,
  attempts: letter.attempts,
  create_time: letter.createTime,
  dead_time: letter.deadTime,
});

const letterView = (letter: Letter) => ({
  ...summaryView(letter),
  ...(letter.payload !== undefined && { payload: letter.payload }),
});
