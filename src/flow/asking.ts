/**
 * A step's questions to its surroundings: its evaluations, whoever guards its gates, and the calls to its runtime. Each has a number; whether it is
 * still open is for the step's state machine to say.
 */
import { toErrorData } from "../error.ts";
import { BUILTIN_RUNTIMES, type BuiltinRuntime } from "../runtime/builtin/index.ts";
import type { AttemptContext } from "../runtime/type.ts";
import { isGate } from "../step/gate.ts";
import { isNested } from "../step/node.ts";
import type { Answer, GateName, RuntimeCall } from "../step/state.ts";
import type { AttemptRuntime } from "./context.ts";
import { LEASE } from "./membership.ts";
import { contextOf, type TaskParent, type TaskView } from "./parent.ts";
import { type Ask, Evaluating, isCall, type Reply } from "./question.ts";

/** How long after it was asked for a commit says that a job may begin, ms: half a lease. */
const CERTAIN = LEASE / 2;

interface Asker extends TaskView {
  /** The question is open. */
  isAsking(id: number): boolean;
  answer(answer: Answer): void;
}

export class Asking {
  readonly #flow: TaskParent;
  readonly #task: Asker;

  constructor(flow: TaskParent, task: Asker) {
    this.#flow = flow;
    this.#task = task;
  }

  get #builtin(): BuiltinRuntime | undefined {
    const { typed } = this.#task.node;
    return typed && BUILTIN_RUNTIMES.get(typed.type);
  }

  /** The runtime works on this thread: its answers come at once. */
  get inPlace(): boolean {
    return this.#builtin !== undefined;
  }

  ask({ id, what, outputs, source, isEntered, isHard }: Ask): void {
    if (isCall(what)) this.#call(id, what, isHard === true);
    else if (isGate(what)) this.#askGuard(id, what, isEntered === true);
    else this.#evaluate(id, new Evaluating(this.#flow.engine.evaluation, what, outputs, source));
  }

  #evaluate(id: number, evaluating: Evaluating): void {
    if (!this.#task.isAsking(id)) return;
    const reply = evaluating.put(this.#flow.scope(this.#task.node, this.#task.attempt));
    if (!(reply instanceof Promise)) return this.#task.answer({ id, ...reply });
    void reply.then(() => this.#flow.post(() => this.#evaluate(id, evaluating)));
    this.#task.answer({ id, type: "deferred" });
  }

  /** The guard reads rows: those that this flow has handed over come first (D3). */
  #askGuard(id: number, gate: GateName, isEntered: boolean): void {
    const { gates } = this.#flow.engine;
    const step = { run: this.#flow.run, node: this.#task.node, attempt: this.#task.attempt };
    if (isEntered) this.#flow.write(gates.entering(gate, step));
    this.#flow.afterCommit(() => {
      if (!this.#task.isAsking(id)) return;
      gates.ask(gate, step).then(
        (answer) =>
          this.#later(
            typeof answer === "string" ? { id, type: "held", reason: answer } : { id, type: "opened", event: answer },
          ),
        (error) => this.#later({ id, type: "broken", message: toErrorData(error).message }),
      );
    });
  }

  #call(id: number, call: RuntimeCall, isHard: boolean): void {
    const builtin = this.#builtin;
    if (builtin) return this.#task.answer({ id, ...this.#callInPlace(builtin, call) });
    const runtime = this.#runtime();
    if ("unavailable" in runtime) return this.#task.answer({ id, type: "unavailable", reason: runtime.unavailable });
    this.#flow.track(this.#task);
    const { clock } = this.#flow.engine;
    const since = clock.elapsed();
    const invoke = (): void => {
      if (!this.#task.isAsking(id)) return;
      if (call === "start" && clock.elapsed() - since > CERTAIN) return this.#confirm(id);
      runtime[call](isHard).then(
        (result) => this.#later({ id, type: "answered", result }),
        (error) => this.#later({ id, type: "broken", message: toErrorData(error).message }),
      );
    };
    // The row that says where the job begins comes first (D2); what children were launched for, before more of them.
    if (call === "start" || isNested(this.#task.node)) this.#flow.afterCommit(invoke);
    else invoke();
  }

  #runtime(): AttemptRuntime | { readonly unavailable: string } {
    const { node } = this.#task;
    if (isNested(node)) return this.#flow.engine.nestedRuntime(this.#flow, this.#task);
    const runtime = this.#flow.engine.runtimeOf(node);
    if ("unavailable" in runtime) return runtime;
    const context = (): AttemptContext => ({
      ...contextOf(this.#flow, node, this.#task.attempt),
      callback: this.#flow.engine.callback(this.#flow.run, this.#task.attempt.uuid),
    });
    return {
      start: async () => runtime.start({ ...context(), ...this.#code() }),
      execute: () => runtime.execute(context()),
      terminate: () => runtime.terminate(context()),
    };
  }

  #code(): Pick<AttemptContext, "code"> {
    const { node, attempt } = this.#task;
    const code = this.#flow.engine.evaluation.code(this.#flow.scope(node, attempt));
    return code === undefined ? {} : { code };
  }

  /** The commit was heard of late: whoever owns the group by now may have ended the attempt. Another commit tells. */
  #confirm(id: number): void {
    this.#flow.post(() => {
      if (!this.#task.isAsking(id)) return;
      this.#flow.save(this.#task.attempt);
      this.#call(id, "start", false);
    });
  }

  #callInPlace(runtime: BuiltinRuntime, call: RuntimeCall): Reply {
    try {
      const context = contextOf(this.#flow, this.#task.node, this.#task.attempt);
      return { type: "answered", result: runtime[call](context, this.#flow.now) };
    } catch (error) {
      return { type: "failed", error: toErrorData(error) };
    }
  }

  #later(answer: Answer): void {
    this.#flow.post(() => this.#task.answer(answer));
  }
}
