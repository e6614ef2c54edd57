import { noop } from "./noop.ts";
import { sleep } from "./sleep.ts";
import type { BuiltinRuntime } from "./type.ts";

export type { BuiltinRuntime } from "./type.ts";

/** By canonical name. Loops and subworkflows are not here: their steps are runs, and belong to the flow engine. */
export const BUILTIN_RUNTIMES: Readonly<Record<string, BuiltinRuntime>> = {
  [noop.type]: noop,
  [sleep.type]: sleep,
};
