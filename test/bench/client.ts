/** A small HTTP client of one server, as a program that uses the API would write it: keep-alive, JSON, long polls. */

export interface RunAddress {
  readonly workflow: string;
  readonly instance: number;
  readonly run: number;
}

/** What of a run's answer is looked at here. */
export interface RunAnswer {
  readonly status: string;
  readonly request_time: number;
  readonly start_time?: number;
  readonly end_time?: number;
}

export interface StepAnswer {
  readonly step_id: string;
  readonly step_attempt_id: number;
  readonly step_instance_id: number;
  readonly runtime_state: { readonly status: string } & { readonly [time: string]: number };
}

export interface StartAnswer extends RunAddress {
  readonly status: string;
}

interface WireStart {
  readonly status: string;
  readonly workflow_instance_id: number;
  readonly workflow_run_id: number;
}

/** An answer that is no success. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, body: string) {
    super(`HTTP ${status}: ${body.slice(0, 500)}`);
    this.status = status;
  }
}

export interface StartOptions {
  readonly requestId?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Milliseconds until the client gives up. For ever when absent. */
  readonly patience?: number;
}

export class Client {
  readonly url: string;

  constructor(url: string) {
    this.url = `${url}/api/v3/workflows`;
  }

  /** @throws Refused; TypeError and others of fetch when the server cannot be reached */
  async request<T>(method: string, path: string, body?: unknown, patience?: number): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: { "content-type": "application/json", user: "bench" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(patience === undefined ? {} : { signal: AbortSignal.timeout(patience) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, text);
    return JSON.parse(text) as T;
  }

  async push(definition: object): Promise<void> {
    await this.request("POST", "", definition);
  }

  async start(workflow: string, { requestId, params, patience }: StartOptions = {}): Promise<StartAnswer> {
    const body = {
      initiator: { type: "manual" },
      request_time: Date.now(),
      ...(requestId === undefined ? {} : { request_id: requestId }),
      ...(params === undefined ? {} : { run_params: params }),
    };
    const path = `/${workflow}/versions/active/actions/start`;
    const answer = await this.request<WireStart>("POST", path, body, patience);
    const { status, workflow_instance_id: instance, workflow_run_id: run } = answer;
    return { workflow, instance, run, status };
  }

  /** @param wait seconds to wait for the run's end */
  run(address: RunAddress, wait = 0): Promise<RunAnswer> {
    return this.request("GET", `${path(address)}?enriched=false&wait=${wait}`);
  }

  steps(address: RunAddress): Promise<StepAnswer[]> {
    return this.request("GET", `${path(address)}/steps`);
  }

  /** Starts a run and waits for its success. @throws Error when it ends otherwise */
  async succeed(workflow: string, options: StartOptions = {}): Promise<RunAddress> {
    const started = await this.start(workflow, options);
    const { status } = await this.run(started, 60);
    if (status !== "SUCCEEDED") throw new Error(`${workflow} ${started.instance} is ${status}`);
    return started;
  }
}

const path = ({ workflow, instance, run }: RunAddress): string => `/${workflow}/instances/${instance}/runs/${run}`;

/** Calls `work` with 0…count−1, at most `width` at a time. */
export async function concurrently(
  count: number,
  width: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
