/**
 * Starts runs: resolves the version, merges and evaluates the params, and hands all starts of the moment to the store
 * as one transaction. Natural batching: the next batch is whatever came in while the last one committed. It does not
 * launch anything; a run that the strategy lets go at once is given to `launch` with its plan.
 */
import { LRUCache } from "lru-cache";
import { nextTurn } from "../clock.ts";
import type { PropertiesSnapshot } from "../definition/properties.ts";
import type { Tag } from "../definition/tag.ts";
import { nameOf, type User } from "../definition/user.ts";
import type { Workflow } from "../definition/workflow.ts";
import { badRequest, conflict, type ErrorData, MaestroError, notFound, toErrorData } from "../error.ts";
import type { Run, RunProperties } from "../run/model.ts";
import type { PlannedRun, RunPlan } from "../run/plan.ts";
import { isOver } from "../run/status.ts";
import { timeoutOf } from "../run/timeout.ts";
import { detailsEvent, isProblem, logEvent, problemText } from "../step/event.ts";
import type { FlowContext } from "./context.ts";
import type { RecentlyEnded } from "./ended.ts";
import { Deferred } from "./evaluation.ts";
import type { EarlierRows, NewRun, StartOutcome, StartRefusal, WorkflowHead } from "./port.ts";
import type { RunCommand, StartCommand, StartReply, StartRequest } from "./protocol.ts";
import { reportRun, STOPPED_BY_STRATEGY } from "./report.ts";
import { prepareRestart, restartedBy } from "./restart.ts";
import { Breath, fitting, inBatch, type Pending, type Prepared, type StartUnit } from "./unit.ts";

/** Long expressions of one batch that are evaluated at a time: fewer than the evaluator remembers. */
const MOST_DEFERRED = 100;
/** Workflows whose head is kept: more than a batch has. */
const MOST_HEADS = 2_000;

export interface StartContext extends FlowContext {
  readonly recentlyEnded: RecentlyEnded;
  readonly groups: number;
  /** How long starts may hold the thread, ms. */
  readonly slice: number;
  /** @param before of a restart: what earlier runs have left */
  planFor(run: PlannedRun, before?: EarlierRows): Promise<RunPlan | undefined>;
  /** Groups that this thread has taken over so far. */
  readonly takeovers: number;
  /** @param asOf the take-overs when the store was asked to let the run go */
  launch(run: Run, plan: RunPlan, asOf: number): void;
  /** The run strategy holds a run of the workflow back. */
  queued(workflowId: string): void;
  /** These workflows may have room for queued runs. */
  dequeue(workflowIds: readonly string[]): void;
}

export class Starter {
  readonly #engine: StartContext;
  #waiting: StartUnit[] = [];
  /** Of workflows started before; the start's transaction finds out when one is out of date. */
  readonly #heads = new LRUCache<string, WorkflowHead>({ max: MOST_HEADS });
  #busy = false;

  constructor(engine: StartContext) {
    this.#engine = engine;
  }

  /** @throws MaestroError what was wrong with the request; INTERNAL_ERROR when the store cannot take it. */
  async start(command: RunCommand, evaluating: (isEvaluating: boolean) => void): Promise<StartReply> {
    const [reply] = await this.startBatch([command], evaluating);
    return reply as StartReply;
  }

