/** Between a task and the flow it belongs to: what each sees of the other. */
import type { RestartConfig } from "../definition/restart.ts";
import type { Json } from "../json.ts";
import { secretPlaces } from "../param/secret.ts";
import { closestWhole, isInlineId } from "../run/inline.ts";
import { correlationOf, type Run, userOf } from "../run/model.ts";
import type { AttemptContext, LogOffset } from "../runtime/type.ts";
import type { Reported, StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import { withSatisfied } from "../step/satisfied.ts";
import type { StepStatus } from "../step/status.ts";
import type { AttemptRuntime, FlowContext } from "./context.ts";
import type { TaskScope } from "./evaluation.ts";
import type { GroupStamp, Write } from "./port.ts";

/** A task as its flow's books have it. */
export interface TaskView {
  readonly node: StepNode;
  readonly attempt: StepAttempt;
  readonly status: StepStatus;
  /** The runtime has something to say. */
  wake(): void;
  /** The job of the attempt reports outputs. @returns false when it has ended, or is to */
  report(uuid: string, reported: Reported): boolean;
  /** Starts the step, if it still is to be started. */
  go(): void;
}

export interface TaskContext extends FlowContext {
  /** Of an attempt at a step whose work are other runs. */
  nestedRuntime(parent: TaskParent, task: TaskView): AttemptRuntime;
  /** A step that waits for other runs is to make one of them again. Resolves once that is done, or can't be. */
  restartBelow(runKey: number, stepId: string, restart: RestartConfig): Promise<void>;
}

/** What a task needs of the flow it belongs to. */
export interface TaskParent {
  readonly engine: TaskContext;
  readonly stamp: GroupStamp;
  readonly run: Run;
  /** Epoch ms; one instant for a whole turn. */
  readonly now: number;
  /** At least one incoming condition was true; a step without predecessors always is. */
  isSatisfied(node: StepNode): boolean;
  scope(node: StepNode, attempt: StepAttempt): TaskScope;
  /** Where the stored log of an adopted attempt ends. */
  logEnd(uuid: string): LogOffset | undefined;
  /** Runs in the flow's next turn. */
  post(event: () => void): void;
  /** The attempt's row as it is now belongs to this turn's rows. */
  save(attempt: StepAttempt): void;
  /** So do these. */
  write(rows: readonly Write[]): void;
  /** Runs once this turn's rows, and all before them, have committed. */
  afterCommit(callback: () => void): void;
  /** Wakes and logs of the task's attempt find it. */
  track(task: TaskView): void;
  /** The attempt's job is over: its traces go once its last row has committed. */
  untrack(task: TaskView): void;
  /** The task has left its last gate; it is told when to go. */
  ready(task: TaskView): void;
  /** Nothing more happens to the task. */
  taskEnded(task: TaskView): void;
}

/** All that a runtime is told about an attempt. */
export function contextOf(parent: TaskParent, node: StepNode, attempt: StepAttempt): AttemptContext {
  const { run } = parent;
  const params = Object.entries(withSatisfied(attempt)).map(([name, param]): [string, Json] => [
    name,
    param.evaluated_result ?? null,
  ]);
  return {
    uuid: attempt.uuid,
    stepType: node.typed?.type ?? node.kind,
    identity: {
      workflowId: run.workflowId,
      instanceId: run.instanceId,
      runId: run.runId,
      stepId: attempt.stepId,
      attemptId: attempt.attemptId,
      stepInstanceId: attempt.stepInstanceId,
      correlationId: correlationOf(run),
      owner: run.properties.owner,
      user: userOf(run.properties),
    },
    startTime: attempt.times.start_time ?? parent.now,
    params: Object.fromEntries(params),
    ...secretsOf(run, attempt),
    artifacts: attempt.artifacts as AttemptContext["artifacts"],
    logOffset: parent.logEnd(attempt.uuid),
    place: attempt.place,
  };
}

/** Grants are to workflows as users know them: the body of a loop belongs to the one that it is written in. */
function secretsOf(run: Run, { params }: StepAttempt): Pick<AttemptContext, "secrets"> {
  const places = secretPlaces(params);
  if (places.length === 0) return {};
  const whole = isInlineId(run.workflowId) ? closestWhole(run.initiator) : undefined;
  return { secrets: { workflowId: whole?.workflow_id ?? run.workflowId, places } };
}
