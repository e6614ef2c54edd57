/** What attempts print: as text, or live as server-sent events. */
import { z } from "zod";
import { bytesOf, shownBytes } from "../../bytes.ts";
import { badRequest } from "../../error.ts";
import { stringifyJson } from "../../json.ts";
import { isTerminal } from "../../step/status.ts";
import { loadAttempt, loadRun } from "../../store/instance.ts";
import { readLog, type StoredLogChunk } from "../../store/log.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { choice, flag, integer } from "../parameter.ts";
import type { Services } from "../service.ts";
import { RE_READ, Wakeup } from "../wait.ts";
import { noAttempt } from "./step.ts";

/** Milliseconds between two signs of life on a quiet stream. */
const HEARTBEAT = 15_000;

interface Target {
  readonly runKey: number;
  readonly stepId: string;
  readonly attemptId: number;
  readonly uuid: string;
}

export function logRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: "/api/v3/workflows/{workflowId}/instances/{instanceId}/runs/{runId}/steps/{stepId}/attempts/{attempt}/logs",
      operationId: "getStepLogs",
      summary: "What an attempt has printed, as text or live",
      description:
        "With follow=true the answer is a stream of server-sent events: `chunk` with JSON `{stream, offset, text, time}` " +
        "under the chunk's id, and `end` once the attempt is over and all is sent. Last-Event-ID resumes. A byte that is no " +
        "text (UTF-8) is shown as `\\xff`; with raw=true the answer is the bytes as they were printed.",
      tag: "log",
      query: {
        follow: flag(false, "Server-sent events, until the attempt is over"),
        after: integer("Id of the last chunk that is known", { min: 0 }),
        raw: flag(false, "The bytes that were printed, not text; not with follow"),
        stream: choice("One of the two streams alone", ["stdout", "stderr"]),
      },
      reply: { description: "The text", schema: z.string(), contentType: "text/plain" },
      errors: ["NOT_FOUND"],
    },
    async (call, services, { follow, raw, stream, ...query }) => {
      if (follow && raw) throw badRequest("follow and raw exclude each other: a stream of events is text");
      const target = await find(call, services);
      const after = query.after ?? lastEventId(call) ?? 0;
      const wanted = (chunk: StoredLogChunk): boolean => stream === undefined || chunk.stream === stream;
      return follow
        ? followed(call, services, target, after, wanted)
        : printed(call, services, target, after, wanted, raw);
    },
  );
}

function lastEventId(call: Call): number | undefined {
  const text = call.request.headers.get("last-event-id");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function find(call: Call, { sql }: Services): Promise<Target> {
  const [workflowId, instanceId, runId] = [call.path("workflowId"), call.path("instanceId"), call.path("runId")];
  const [stepId, attemptId] = [call.path("stepId"), call.path("attempt")];
  const run = await loadRun(sql, workflowId, instanceId, runId);
  const attempt = run && (await loadAttempt(sql, run.key, stepId, attemptId));
  if (run === undefined || attempt === undefined) throw noAttempt(workflowId, instanceId, runId, stepId, attemptId);
  return { runKey: run.key, stepId, attemptId: attempt.attemptId, uuid: attempt.uuid };
}

type Filter = (chunk: StoredLogChunk) => boolean;

function printed(
  call: Call,
  { sql }: Services,
  { uuid }: Target,
  after: number,
  wanted: Filter,
  raw: boolean,
): Response {
  async function* pieces(): AsyncGenerator<string | Uint8Array> {
    for (let from = after; ; ) {
      const chunks = await readLog(sql, uuid, from);
      for (const chunk of chunks) if (wanted(chunk)) yield raw ? bytesOf(chunk.text) : shownBytes(chunk.text);
      const last = chunks.at(-1);
      if (last === undefined) return;
      from = last.id;
    }
  }
  return streamed(call, pieces(), raw ? "application/octet-stream" : "text/plain; charset=utf-8");
}

function followed(call: Call, services: Services, target: Target, after: number, wanted: Filter): Response {
  return streamed(
    call,
    events(call, services, target, after, wanted),
    "text/event-stream; charset=utf-8",
    call.request.method === "HEAD" ? undefined : call.keepOpen(),
  );
}

async function* events(
  call: Call,
  { sql, engine, clock }: Services,
  target: Target,
  after: number,
  wanted: Filter,
): AsyncGenerator<string> {
  const { signal } = call.request;
  const wakeup = new Wakeup(clock, signal, (listener) => engine.onLog(target.uuid, listener));
  let from = after;
  let quietSince = clock.now();
  try {
    yield ": open\n\n";
    while (!signal.aborted) {
      // The status before the log: what an ended attempt has printed is committed before its end.
      const attempt = await loadAttempt(sql, target.runKey, target.stepId, target.attemptId);
      const chunks = await readLog(sql, target.uuid, from);
      for (const chunk of chunks) if (wanted(chunk)) yield eventOf(chunk);
      from = chunks.at(-1)?.id ?? from;
      if (chunks.length > 0) {
        quietSince = clock.now();
        continue;
      }
      if (attempt === undefined || isTerminal(attempt.status)) {
        yield `event: end\ndata: ${stringifyJson({ status: attempt?.status ?? "DELETED" })}\n\n`;
        return;
      }
      if (clock.now() - quietSince >= HEARTBEAT) {
        quietSince = clock.now();
        yield ": quiet\n\n";
      }
      await wakeup.until(clock.now() + RE_READ);
    }
  } finally {
    wakeup.close();
  }
}

function eventOf({ id, stream, offset, text, time }: StoredLogChunk): string {
  return `id: ${id}\nevent: chunk\ndata: ${stringifyJson({ stream, offset, text: shownBytes(text), time })}\n\n`;
}

/**
 * Pulls the next piece when the client has taken the last one, for which it has as long as a connection may be silent.
 *
 * @param ended called once, however the stream ends
 */
function streamed(
  call: Call,
  pieces: AsyncGenerator<string | Uint8Array>,
  contentType: string,
  ended = () => {},
): Response {
  const headers = { "content-type": contentType, "cache-control": "no-store", "x-accel-buffering": "no" };
  // Nobody would pull or cancel.
  if (call.request.method === "HEAD") return new Response(null, { headers });
  const encoder = new TextEncoder();
  const end = async (): Promise<void> => {
    ended();
    await pieces.return(undefined);
  };
  call.request.signal.addEventListener("abort", () => void end());
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      call.takeTime();
      const { value, done } = await pieces.next().catch((error: unknown) => {
        ended();
        throw error;
      });
      call.hurry();
      if (done !== true) return controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
      ended();
      controller.close();
    },
    cancel: end,
  });
  return new Response(body, { headers });
}
