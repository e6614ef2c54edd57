/** Which changes a param's mode allows, as tables. */
import { type InternalParamMode, PARAM_MODES, type ParamMode, type ParamSource } from "./type.ts";

const STRICTNESS = Object.fromEntries(PARAM_MODES.map((mode, index) => [mode, index])) as Record<ParamMode, number>;

/** Sources whose merges are the server's own and bypass every check. */
const SYSTEM_SOURCES: ReadonlySet<ParamSource> = new Set([
  "SYSTEM",
  "SYSTEM_DEFAULT",
  "SYSTEM_INJECTED",
  "TEMPLATE_SCHEMA",
]);

const ON_START: ReadonlySet<ParamMode> = new Set(["MUTABLE", "MUTABLE_ON_START", "MUTABLE_ON_START_RESTART"]);
const ON_RESTART: ReadonlySet<ParamMode> = new Set(["MUTABLE", "MUTABLE_ON_START_RESTART"]);
const ON_OUTPUT: ReadonlySet<ParamMode> = new Set(["MUTABLE"]);

export function isSystemSource(source: ParamSource): boolean {
  return SYSTEM_SOURCES.has(source);
}

/** Modes that a param may have after a change from this source. */
export function allowedModes(source: ParamSource, restart: boolean): ReadonlySet<ParamMode> {
  if (source === "OUTPUT_PARAMETER") return ON_OUTPUT;
  return restart || source === "RESTART" ? ON_RESTART : ON_START;
}

/** Whether `mode` permits more changes than `base`. */
export function isLooser(mode: ParamMode, base: ParamMode): boolean {
  return STRICTNESS[mode] < STRICTNESS[base];
}

export function stricter(a: ParamMode, b: ParamMode | undefined): ParamMode {
  return b === undefined || STRICTNESS[a] >= STRICTNESS[b] ? a : b;
}

/** The least mode that an internal mode implies. */
export function impliedMode(internal: InternalParamMode | undefined): ParamMode {
  return internal === "RESERVED" ? "CONSTANT" : "MUTABLE";
}
