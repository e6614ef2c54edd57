/** Waiting for a step to be as a request asks. */
import type { Run } from "../run/model.ts";
import { isOver } from "../run/status.ts";
import type { StepAttempt } from "../step/model.ts";
import { loadAttempt, loadRunsOf } from "../store/instance.ts";
import type { Call } from "./call.ts";
import type { Services } from "./service.ts";
import { Wakeup } from "./wait.ts";

/** How long a request waits for the step to be as it asks, ms. */
const PATIENCE = 5_000;
/** Between two looks at the step, ms: short at first, since most steps end at once. */
const FIRST_LOOK = 10;
const LONGEST_LOOK = 500;

export type Waited =
  | { readonly type: "done"; readonly attempt: StepAttempt }
  /** The run has ended, and the step is not so. */
  | { readonly type: "run over" }
  | { readonly type: "too long" };

export const newestAttempt = ({ sql }: Services, run: Run, stepId: string): Promise<StepAttempt | undefined> =>
  loadAttempt(sql, run.key, stepId, "latest");

/** @param done whether the newest attempt is as it should be */
export async function untilStep(
  call: Call,
  services: Services,
  run: Run,
  stepId: string,
  done: (attempt: StepAttempt) => boolean | Promise<boolean>,
): Promise<Waited> {
  const { clock, engine, sql } = services;
  const { signal } = call.request;
  const deadline = clock.now() + PATIENCE;
  const close = call.keepOpen(PATIENCE / 1000);
  const wakeup = new Wakeup<unknown>(clock, signal, (listener) => engine.onRunEnded(run, listener));
  try {
    for (let pause = FIRST_LOOK; ; pause = Math.min(pause * 2, LONGEST_LOOK)) {
      // The run first: once it has ended, its steps stay as they are.
      const [now] = await loadRunsOf(sql, [run.key]);
      const attempt = await newestAttempt(services, run, stepId);
      if (attempt && (await done(attempt))) return { type: "done", attempt };
      if (now === undefined || isOver(now)) return { type: "run over" };
      if (signal.aborted || clock.now() >= deadline) return { type: "too long" };
      await wakeup.until(Math.min(deadline, clock.now() + pause));
    }
  } finally {
    wakeup.close();
    close();
  }
}
