/** Definitions that benchmarks and fault tests push. */

interface StepOptions {
  readonly params?: object;
  readonly next?: readonly string[];
  readonly more?: object;
}

export const step = (id: string, type: string, { params, next = [], more }: StepOptions = {}): object => ({
  step: {
    id,
    type,
    ...(params === undefined ? {} : { params }),
    ...(next.length === 0 ? {} : { transition: { successors: Object.fromEntries(next.map((it) => [it, "true"])) } }),
    ...more,
  },
});

export const workflow = (id: string, steps: readonly object[], concurrency = 1000, more: object = {}): object => ({
  properties: { owner: "bench", run_strategy: { rule: "PARALLEL", workflow_concurrency: concurrency } },
  workflow: { id, name: id, steps, ...more },
});

/** Steps one after the other, of a type that does nothing. */
export const chain = (id: string, length: number, type = "NoOp"): object =>
  workflow(
    id,
    Array.from({ length }, (_, index) =>
      step(`s${index}`, type, { next: index + 1 < length ? [`s${index + 1}`] : [] }),
    ),
  );

/** NoOp steps beside each other. */
export const wide = (id: string, width: number): object =>
  workflow(
    id,
    Array.from({ length: width }, (_, index) => step(`s${index}`, "NoOp")),
  );

export const sleeper = (id: string, seconds: number): object =>
  workflow(id, [step("sleep", "Sleep", { params: { sleep_seconds: { type: "LONG", value: seconds } } })]);
