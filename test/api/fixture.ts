/** The application on a database of its own, with an engine that only commits: nothing runs unless a test writes it. */
import { createApp } from "../../src/api/app.ts";
import type { EnginePort, StartCommand, StartReply } from "../../src/api/port.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { conflict, notFound } from "../../src/error.ts";
import type { StepRef, StoredRun } from "../../src/flow/port.ts";
import type { OutputReport } from "../../src/flow/protocol.ts";
import type { ReportAnswer } from "../../src/flow/reports.ts";
import { type Json, parseJson, stringifyJson } from "../../src/json.ts";
import { createLogger } from "../../src/log.ts";
import { dryRunContext, dryRunWorkflowParams } from "../../src/param/index.ts";
import { dryRunDefinition } from "../../src/run/dryrun.ts";
import type { Run, RunRef } from "../../src/run/model.ts";
import { runOverview } from "../../src/run/overview.ts";
import { planOf } from "../../src/run/plan.ts";
import type { StoredRunStatus } from "../../src/run/status.ts";
import { readToken, type TokenRef } from "../../src/runtime/token.ts";
import { logEvent } from "../../src/step/event.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { loadRun } from "../../src/store/instance.ts";
import { startRuns } from "../../src/store/start.ts";
import { loadVersion } from "../../src/store/version.ts";
import { loadWorkflow } from "../../src/store/workflow.ts";
import { RowWriter } from "../../src/store/writer/twin.ts";
import { Contract } from "../support/contract.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

export interface Answer {
  readonly status: number;
  /** Plain JSON, for comparisons. */
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers by name
  readonly body: any;
  readonly text: string;
  readonly headers: Headers;
}

/** Listeners for one kind of hint; tells when somebody begins or stops to listen. */
class Listeners {
  readonly #listeners = new Set<(row?: StoredRun) => void>();
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(listener: (row?: StoredRun) => void): () => void {
    this.#listeners.add(listener);
    this.#changed();
    return () => {
      this.#listeners.delete(listener);
      this.#changed();
    };
  }

  /** Resolves when so many listen. */
  listening(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    this.#changed();
    return promise;
  }

  /** @param row what comes along */
  hint(row?: StoredRun): void {
    for (const listener of this.#listeners) listener(row);
  }

  #changed(): void {
    for (const { count, resolve } of this.#waiting) if (count === this.#listeners.size) resolve();
  }
}

/** Calls that tests look at, and listeners that they call. */
export class FakeEngine implements EnginePort {
  /** Of the tokens that it knows. */
  static readonly key = "key";
  readonly actions: { readonly runKey: number; readonly groupId: number }[] = [];
  readonly dequeues: string[] = [];
  /** How often it was told that rows of the outbox are due. */
  outboxHints = 0;
  readonly told: { readonly runKey: number; readonly groupId: number; readonly stepId: string }[] = [];
  readonly breakpoints: string[] = [];
  readonly reports: OutputReport[] = [];
  /** What becomes of a report. */
  reportAnswer: ReportAnswer = "stored";
  templateChanges = 0;
  /** Every run counts as under way here. */
  hasRuns = false;
  readonly ended = new Listeners();
  readonly logs = new Listeners();
  #uuids = 0;
  readonly #db: FreshDatabase;

  constructor(db: FreshDatabase) {
    this.#db = db;
  }

  readToken(token: string): TokenRef | undefined {
    return readToken(FakeEngine.key, token);
  }

  async report(report: OutputReport): Promise<ReportAnswer> {
    this.reports.push(report);
    return this.reportAnswer;
  }

