/** Runs and their steps, as a client sees and moves them. */
import { ask, eventually, refuses, send } from "./client.ts";
import type { Params } from "./definition.ts";
import type { ActionBody, Aggregate, Asked, RestartPolicy, RunBody, StartBody, StepBody } from "./wire.ts";

const ENDED: readonly string[] = ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"];

const statusOf = (run: RunBody): string => run.status;

/** Id, status, and the last line of its timeline. */
const stepLine = (step: StepBody | undefined): string =>
  step === undefined
    ? "not created"
    : `${step.step_id}: ${step.runtime_state.status} ${step.timeline?.at(-1)?.message ?? ""}`;

export class Run {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;

  constructor(workflowId: string, instanceId: number, runId: number) {
    this.workflowId = workflowId;
    this.instanceId = instanceId;
    this.runId = runId;
  }

  get #instance(): string {
    return `/workflows/${this.workflowId}/instances/${this.instanceId}`;
  }

  /** Of the run, below `/api/v3`. */
  get path(): string {
    return `${this.#instance}/runs/${this.runId}`;
  }

  read(query = ""): Promise<RunBody> {
    return ask("GET", `${this.path}${query}`);
  }

  step(id: string): Step {
    return new Step(this, id);
  }

  /** @throws Error with the status of every step when it ends otherwise */
  async ends(status: string): Promise<RunBody> {
    const body = await eventually(
      `the run ${this.path} to end ${status}`,
      () => this.read("?wait=5"),
      (it) => ENDED.includes(it.status),
      statusOf,
    );
    if (body.status === status) return body;
    const lines = (await this.steps()).map(stepLine);
    throw new Error(`expected ${this.path} to end ${status}; it ended ${body.status}\n  ${lines.join("\n  ")}`);
  }

  /** Waits until the run is so. */
  reaches(status: string): Promise<RunBody> {
    const expected = `the run ${this.path} to be ${status}`;
    return eventually(expected, this.read.bind(this, ""), (it) => it.status === status, statusOf);
  }

  /** The newest attempt of each step that this run has created. */
  async steps(): Promise<readonly StepBody[]> {
    const { status, text } = await send("GET", `${this.path}/steps`);
    if (status === 404) return [];
    if (status !== 200) throw new Error(`GET ${this.path}/steps: ${status} ${text}`);
    return JSON.parse(text) as StepBody[];
  }

  /** Status of each step that this run has created. */
  async statuses(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries((await this.steps()).map((it) => [it.step_id, it.runtime_state.status]));
  }

  /** The instance over all its runs. */
  async aggregate(): Promise<Aggregate> {
    const body = await ask<RunBody>("GET", this.#instance);
    if (body.aggregated_info === undefined) throw new Error(`GET ${this.#instance} has no aggregated_info`);
    return body.aggregated_info;
  }

  /** Status of each step over all runs of the instance. */
  async overall(): Promise<Readonly<Record<string, string>>> {
    const views = Object.entries((await this.aggregate()).step_aggregated_views);
    return Object.fromEntries(views.map(([id, view]) => [id, view.status]));
  }

  stop(): Promise<ActionBody> {
    return ask("PUT", `${this.path}/actions/stop`);
  }

  kill(): Promise<ActionBody> {
    return ask("PUT", `${this.path}/actions/kill`);
  }

  unblock(): Promise<ActionBody> {
    return ask("PUT", `${this.path}/actions/unblock`);
  }

  /** @returns the new run of the same instance */
  async restart(policy: RestartPolicy, asked: Asked = {}): Promise<Run> {
    const body = { restart_policy: policy, ...asked };
    const answer = await ask<StartBody>("POST", `${this.#instance}/actions/restart`, body);
    if (answer.status !== "CREATED") throw new Error(`expected the restart to be CREATED; it is ${answer.status}`);
    return new Run(this.workflowId, this.instanceId, answer.workflow_run_id);
  }

  refusesRestart(status: number, policy: string, asked: Asked = {}): Promise<void> {
    return refuses(status, "POST", `${this.#instance}/actions/restart`, { restart_policy: policy, ...asked });
  }

  /** The run that is the newest of the instance now. */
  async latest(): Promise<Run> {
    const body = await ask<RunBody>("GET", `${this.#instance}/runs/latest`);
    return new Run(this.workflowId, this.instanceId, body.workflow_run_id);
  }

  refuses(status: number, action: string): Promise<void> {
    return refuses(status, "PUT", `${this.path}/actions/${action}`);
  }
}

interface Restarted {
  readonly workflow_run_id: number;
  readonly step_attempt_id?: number;
  readonly status: string;
}

export interface StepRestart {
  readonly policy?: RestartPolicy;
  readonly params?: Params;
  readonly upstream_restart_mode?: string;
  /** Waits for the effect, as by default over HTTP. */
  readonly blocking?: boolean;
}

export class Step {
  readonly run: Run;
  readonly id: string;

  constructor(run: Run, id: string) {
    this.run = run;
    this.id = id;
  }

