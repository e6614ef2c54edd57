import { noop } from "./noop.ts";
import { sleep } from "./sleep.ts";
import type { BuiltinRuntime } from "./type.ts";

export type { BuiltinRuntime } from "./type.ts";

/** By canonical name. Loops and subworkflows are not here: their steps are runs, and belong to the flow engine. */
export const BUILTIN_RUNTIMES: ReadonlyMap<string, BuiltinRuntime> = new Map(
  [noop, sleep].map((runtime) => [runtime.type, runtime]),
);