  async start({ workflowId, version, request, user }: StartCommand): Promise<StartReply> {
    const { sql } = this.#db;
    const row = await loadWorkflow(sql, workflowId);
    if (row === undefined) throw notFound(`no workflow ${workflowId}`);
    const versionId = version === "latest" ? row.latestVersion : Number(version);
    const [{ revision } = { revision: 0 }] = await sql<{ revision: number }[]>`
      SELECT revision FROM workflow WHERE workflow_id = ${workflowId}`;
    const workflow = (await loadVersion(sql, row.internalId, versionId))?.workflow;
    const run = { workflowId, owner: user, signals: new Set<string>(), triggerParams: new Set<string>() };
    const definition = { ...workflow?.params, ...request.runParams };
    const setting = { now: 1_700_000_000_000, seed: 1 };
    const dry = { ...run, definition, environment: "test" };
    dryRunContext(dry, setting);
    const params = dryRunWorkflowParams(dry, setting);
    const uuid = request.requestId ?? `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, "0")}`;
    const {
      outcomes: [outcome],
    } = await startRuns(sql, [
      {
        workflowId,
        internalId: row.internalId,
        revision,
        versionId,
        uuid,
        groupInfo: 8,
        initiator: request.initiator,
        config: {
          ...(request.runtimeTags && { runtime_tags: request.runtimeTags }),
          policy: "START_FRESH_NEW_RUN",
        },
        runParams: request.runParams ?? {},
        properties: { create_time: row.properties.create_time, owner: user },
        params,
        timeoutMs: undefined,
        status: "CREATED",
        requestTime: request.requestTime,
        artifacts: request.artifacts ?? {},
        timeline: [],
      },
    ]);
    const timelineEvent = logEvent(`Manually run a new workflow instance by a user [${user}]`, setting.now);
    if (outcome?.result === "PAUSED") throw conflict(`${workflowId} is paused`);
    if (outcome?.result !== "CREATED" && outcome?.result !== "STOPPED" && outcome?.result !== "DUPLICATED") {
      throw notFound(`no workflow ${workflowId}`);
    }
    const ref = outcome.result === "CREATED" ? outcome.run : outcome.ref;
    const { instanceId, runId } = ref;
    return { workflowId, instanceId, runId, versionId, uuid, status: outcome.result, timelineEvent };
  }

  hintRun(runKey: number, groupId: number): void {
    this.actions.push({ runKey, groupId });
  }

  hintSteps(steps: Parameters<EnginePort["hintSteps"]>[0]): void {
    this.told.push(...steps);
  }

  async breakpointAdded({ internalId, stepId }: StepRef): Promise<void> {
    this.breakpoints.push(`${internalId}:${stepId}`);
  }

  async templatesChanged(): Promise<void> {
    this.templateChanges++;
  }

  async dryRun(...[request, user, templates]: Parameters<EnginePort["dryRun"]>): Promise<void> {
    dryRunDefinition(request, user, { now: 1_700_000_000_000, seed: 1, environment: "test", templates });
  }

  hintDequeue(workflowIds: readonly string[]): void {
    this.dequeues.push(...workflowIds);
  }

  hintOutbox(): void {
    this.outboxHints++;
  }

  isRunning(): boolean {
    return this.hasRuns;
  }

  onRunEnded(_run: RunRef, listener: (row?: StoredRun) => void) {
    return this.ended.add(listener);
  }

  onLog(_uuid: string, listener: () => void) {
    return this.logs.add(listener);
  }

  stepTypes() {
    return [
      ...["NoOp", "Sleep", "Kubernetes", "Http", "Notebook", "Titus"].map((type) => ({ type, runnable: true })),
      { type: "shell", runnable: true, schema: { type: "object" } },
    ];
  }

