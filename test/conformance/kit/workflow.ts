/** A workflow of the scenario's own. */
import { ask, refuses, send } from "./client.ts";
import type { Params, Part } from "./definition.ts";
import { Run } from "./run.ts";
import type { Asked, StartBody } from "./wire.ts";

/** Ids of what was pushed, so that nothing is left running. */
const pushed = new Set<string>();

export interface WorkflowOverview {
  readonly nonterminal_instances: { readonly [status: string]: number };
  readonly failed_instances: number;
  readonly latest_instance_id?: number;
}

export class Workflow {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  get path(): string {
    return `/workflows/${this.id}`;
  }

  /** @returns what the server answers, whatever it is */
  ask(asked: Asked = {}, version = "latest"): Promise<StartBody> {
    return ask("POST", `${this.path}/versions/${version}/actions/start`, { initiator: { type: "manual" }, ...asked });
  }

  /** @throws Error unless the run is CREATED */
  async start(run_params: Params = {}, asked: Asked = {}, version = "latest"): Promise<Run> {
    const answer = await this.ask({ run_params, ...asked }, version);
    if (answer.status !== "CREATED") throw new Error(`expected the start to be CREATED; it is ${answer.status}`);
    return new Run(this.id, answer.workflow_instance_id, answer.workflow_run_id);
  }

  refusesStart(status: number, asked: Asked = {}, version = "latest"): Promise<void> {
    const body = { initiator: { type: "manual" }, ...asked };
    return refuses(status, "POST", `${this.path}/versions/${version}/actions/start`, body);
  }

  overview(): Promise<WorkflowOverview> {
    return ask("GET", `${this.path}/overview`);
  }

  async does(action: string): Promise<void> {
    await ask("PUT", `${this.path}/actions/${action}`);
  }

  async properties(update: Part): Promise<void> {
    await ask("POST", `${this.path}/properties`, update);
  }

  /** A new version. */
  async push(steps: readonly Part[], workflow: Part = {}, request: Part = {}): Promise<void> {
    await ask("POST", "/workflows", { workflow: { id: this.id, steps, ...workflow }, ...request });
  }

  refusesPush(status: number, steps: readonly Part[], workflow: Part = {}): Promise<void> {
    return refuses(status, "POST", "/workflows", { workflow: { id: this.id, steps, ...workflow } });
  }
}

/** An id that no other scenario has. */
export function freshId(name: string): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Pushes a new workflow with these steps.
 * @param workflow further fields of the definition
 * @param properties of the workflow, such as its run strategy
 */
export async function given(steps: readonly Part[], workflow: Part = {}, properties: Part = {}): Promise<Workflow> {
  const it = new Workflow(freshId("conf"));
  pushed.add(it.id);
  await it.push(steps, workflow, { properties: { owner: "tester", ...properties } });
  return it;
}

/** Kills what scenarios, those that failed among them, have left. */
export async function tidy(): Promise<void> {
  await Promise.all([...pushed].map((id) => send("PUT", `/workflows/${id}/actions/kill`)));
}
