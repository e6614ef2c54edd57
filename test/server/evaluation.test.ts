import { afterEach, describe, expect, test } from "bun:test";
import { EvaluationClient } from "../../src/server/evaluation/client.ts";
import { EvaluationHost } from "../../src/server/evaluation/host.ts";
import type { EvaluationSetup, Question } from "../../src/server/evaluation/protocol.ts";

/** A thread that answers when the test says so. */
class FakeWorker {
  onmessage: ((event: { readonly data: string }) => void) | undefined;
  readonly questions: string[] = [];
  terminated = false;

  postMessage(text: string): void {
    if (!text.startsWith("0 ")) this.questions.push(text);
  }

  terminate(): void {
    this.terminated = true;
  }

  /** Answers its oldest question. */
  answer(value: unknown): void {
    const text = this.questions.shift() ?? "";
    this.onmessage?.({ data: `${Number.parseInt(text, 10)} ${JSON.stringify({ value })}` });
  }
}

const question = { kind: "text" } as unknown as Question;
let host: EvaluationHost | undefined;
afterEach(() => host?.stop());

function open(stuckAfter = 60_000) {
  const workers: FakeWorker[] = [];
  const started: ((worker: FakeWorker) => void)[] = [];
  let restarts = 0;
  const made = new EvaluationHost({
    setup: {} as EvaluationSetup,
    stuckAfter,
    onRestart: () => void restarts++,
    spawn: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      started.shift()?.(worker);
      return worker as unknown as Worker;
    },
  });
  host = made;
  const client: EvaluationClient = new EvaluationClient((text) => made.ask(text, (answer) => client.receive(answer)));
  const nextWorker = (): Promise<FakeWorker> => new Promise((resolve) => started.push(resolve));
  const at = (index: number): FakeWorker => workers[index] as FakeWorker;
  return { host: made, client, at, nextWorker, restarts: () => restarts };
}

describe("evaluation threads", () => {
  test("a thread has one question at a time; answers reach whoever asked", async () => {
    const { client, at } = open();
    const [first, second] = [client.ask(question), client.ask(question)];
    expect(at(0).questions).toHaveLength(1);
    at(0).answer("one");
    expect(await first).toBe("one");
    at(0).answer("two");
    expect(await second).toBe("two");
  });

  test("what waits behind a long expression gets a thread of its own", async () => {
    const { host, client, nextWorker } = open();
    const more = nextWorker();
    const long = client.ask(question);
    const short = client.ask(question);
    const other = await more;
    await new Promise((resolve) => setImmediate(resolve));
    other.answer("short");
    expect(await short).toBe("short");
    expect(host.threads).toBe(2);
    expect(await Promise.race([long, Promise.resolve("still waiting")])).toBe("still waiting");
  });

  test("a stuck thread is replaced, and only its own question fails", async () => {
    const { client, at, nextWorker, restarts } = open(20);
    const long = client.ask(question);
    const replacement = nextWorker();
    expect(await long.catch((error: Error) => error.message)).toContain("did not end in time");
    await replacement;
    expect(at(0).terminated).toBe(true);
    expect(restarts()).toBe(1);
    const next = client.ask(question);
    at(1).answer("fine");
    expect(await next).toBe("fine");
  });
});
