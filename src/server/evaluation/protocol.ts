/** Questions to the evaluation thread and its answers, as texts `<id> <JSON>`; ids are the asking side's. */
import type { WorkflowCreateRequest } from "../../definition/metadata.ts";
import type { JobTemplateDefinition } from "../../definition/template.ts";
import type { ErrorData } from "../../error.ts";
import { parseJson, stringifyJson } from "../../json.ts";
import type { DefaultOverrides } from "../../param/defaults.ts";
import type { EvaluationJob } from "../../run/evaluation.ts";
import type { PluginType } from "../../runtime/type.ts";
import type { SelLimits } from "../../sel/index.ts";

export interface DryRunJob {
  readonly kind: "dryRun";
  readonly request: WorkflowCreateRequest;
  readonly user: string;
  /** Job templates of the steps, with what they inherit. */
  readonly templates: readonly JobTemplateDefinition[];
  /** Epoch ms. */
  readonly now: number;
}

export type Question = EvaluationJob | DryRunJob;

export type Answer =
  | { readonly value: unknown }
  | { readonly error: ErrorData }
  /** What another run is to answer first; the job comes again with the answer. */
  | { readonly request: { readonly method: string; readonly args: readonly string[] } };

/** What every thread that evaluates is told, so that all of them come to the same results. */
export interface EvaluationSetup {
  readonly environment: string;
  readonly limits: Partial<SelLimits>;
  /** Nodes that one evaluation may visit on an engine thread. */
  readonly inlineVisits: number;
  readonly maxChars: number;
  /** Iterations of one loop. */
  readonly iterations: number;
  readonly loopChars: number;
  readonly enforceValidators: boolean;
  readonly defaultParams: DefaultOverrides;
  readonly plugins: readonly PluginType[];
}

export const encode = (id: number, message: Question | Answer | EvaluationSetup): string =>
  `${id} ${stringifyJson(message)}`;

export function decode<T>(text: string): { readonly id: number; readonly message: T } {
  const blank = text.indexOf(" ");
  return { id: Number(text.slice(0, blank)), message: parseJson(text.slice(blank + 1)) as T };
}

/** The id of the message that sets the thread up. */
export const SETUP_ID = 0;
