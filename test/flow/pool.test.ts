/** Which runs main's end of the engine threads knows to be under way, with a thread that the test plays. */
import { expect, test } from "bun:test";
import { EnginePool } from "../../src/flow/pool.ts";
import type { StartCommand, StartReply, ToEngine, ToMain } from "../../src/flow/protocol.ts";
import type { RunRef } from "../../src/run/model.ts";
import { Channel } from "../../src/runtime/channel.ts";

const GROUPS = [0, 1, 2, 3];

class Played {
  readonly ended: RunRef[] = [];
  readonly pool: EnginePool;
  /** Keys of runs that other nodes are told of. */
  readonly elsewhere: number[] = [];
  /** Keys of runs that the thread is told of. */
  readonly looked: number[] = [];
  /** Breakpoints that the thread is told of. */
  readonly breakpoints: Extract<ToEngine, { readonly type: "breakpoint" }>[] = [];
  /** What jobs report, as the thread is told of it. */
  readonly reports: Extract<ToEngine, { readonly type: "report" }>[] = [];
  readonly #thread: Channel<ToEngine, ToMain>;
  #reply: Partial<StartReply> = {};

  constructor() {
    this.pool = new EnginePool({
      threads: 1,
      session: "main",
      send: (_thread, frame) => this.#thread.accept(frame),
      elsewhere: (hints) => this.elsewhere.push(...hints.map(({ key }) => key)),
      ended: (runs) => this.ended.push(...runs),
      logged() {},
      stale() {},
    });
    this.#thread = new Channel<ToEngine, ToMain>({
      session: "thread",
      initiator: false,
      send: (frame) => this.pool.accept(0, frame),
      receive: (message) => this.#receive(message),
    });
    this.pool.own(GROUPS.map((groupId) => ({ groupId, generation: 1 })));
  }

  /** @param reply what the thread says of the run */
  start(run: RunRef, reply: Partial<StartReply>): Promise<StartReply> {
    this.#reply = { ...run, status: "CREATED", ...reply };
    return this.pool.start({ workflowId: run.workflowId } as StartCommand);
  }

  /** Resolves when main has it. */
  async say(message: ToMain): Promise<void> {
    this.#thread.post(message);
    // Frames go out at the end of a tick.
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
  }

  #receive(message: ToEngine): void {
    if (message.type === "start") {
      this.#thread.post({ type: "started", id: message.id, replies: [this.#reply as StartReply] });
    } else if (message.type === "breakpoint") this.breakpoints.push(message);
    else if (message.type === "report") this.reports.push(message);
    else if (message.type === "look") this.looked.push(...message.hints.map(({ key }) => key));
    else if (message.type === "disown") this.#thread.post({ type: "done", id: message.id });
  }
}

const ref = (instanceId: number) => ({ workflowId: "wf", instanceId, runId: 1 });
const known = ({ pool }: Played): number[] => [1, 2, 3, 4].filter((id) => pool.isRunning(ref(id)));

test("a run is known that was let go, and none that waits, was started before, or belongs to another node", async () => {
  const played = new Played();
  await played.pool.disown([3]);
  await played.start(ref(1), { groupId: 1 });
  await played.start(ref(2), {});
  await played.start(ref(3), { status: "DUPLICATED" });
  await played.start(ref(4), { groupId: 3 });
  expect(known(played)).toEqual([1]);
});

test("a run is not known any more once its end was told", async () => {
  const played = new Played();
  for (const id of [1, 2, 3]) await played.start(ref(id), { groupId: id });
  const ends = [ref(1), ref(3)];
  await played.say({ type: "ended", runs: ends });
  expect(played.ended).toEqual(ends);
  expect(known(played)).toEqual([2]);
});

test.each<[string, (played: Played) => unknown]>([
  ["given up", ({ pool }) => pool.disown([1])],
  ["lost", (played) => played.say({ type: "stale", groups: [1] })],
])("the runs of a group that is %s are not known any more", async (_how, end) => {
  const played = new Played();
  for (const id of [1, 2]) await played.start(ref(id), { groupId: id });
  await end(played);
  expect(known(played)).toEqual([2]);
});

test("no run is known when the pool is closed", async () => {
  const played = new Played();
  await played.start(ref(1), { groupId: 1 });
  played.pool.close();
  expect(known(played)).toEqual([]);
});

test("a hint goes to the thread that holds the group, or to other nodes; so does one that a thread has", async () => {
  const played = new Played();
  await played.pool.disown([3]);
  const hints = [1, 3].map((groupId) => ({ key: groupId * 10, groupId }));
  played.pool.look(hints);
  await played.say({ type: "hint", hints: [{ key: 31, groupId: 3 }] });
  expect([played.looked, played.elsewhere]).toEqual([[10], [30, 31]]);
});

test("a breakpoint is known when the thread has said so, or is gone", async () => {
  const played = new Played();
  const step = { internalId: 7, stepId: "s" };
  let known = 0;
  const told = [played.pool.addBreakpoint(step), played.pool.addBreakpoint(step)];
  for (const it of told) void it.then(() => known++);
  while (played.breakpoints.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect([known, played.breakpoints[0]?.step]).toEqual([0, step]);
  await played.say({ type: "done", id: played.breakpoints[0]?.id ?? 0 });
  await told[0];
  expect(known).toBe(1);
  played.pool.close();
  await Promise.all(told);
  await played.pool.addBreakpoint(step);
});

test("what a job reports goes to the thread that has its step, if this node has it", async () => {
  const played = new Played();
  const report = { groupId: 1, uuid: "u", workflowId: "w", reported: {} };
  const answer = played.pool.report(report);
  await played.say({ type: "ended", runs: [] });
  expect(played.reports).toEqual([{ type: "report", id: 1, report: JSON.stringify(report) }]);
  await played.say({ type: "reported", id: 1, answer: "late" });
  expect(await answer).toBe("late");
  expect(await played.pool.report({ ...report, groupId: 9 })).toBe("unknown");
  const cut = played.pool.report(report);
  played.pool.close();
  expect(await cut).toBe("unknown");
});
