/** Dry run of a pushed definition: its params must merge and evaluate, with signals that have not arrived yet. */
import { badRequest } from "../error.ts";
import type { SelValue } from "../sel/index.ts";
import { DEFAULT_CATALOG, type DefaultCatalog } from "./defaults.ts";
import { mergeWorkflowParams } from "./order.ts";
import { evaluateWorkflowParams } from "./resolve.ts";
import type { EvaluationContext, ParamExtension, WorkflowParams } from "./scope.ts";
import type { ParamDefinitions } from "./type.ts";

/** What a dry run knows of a definition. */
export interface DryRun {
  readonly definition?: ParamDefinitions | undefined;
  /** Names of the signals that the definition's triggers declare. */
  readonly signals: ReadonlySet<string>;
  /** Names of the params that signal triggers hand to the run themselves. */
  readonly triggerParams: ReadonlySet<string>;
  readonly workflowId: string;
  readonly owner: string;
  readonly timezone?: string | undefined;
  readonly environment: string;
  readonly catalog?: DefaultCatalog | undefined;
}

/** Stands for every value of a signal. */
const DUMMY: SelValue = { type: "LONG", value: 20220101n };

/** Extension of a dry run: signals answer with a constant, once it is sure that they are declared. */
export function dryRunExtension(run: DryRun): ParamExtension {
  const unavailable = (what: string) => (): SelValue => {
    throw badRequest(`${what} is not available in workflow params`);
  };
  return {
    getFromSignal(signal) {
      if (run.signals.has(signal)) return DUMMY;
      throw badRequest(`Signal [${signal}] is not declared by any signal trigger`);
    },
    getFromTrigger(param) {
      if (run.triggerParams.has(param)) return DUMMY;
      throw badRequest(`Param [${param}] is not declared by any signal trigger`);
    },
    getFromSignalDependency: unavailable("getFromSignalDependency"),
    getFromForeach: unavailable("getFromForeach"),
    getFromSubworkflow: unavailable("getFromSubworkflow"),
    nextUniqueId: (call) => BigInt(call + 1),
    getExecutionEnvironment: () => run.environment,
  };
}

/** Surroundings of a dry run. */
export function dryRunContext(
  run: DryRun,
  at: Pick<EvaluationContext, "now" | "seed" | "limits" | "budget" | "clock" | "maxChars">,
) {
  const context: EvaluationContext = {
    ...at,
    // What signals and requests will bring is not known yet: only literals are validated, by the caller.
    enforceValidators: false,
    extension: dryRunExtension(run),
    instance: {
      workflow_id: run.workflowId,
      owner: run.owner,
      initiator_type: "VALIDATION",
      first_time_trigger_timezone: run.timezone,
      run_policy: "START_FRESH_NEW_RUN",
    },
  };
  return context;
}

/**
 * Merges and evaluates the workflow's params as a start would.
 * @throws MaestroError as a start would.
 */
export function dryRunWorkflowParams(
  run: DryRun,
  at: Pick<EvaluationContext, "now" | "seed" | "limits" | "budget" | "clock" | "maxChars">,
): WorkflowParams {
  const catalog = run.catalog ?? DEFAULT_CATALOG;
  const runParams = dryRunParams(run.definition ?? {}, catalog);
  const merged = mergeWorkflowParams({ definition: { ...run.definition, ...runParams }, source: "LAUNCH", catalog });
  return evaluateWorkflowParams(merged, dryRunContext(run, at));
}

/** Dry-run defaults stand in for params that the workflow defines with the same type. */
function dryRunParams(definition: ParamDefinitions, catalog: DefaultCatalog): ParamDefinitions {
  const entries = [...catalog.dryRun].filter(([name, param]) => definition[name]?.type === param.type);
  return Object.fromEntries(
    entries.map(([name, { value, type }]) => [name, { value, type, mode: definition[name]?.mode }]),
  );
}
