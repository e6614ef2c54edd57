/**
 * The load of fault tests: runs of several shapes, whose shell steps append a line at their begin and at their end to
 * one file, so that the file tells what was really run and how often.
 *
 * A start is asked for with a request id until it is answered, however often the server dies meanwhile; what every
 * answer said is kept, for `check.ts` to compare with the rows.
 */
import { Client, Refused, type StartAnswer } from "../bench/client.ts";
import { step, workflow } from "../bench/workflow.ts";

/** A shape of runs and what must come of them. */
export interface Shape {
  readonly id: string;
  readonly end: "SUCCEEDED" | "FAILED";
  /** Attempts at each step, by how they end. */
  readonly steps: Readonly<Record<string, readonly string[]>>;
  readonly shell: ReadonlySet<string>;
}

const ONCE = ["SUCCEEDED"] as const;

export const SHAPES: readonly Shape[] = [
  {
    id: "fault-mix",
    end: "SUCCEEDED",
    steps: { begin: ONCE, first: ONCE, nap: ONCE, beside: ONCE, second: ONCE, join: ONCE, end: ONCE },
    shell: new Set(["first", "second", "beside"]),
  },
  {
    id: "fault-fail",
    end: "FAILED",
    steps: { begin: ONCE, fails: ["USER_FAILED", "FATALLY_FAILED"] },
    shell: new Set(["fails"]),
  },
  { id: "fault-nap", end: "SUCCEEDED", steps: { nap: ONCE, end: ONCE }, shell: new Set() },
  { id: "fault-quick", end: "SUCCEEDED", steps: { a: ONCE, b: ONCE, c: ONCE }, shell: new Set() },
];

const sleeping = (seconds: number) => ({ sleep_seconds: { type: "LONG", value: seconds } });

/** @param file where the lines go */
function script(file: string, seconds: number, status = 0): object {
  const who =
    '"$MAESTRO_WORKFLOW_ID $MAESTRO_WORKFLOW_INSTANCE_ID $MAESTRO_STEP_ID $MAESTRO_STEP_ATTEMPT_ID $MAESTRO_STEP_UUID"';
  const text = `echo "begin "${who} >>${file}\nsleep ${seconds}\necho "end "${who} >>${file}\nexit ${status}\n`;
  return { shell: { type: "MAP", value: { script: { type: "STRING", value: text } } } };
}

export function definitions(file: string): readonly object[] {
  const shell = (id: string, seconds: number, next: readonly string[]): object =>
    step(id, "shell", { params: script(file, seconds), next });
  const retry = {
    retry_policy: { error_retry_limit: 1, backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 1 } },
  };
  return [
    workflow(
      "fault-mix",
      [
        step("begin", "NoOp", { next: ["first", "beside"] }),
        shell("first", 0.4, ["nap"]),
        step("nap", "Sleep", { params: sleeping(1), next: ["second"] }),
        shell("beside", 1.5, ["join"]),
        shell("second", 0.2, ["join"]),
        step("join", "NoOp", { next: ["end"] }),
        step("end", "NoOp"),
      ],
      40,
    ),
    workflow(
      "fault-fail",
      [
        step("begin", "NoOp", { next: ["fails"] }),
        step("fails", "shell", { params: script(file, 0.3, 3), next: ["never"], more: retry }),
        step("never", "NoOp"),
      ],
      20,
    ),
    workflow("fault-nap", [step("nap", "Sleep", { params: sleeping(2), next: ["end"] }), step("end", "NoOp")], 10),
    workflow(
      "fault-quick",
      [step("a", "NoOp", { next: ["b"] }), step("b", "NoOp", { next: ["c"] }), step("c", "NoOp")],
      5,
    ),
  ];
}

/** Which server to ask at the moment. */
export interface Target {
  url(): string | undefined;
}

/** Milliseconds until a client asks again: the server may be stopped. */
const PATIENCE = 5_000;

export interface Accepted {
  readonly requestId: string;
  readonly workflow: string;
  readonly instance: number;
  readonly run: number;
  /** Each answer to the request: CREATED at most once, and all with the same ids. */
  readonly answers: readonly StartAnswer[];
}

/**
 * Asks for `count` runs, one every `pace` milliseconds; resolves when each has been answered. Without a pace they come
 * at once, and each client hangs up on its first request after a few milliseconds: its answer, if there is one, is lost.
 */
export async function startAll(target: Target, count: number, pace: number): Promise<Accepted[]> {
  const starts: Promise<Accepted>[] = [];
  for (let index = 0; index < count; index++) {
    const id = SHAPES[index % SHAPES.length]?.id ?? "";
    starts.push(startOne(target, id, { twice: index % 7 === 0, patience: pace > 0 ? PATIENCE : 2 + 6 * index }));
    if (pace > 0) await Bun.sleep(pace);
  }
  return Promise.all(starts);
}

interface Manner {
  /** Asks again after the first answer. */
  readonly twice: boolean;
  /** Milliseconds for the first try. */
  readonly patience: number;
}

async function startOne(target: Target, id: string, manner: Manner): Promise<Accepted> {
  const requestId = crypto.randomUUID();
  const answers: StartAnswer[] = [];
  for (let tries = 0; answers.length < (manner.twice ? 2 : 1); tries++) {
    const url = target.url();
    const patience = tries === 0 ? manner.patience : PATIENCE;
    const answer = url === undefined ? undefined : await tryStart(url, id, requestId, patience);
    if (answer === undefined) await Bun.sleep(50);
    else answers.push(answer);
  }
  const { workflow: name, instance, run } = answers[0] as StartAnswer;
  return { requestId, workflow: name, instance, run, answers };
}

/** @throws Refused when the server says that the request is wrong */
async function tryStart(
  url: string,
  id: string,
  requestId: string,
  patience: number,
): Promise<StartAnswer | undefined> {
  try {
    return await new Client(url).start(id, { requestId, patience });
  } catch (error) {
    if (error instanceof Refused && error.status < 500) throw error;
    return undefined;
  }
}

/** What clients were shown as final, by run: it must stay so. */
export class Observed {
  readonly ended = new Map<string, string>();
  /** Runs that were shown with another final status, or end, than before. */
  readonly contradictions: string[] = [];

  async look(url: string): Promise<void> {
    for (const { id } of SHAPES) {
      const answer = await fetch(`${url}/api/v3/runs?workflow_id=${id}&limit=200`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (!answer.ok) continue;
      const { elements } = (await answer.json()) as { readonly elements: readonly Listed[] };
      for (const run of elements) if (run.end_time !== undefined) this.#note(run);
    }
  }

  #note(run: Listed): void {
    const key = `${run.workflow_id} ${run.workflow_instance_id}`;
    const now = `${run.status} at ${run.end_time}`;
    const before = this.ended.get(key) ?? now;
    if (before !== now) this.contradictions.push(`${key} was ${before} and is ${now}`);
    this.ended.set(key, before);
  }
}

interface Listed {
  readonly workflow_id: string;
  readonly workflow_instance_id: number;
  readonly status: string;
  readonly end_time?: number;
}
