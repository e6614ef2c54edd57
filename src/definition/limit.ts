import { WIRE_STEP_TYPES } from "./step.ts";

/** Limits of definitions; configuration may change each. */
export interface DefinitionLimits {
  /** Steps of a definition, those of loop bodies included. */
  readonly steps: number;
  /** Bytes of a push request, written compactly. */
  readonly requestBytes: number;
  /** Characters of workflow ids, step ids and param names. */
  readonly idLength: number;
  /** Characters of names, tag names and signal names. */
  readonly nameLength: number;
  readonly descriptionLength: number;
  /** Loops within loops. */
  readonly loopDepth: number;
  /** MAP params within MAP params. */
  readonly mapDepth: number;
  readonly signalsPerTrigger: number;
  /** Least milliseconds between two firings of a time trigger. */
  readonly triggerIntervalMs: number;
  /** The step types that a runtime is registered for; matched in any case. */
  readonly stepTypes: readonly string[];
}

export const DEFAULT_LIMITS: DefinitionLimits = {
  steps: 1000,
  requestBytes: 262_144,
  idLength: 128,
  nameLength: 256,
  descriptionLength: 16_384,
  loopDepth: 10,
  mapDepth: 50,
  signalsPerTrigger: 8,
  triggerIntervalMs: 1000,
  stepTypes: WIRE_STEP_TYPES,
};

/** Bytes of a definition as it is written, with blanks: what counts for {@link DefinitionLimits.requestBytes} is less. */
export const MAX_TEXT_BYTES = 40 * DEFAULT_LIMITS.requestBytes;

/** The limits of a server. @param configured of its configuration */
export const limitsWith = (
  { steps, definitionBytes }: { readonly steps: number; readonly definitionBytes: number },
  stepTypes: readonly string[],
): DefinitionLimits => ({ ...DEFAULT_LIMITS, steps, requestBytes: definitionBytes, stepTypes });