  /**
   * Any number of requests of one workflow, decided in their order in one transaction; the replies have that order. None
   * is started when one of them is not good.
   * @throws MaestroError
   */
  async startBatch(
    commands: readonly RunCommand[],
    evaluating: (isEvaluating: boolean) => void,
  ): Promise<readonly StartReply[]> {
    const workflowId = commands[0]?.workflowId;
    if (workflowId === undefined) return [];
    const stray = commands.findIndex((command) => command.workflowId !== workflowId);
    if (stray >= 0) {
      const why = `a batch is of one workflow: [${workflowId}], not [${commands[stray]?.workflowId}] too`;
      throw inBatch(badRequest(why), stray, commands.length);
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly StartReply[]>();
    const requests = commands.map((command) => ({ id: this.#engine.newUuid(), command }));
    const state = { fresh: false, head: undefined, ready: [] };
    this.#queue({ workflowId, requests, ...state, evaluating, resolve, reject });
    return promise;
  }

  #queue(unit: StartUnit): void {
    this.#waiting.push(unit);
    if (this.#busy) return;
    this.#busy = true;
    // The messages that came together start together.
    queueMicrotask(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const units = this.#waiting.splice(0, fitting(this.#waiting));
      try {
        await this.#startAll(units);
      } catch (error) {
        for (const unit of units) unit.reject(error);
      }
    }
    this.#busy = false;
  }

  async #startAll(units: readonly StartUnit[]): Promise<void> {
    const read = await this.#readHeads(units);
    const ready: StartUnit[] = [];
    const breath = new Breath(this.#engine);
    for (const unit of units) {
      unit.fresh ||= read.has(unit.workflowId);
      if (await this.#prepareAll(unit, breath)) ready.push(unit);
    }
    if (ready.length === 0) return;
    await this.#engine.recentlyEnded.during(async () => {
      const asOf = this.#engine.takeovers;
      const decided = await this.#decide(ready);
      for (const [unit, outcomes] of decided) this.#answer(unit, outcomes);
      // The answers get out before the runs take the thread: a turn of the event loop to send them, after this one.
      await nextTurn(this.#engine.clock);
      await nextTurn(this.#engine.clock);
      for (const [unit, outcomes] of decided) {
        for (const [index, outcome] of outcomes.entries()) this.#launch(unit.ready[index] as Prepared, outcome, asOf);
      }
    });
  }

  /** One transaction for all. */
  async #decide(units: readonly StartUnit[]): Promise<ReadonlyMap<StartUnit, readonly StartOutcome[]>> {
    const runs = units.flatMap(({ ready }, number) => {
      const batch = ready.length > 1 ? number : undefined;
      return (ready as readonly Prepared[]).map(({ run }) => (batch === undefined ? run : { ...run, batch }));
    });
    const outcomes = [...(await this.#engine.store.startRuns(runs))];
    return new Map(units.map((unit) => [unit, outcomes.splice(0, unit.ready.length)]));
  }

  /** @returns false when the unit waits for long expressions, is refused, or begins anew */
  async #prepareAll(unit: StartUnit, breath: Breath): Promise<boolean> {
    const { requests, workflowId } = unit;
    const head = this.#heads.get(workflowId);
    if (head !== unit.head) Object.assign(unit, { head, ready: [] });
    const deferred: Promise<unknown>[] = [];
    for (let index = 0; index < requests.length && deferred.length < MOST_DEFERRED; index++) {
      if (unit.ready[index] !== undefined) continue;
      await breath.taken();
      try {
        unit.ready[index] = await this.#prepare(requests[index] as Pending, head);
      } catch (error) {
        if (error instanceof Deferred) deferred.push(error.settled);
        else {
          if (unit.fresh) unit.reject(inBatch(error, index, requests.length));
          else this.#again(unit);
          return false;
        }
      }
    }
    if (deferred.length === 0) return true;
    // A long expression does not delay the other starts of the moment: this one joins a later transaction.
    void this.#evaluated(unit, Promise.all(deferred));
    return false;
  }

  /** @returns the workflows whose heads are fresh */
  async #readHeads(units: readonly StartUnit[]): Promise<ReadonlySet<string>> {
    const wanted = new Set(units.map(({ workflowId }) => workflowId).filter((id) => !this.#heads.has(id)));
    if (wanted.size === 0) return wanted;
    for (const head of await this.#engine.store.heads([...wanted])) this.#heads.set(head.workflowId, head);
    return wanted;
  }

  async #evaluated(unit: StartUnit, settled: Promise<unknown>): Promise<void> {
    unit.evaluating(true);
    await settled;
    unit.evaluating(false);
    this.#queue(unit);
  }

  /** Once more, with the workflow as it is now. */
  #again(unit: StartUnit): void {
    this.#heads.delete(unit.workflowId);
    this.#queue(unit);
  }

  async #prepare(pending: Pending, head: WorkflowHead | undefined): Promise<Prepared> {
    const { command } = pending;
    if (!head) throw notFound(`Workflow [${command.workflowId}] has not been created yet or has been deleted`);
    if ("restart" in command) return { pending, ...(await prepareRestart(this.#engine, pending, command, head)) };
    const versionId = resolveVersion(command.version, head);
    const planned = { ...head, versionId, initiator: command.request.initiator, config: configOf(command.request) };
    const plan = await this.#engine.planFor(planned);
    if (!plan) throw notFound(`Cannot find version [${versionId}] of workflow [${command.workflowId}]`);
    return { pending, plan, run: this.#newRun(pending.id, command, head, versionId, plan.workflow) };
  }

  #newRun(id: string, command: StartCommand, head: WorkflowHead, versionId: number, workflow: Workflow): NewRun {
    const { request } = command;
    const now = this.#engine.clock.now();
    checkTags(workflow, request.runtimeTags);
    const uuid = request.requestId ?? this.#engine.newUuid();
    const base = {
      workflowId: head.workflowId,
      internalId: head.internalId,
      revision: head.revision,
      versionId,
      uuid,
      parent: request.child?.parent,
      groupInfo: request.child?.parent.groupInfo ?? this.#engine.groups,
      correlationId: request.child?.config.correlation_id,
      initiator: request.initiator,
      config: configOf(request),
      runParams: request.child?.passed ?? request.runParams ?? {},
      properties: runProperties(
        head.properties,
        request.child ? request.child.parent.tree : workflow.instance_step_concurrency,
        callerOf(command),
      ),
      requestTime: request.requestTime,
      artifacts: request.artifacts ?? {},
    };
    try {
      const { initiator, runParams, child } = request;
      const input = { id, workflow, head, initiator, inherited: child?.inherited, runParams, now };
      const params = this.#engine.evaluation.startParams(input);
      const interpolate = (text: string): string => this.#engine.evaluation.startText(input, params, text);
      const timeoutMs = timeoutOf(workflow.timeout, `workflow [${workflow.id}]`, interpolate);
      const warning = this.#engine.evaluation.undeclaredParams(input);
      const timeline = warning === undefined ? [] : [logEvent(warning, now, "WARN")];
      return { ...base, params, timeoutMs, status: "CREATED", timeline };
    } catch (error) {
      if (error instanceof Deferred) throw error;
      const data = asCallerError(error);
      if (!request.persistFailedRun) throw MaestroError.fromData(data);
      const timeline = [startedBy(command, now), detailsEvent(data, now)];
      return { ...base, params: { params: {} }, timeoutMs: undefined, status: "FAILED", timeline };
    }
  }

  #launch({ plan }: Prepared, outcome: StartOutcome, asOf: number): void {
    if (outcome.result !== "CREATED" || isOver(outcome.run)) return;
    if (outcome.run.executionId === undefined) {
      this.#engine.queued(outcome.run.workflowId);
      // A restart takes a failed run out of the way of those that wait.
      if (outcome.run.runId > 1) this.#engine.dequeue([outcome.run.workflowId]);
    } else this.#engine.launch(outcome.run, plan, asOf);
  }

  /** Of a run that is over with its start. */
  #reportEnd(outcome: Accepted): void {
    const { log } = this.#engine;
    if (outcome.result === "STOPPED") return reportRun(log, outcome.ref, "STOPPED", STOPPED_BY_STRATEGY);
    if (outcome.result !== "CREATED" || !isOver(outcome.run)) return;
    const reason = outcome.run.timeline.filter(isProblem).map(problemText).join("\n");
    reportRun(log, outcome.run, outcome.run.status, reason);
  }

  #answer(unit: StartUnit, outcomes: readonly StartOutcome[]): void {
    for (const outcome of outcomes) if (outcome.result === "STALE") this.#engine.lost(outcome.stamp);
    const refused = outcomes.findIndex((outcome) => isRefusal(outcome) && outcome.result !== "CHANGED");
    if (refused >= 0) {
      const { run } = unit.ready[refused] as Prepared;
      const error = refusalOf(outcomes[refused] as Refused, run);
      return unit.reject(inBatch(error, refused, outcomes.length));
    }
    if (outcomes.some(isRefusal)) return this.#again(unit);
    unit.resolve(outcomes.map((outcome, index) => this.#reply(unit.ready[index] as Prepared, outcome as Accepted)));
  }

  #reply({ pending, run }: Prepared, outcome: Accepted): StartReply {
    const made = outcome.result === "CREATED" ? outcome.run : { ...outcome.ref, versionId: outcome.versionId };
    this.#reportEnd(outcome);
    const { workflowId, instanceId, runId, versionId } = made;
    return {
      workflowId,
      instanceId,
      runId,
      versionId,
      uuid: run.uuid,
      status: outcome.result,
      timelineEvent: startedBy(pending.command, run.requestTime),
      ...(outcome.result === "CREATED" && holder(outcome.run)),
    };
  }
}

type Refused = Exclude<StartRefusal, { readonly result: "CHANGED" }>;

type Accepted = Exclude<StartOutcome, StartRefusal>;

const isRefusal = (outcome: StartOutcome): outcome is StartRefusal =>
  outcome.result !== "CREATED" && outcome.result !== "STOPPED" && outcome.result !== "DUPLICATED";

function refusalOf(refusal: Refused, { workflowId, restartOf }: NewRun): MaestroError {
  const instance = `instance [${workflowId}][${restartOf}]`;
  switch (refusal.result) {
    case "MISSING":
      return notFound(`Cannot find ${instance}: it was never started or has been deleted`);
    case "UNFINISHED":
      return badRequest(
        `Cannot restart ${instance}: its run [${refusal.ref.runId}] has not ended. Stop it, or wait for it`,
      );
    case "PAUSED":
      return conflict(
        `Workflow [${workflowId}] is paused, and its run strategy does not queue runs: resume the workflow, or change the strategy`,
      );
    case "STALE":
      return conflict("Another node owns the run whose step starts this one");
  }
}

/** A run that the run strategy holds back has no owner yet. */
const holder = ({ groupId, executionId }: Run) => executionId !== undefined && { groupId };

const configOf = ({ runtimeTags, child }: StartRequest): Run["config"] => ({
  ...(runtimeTags && { runtime_tags: runtimeTags }),
  ...child?.config,
  policy: "START_FRESH_NEW_RUN",
});

/** `active`, `latest`, `default` in any case, or a positive number that exists. */
function resolveVersion(text: string, head: WorkflowHead): number {
  switch (text.toLowerCase()) {
    case "active":
      if (head.activeVersion > 0) return head.activeVersion;
      throw notFound(`Cannot find an active version for workflow [${head.workflowId}]`);
    case "latest":
      return head.latestVersion;
    case "default":
      return head.activeVersion > 0 ? head.activeVersion : head.latestVersion;
  }
  const version = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (version > 0) return version;
  throw badRequest(`Invalid workflow version [${text}]: write active, latest, default or a positive number`, [
    `version [${text}] is none of active, latest, default or a positive number`,
  ]);
}

function checkTags(workflow: Workflow, runtimeTags: readonly Tag[] | undefined): void {
  const names = new Set(workflow.tags?.map((tag) => tag.name));
  for (const tag of runtimeTags ?? []) {
    if (names.has(tag.name))
      throw badRequest(`runtime_tags: workflow [${workflow.id}] has the tag [${tag.name}] already`);
    names.add(tag.name);
  }
}

const runProperties = (
  snapshot: PropertiesSnapshot,
  tree: RunProperties["instance_step_concurrency"],
  caller: string | undefined,
): RunProperties => ({
  create_time: snapshot.create_time,
  owner: nameOf(snapshot.owner as User),
  ...(snapshot.run_as === "CALLER" && { run_as: "CALLER", ...(caller !== undefined && { user: caller }) }),
  ...(snapshot.alerting && { alerting: snapshot.alerting }),
  ...(snapshot.step_concurrency !== undefined && { step_concurrency: snapshot.step_concurrency }),
  ...(tree !== undefined && { instance_step_concurrency: tree }),
  ...(snapshot.tags && { tags: snapshot.tags }),
});

/** Who has started the run: the user, or whoever the step runs as that has. A trigger is nobody. */
function callerOf({ request, user }: StartCommand): string | undefined {
  if (request.child) return request.child.parent.user;
  return request.initiator.type === "MANUAL" ? user : undefined;
}

/** Params that cannot be evaluated are the caller's mistake, whatever went wrong underneath. */
function asCallerError(error: unknown): ErrorData {
  const data = toErrorData(error);
  return data.code === "INTERNAL_ERROR" ? { ...data, code: "BAD_REQUEST" } : data;
}

function startedBy(command: RunCommand, now: number) {
  if ("restart" in command) return restartedBy(command.user, now);
  const { request, user } = command;
  const { initiator } = request;
  if (initiator.type === "MANUAL") return logEvent(`Manually run a new workflow instance by a user [${user}]`, now);
  if (initiator.type === "TIME" || initiator.type === "SIGNAL") {
    const trigger = `${initiator.type}-based trigger`;
    return logEvent(`${trigger} runs a new workflow instance by trigger uuid [${initiator.trigger_uuid}]`, now);
  }
  return logEvent(`${initiator.type} step runs a new workflow instance`, now);
}
