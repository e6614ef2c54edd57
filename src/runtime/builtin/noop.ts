import type { BuiltinRuntime } from "./type.ts";

/** Succeeds at once. */
export const noop: BuiltinRuntime = {
  type: "NoOp",
  leaf: true,
  start: () => ({ state: "DONE" }),
  execute: () => ({ state: "DONE" }),
  terminate: () => ({ state: "STOPPED" }),
};