  /** Actions name the instance; they mean its newest run. */
  get #path(): string {
    return `/workflows/${this.run.workflowId}/instances/${this.run.instanceId}/steps/${this.id}`;
  }

  /** Of the attempt, below `/api/v3`. */
  attemptPath(attempt: number | "latest" = "latest"): string {
    return `${this.run.path}/steps/${this.id}/attempts/${attempt}`;
  }

  /** @throws Error when there is no such attempt */
  read(attempt: number | "latest" = "latest"): Promise<StepBody> {
    return ask("GET", this.attemptPath(attempt));
  }

  async status(): Promise<string | undefined> {
    return (await this.run.statuses())[this.id];
  }

  /** Waits until the newest attempt is so. @returns it */
  async reaches(...statuses: readonly string[]): Promise<StepBody> {
    const expected = `step ${this.id} of ${this.run.path} to be ${statuses.join(" or ")}`;
    await eventually(expected, this.status.bind(this), (it) => it !== undefined && statuses.includes(it));
    return this.read();
  }

  /** Waits until there is such an attempt, in such a status. */
  async attemptReaches(attempt: number, ...statuses: readonly string[]): Promise<void> {
    const look = async (): Promise<string> => {
      const step = (await this.run.steps()).find((it) => it.step_id === this.id);
      return step === undefined ? "none" : `attempt ${step.step_attempt_id} ${step.runtime_state.status}`;
    };
    const wanted = statuses.map((status) => `attempt ${attempt} ${status}`);
    await eventually(`step ${this.id} of ${this.run.path}: ${wanted.join(" or ")}`, look, (it) => wanted.includes(it));
  }

  /** What the params evaluated to. */
  async value(name: string): Promise<unknown> {
    return (await this.read()).params[name]?.evaluated_result;
  }

  /** Waits for the effect, as by default over HTTP. */
  async does(action: "stop" | "kill" | "skip" | "bypass", query = ""): Promise<void> {
    await ask("PUT", `${this.#path}/actions/${action}${query}`);
  }

  refuses(status: number, action: string): Promise<void> {
    return refuses(status, "PUT", `${this.#path}/actions/${action}`);
  }

  /** Declares it done. */
  async succeed(outputs?: Params): Promise<void> {
    await ask("PUT", `${this.#path}/actions/succeed`, { outputs });
  }

  refusesSuccess(status: number, outputs?: Params): Promise<void> {
    return refuses(status, "PUT", `${this.#path}/actions/succeed`, { outputs });
  }

  async restart(how: StepRestart = {}): Promise<Restarted> {
    const { policy = "RESTART_FROM_INCOMPLETE", params, upstream_restart_mode, blocking = true } = how;
    const body = { restart_policy: policy, step_run_params: params, upstream_restart_mode };
    return await ask("POST", `${this.#path}/actions/restart${blocking ? "" : "?blocking=false"}`, body);
  }

  /** Restarts a step of an ended run. @returns the new run */
  async restartRun(how: StepRestart = {}): Promise<Run> {
    const { workflow_run_id } = await this.restart(how);
    return new Run(this.run.workflowId, this.run.instanceId, workflow_run_id);
  }

  refusesRestart(
    status: number,
    policy: RestartPolicy = "RESTART_FROM_INCOMPLETE",
    step_run_params?: Params,
  ): Promise<void> {
    return refuses(status, "POST", `${this.#path}/actions/restart`, { restart_policy: policy, step_run_params });
  }

  /** Waits for the child that a subworkflow step has launched. */
  async child(): Promise<Run> {
    const body = await this.#artifact("its child", (it) => it.artifacts?.maestro_subworkflow !== undefined);
    const artifact = body.artifacts?.maestro_subworkflow;
    if (artifact === undefined) throw new Error("unreachable");
    return new Run(artifact.subworkflow_id, artifact.subworkflow_instance_id, artifact.subworkflow_run_id);
  }

  /** Waits for a loop step to have begun. @returns the id of its inline workflow */
  async body(): Promise<string> {
    const idOf = ({ artifacts }: StepBody): string | undefined =>
      artifacts?.maestro_foreach?.foreach_workflow_id ?? artifacts?.maestro_while?.loop_workflow_id;
    return idOf(await this.#artifact("its loop", (it) => idOf(it) !== undefined)) ?? "";
  }

  /** Waits for an iteration. @param number from 1 on @param run the newest run of the iteration when absent */
  async iteration(number: number, run?: number): Promise<Run> {
    const inline = await this.body();
    const look = async (): Promise<readonly number[]> => {
      const page = await ask<{ elements: readonly RunBody[] }>(
        "GET",
        `/workflows/${inline}/instances/${number}/runs?first=50`,
      );
      return page.elements.map((it) => it.workflow_run_id);
    };
    const expected = `iteration ${number}${run === undefined ? "" : `, run ${run},`} of step ${this.id}`;
    const runs = await eventually(expected, look, (it) => (run === undefined ? it.length > 0 : it.includes(run)));
    return new Run(inline, number, run ?? Math.max(...runs));
  }

  /** Status of each iteration's newest run, in order. */
  async iterations(): Promise<readonly string[]> {
    const path = `/workflows/${await this.body()}/instances?first=200`;
    const { elements } = await ask<{ elements: readonly RunBody[] }>("GET", path);
    return [...elements].sort((a, b) => a.workflow_instance_id - b.workflow_instance_id).map((it) => it.status);
  }

  async #artifact(what: string, holds: (body: StepBody) => boolean): Promise<StepBody> {
    const look = async (): Promise<StepBody | undefined> => {
      const step = (await this.run.steps()).find((it) => it.step_id === this.id);
      return step && (await this.read());
    };
    const found = await eventually(
      `step ${this.id} of ${this.run.path} to show ${what}`,
      look,
      (it) => (it === undefined ? false : holds(it)),
      stepLine,
    );
    if (found === undefined) throw new Error("unreachable");
    return found;
  }
}
