/** A step type that does nothing, and one that holds its thread: plugins of the benchmarks. */
import { defineStepType, type StepResult, z } from "@maestro/sdk";

const nothing = {
  execute: (): StepResult => ({ state: "DONE" }),
  terminate: (): StepResult => ({ state: "STOPPED" }),
};

const empty = defineStepType({
  type: "BenchNothing",
  version: "1.0.0",
  params: z.strictObject({}).optional(),
  start: () => ({ state: "DONE" }),
  ...nothing,
});

const burn = defineStepType({
  type: "BenchBurn",
  version: "1.0.0",
  params: z.strictObject({ milliseconds: z.int() }),
  start({ params: { milliseconds } }) {
    for (const end = performance.now() + milliseconds; performance.now() < end; ) Math.random();
    return { state: "DONE" };
  },
  ...nothing,
});

export default [empty, burn];