  health() {
    return { ready: true, problems: [] };
  }
}

/** Time stands still, and timers fire at once: a wait without a hint ends immediately. */
const still = (now: () => number): Clock => ({
  ...systemClock,
  now,
  at(_time, callback) {
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
});

export async function apiFixture() {
  const db = await freshDatabase();
  const engine = new FakeEngine(db);
  let time = 1_700_000_000_000;
  const clock = still(() => ++time);
  const logged: string[] = [];
  const log = createLogger({ format: "json", level: "error", write: (line) => void logged.push(line) });
  const config = {
    version: "1.2.3",
    limits: { steps: 1000, definitionBytes: 262_144, bodyBytes: 1_000_000, requestSeconds: 10 },
  };
  const app = createApp({ db, engine, config, log, clock });

  async function send(method: string, path: string, init: { body?: string; headers?: Record<string, string> } = {}) {
    const headers = { user: "ann", ...(init.body === undefined ? {} : { "content-type": "application/json" }) };
    const request = new Request(`http://maestro.test${path}`, {
      method,
      ...init,
      headers: { ...headers, ...init.headers },
    });
    return app.fetch(request);
  }

  async function call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    const response = await send(method, path, {
      ...(body !== undefined && { body: typeof body === "string" ? body : stringifyJson(body) }),
      ...(headers && { headers }),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    const isJson = type.includes("json");
    if (isJson) await checkContract(method, path, response.status, type, JSON.parse(text));
    return { status: response.status, body: isJson ? parseJson(text) : text, text, headers: response.headers };
  }

  let contract: Contract | undefined;

  /** Every reply of every test fits the API document. */
  async function checkContract(method: string, path: string, status: number, type: string, body: unknown) {
    contract ??= new Contract(await (await app.request("/openapi.json")).json());
    const problem = contract.reply(method, path, status, type, body);
    if (problem !== undefined) throw new Error(`the reply does not fit the API document: ${problem}`);
  }

  return {
    db,
    sql: db.sql,
    engine,
    app,
    logged,
    send,
    call,
    skip(ms: number): void {
      time += ms;
    },
    ...writing(db),
  };
}

/** What the engine would write. */
function writing({ sql }: FreshDatabase) {
  const writer = new RowWriter(sql);

  async function own(run: Run): Promise<{ groupId: number; generation: number }> {
    await sql`INSERT INTO flow_group (id, node, generation) VALUES (${run.groupId}, 'test', 1)
      ON CONFLICT (id) DO UPDATE SET generation = 1`;
    return { groupId: run.groupId, generation: 1 };
  }

  async function write(run: Run, attempts: readonly StepAttempt[]): Promise<void> {
    const stamp = await own(run);
    writer.write(
      stamp,
      attempts.map((attempt) => ({ kind: "attempt", runKey: run.key, attempt })),
    );
    await writer.flush();
  }

  /** @param attempts all of the run's, if it ends */
  async function change(run: Run, status: StoredRunStatus, attempts?: readonly StepAttempt[]): Promise<void> {
    const stamp = await own(run);
    const definition = await loadVersion(sql, run.internalId, run.versionId);
    const total = definition === undefined ? 0 : planOf(run, definition.workflow).nodes.size;
    writer.write(stamp, [
      {
        kind: "run",
        key: run.key,
        change: {
          status,
          startTime: 1_700_000_000_100,
          endTime: attempts === undefined ? undefined : 1_700_000_000_900,
          modifyTime: 1_700_000_000_900,
          overview: attempts === undefined ? undefined : runOverview(run, total, attempts),
          artifacts: run.artifacts,
          timeline: [logEvent("Dequeued", 1_700_000_000_050)],
        },
      },
    ]);
    await writer.flush();
  }

  async function log(run: Run, uuid: string, offset: number, text: string): Promise<void> {
    const chunk = {
      uuid,
      stream: "stdout" as const,
      offset,
      length: Buffer.byteLength(text),
      text,
      time: 1_700_000_000_500,
    };
    writer.write(await own(run), [{ kind: "log", chunk }]);
    await writer.flush();
  }

  async function read(workflowId: string, instanceId = 1, runId: number | "latest" = "latest"): Promise<Run> {
    const run = await loadRun(sql, workflowId, instanceId, runId);
    if (run === undefined) throw new Error(`no run of ${workflowId}`);
    return run;
  }

  return { write, change, log, read };
}

export const noop = (id: string, successors?: Record<string, string>): Json => ({
  step: { id, type: "NoOp", ...(successors && { transition: { successors } }) },
});

export const definition = (id: string, ...steps: Json[]): { [key: string]: Json } => ({
  properties: { owner: "ann", run_strategy: "PARALLEL" },
  workflow: { id, steps: steps.length > 0 ? steps : [noop("a")] },
});
