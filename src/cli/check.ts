/** A definition file held against the rules that a push is held against, by the server's own code. */
import { expressionProblems } from "../definition/expression.ts";
import { DEFAULT_LIMITS, limitsWith } from "../definition/limit.ts";
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import { unstorableText } from "../definition/storable.ts";
import { parseWorkflowCreateRequest } from "../definition/validate.ts";
import { validatorProblems } from "../definition/validator.ts";
import { MaestroError } from "../error.ts";
import type { Json } from "../json.ts";
import { dryRunDefinition } from "../run/dryrun.ts";
import type { PluginType } from "../runtime/type.ts";
import type { Config } from "../server/config.ts";
import { evaluationSetting, evaluationSetup } from "../server/evaluation/setting.ts";
import { referenceWarnings } from "./reference.ts";
import { type Finding, locate, type Source } from "./source.ts";

/** What the rules need to know beside the file. */
export interface CheckSetting {
  /** Of the server that the definition is for. */
  readonly config: Config;
  /** Those of the program. */
  readonly plugins: readonly PluginType[];
  /** Those of plugins from outside. */
  readonly stepTypes: readonly string[];
  readonly user: string;
}

/** Errors are what a push is refused for; what it is taken with and a run may fail for is a warning. */
export function check(source: Source, setting: CheckSetting): readonly Finding[] {
  const refusals = refusalsOf(source.value, setting);
  const read = workflowCreateRequestSchema.safeParse(source.value);
  if (!read.success) return refusals.map((line) => locate(source, line));
  const { workflow } = read.data;
  const broken = expressionProblems(workflow);
  // The dry run evaluates the workflow's params: where one does not parse, that is what it fails for.
  const causes = refusals.some(isDryRun) ? broken.filter(({ path }) => path.startsWith("workflow.params")) : [];
  const errors = [
    ...refusals.filter((line) => causes.length === 0 || !isDryRun(line)),
    ...causes.map(({ path, problem }) => `${path}: ${problem}`),
  ];
  const warnings = [...broken.filter((it) => !causes.includes(it)), ...validatorProblems(workflow)];
  return [
    ...errors.map((line) => locate(source, line)),
    ...warnings.map(({ path, problem }) => warningAt(source, `${path}: warning: ${problem}`)),
    ...referenceWarnings(source, setting.plugins),
  ];
}

const isDryRun = (line: string): boolean => line.startsWith("workflow.params: ");

const warningAt = (source: Source, line: string): Finding => ({ ...locate(source, line), level: "warning" });

/** Lines `path: problem` of what the server says to a push. */
function refusalsOf(value: Json, { config, plugins, stepTypes, user }: CheckSetting): readonly string[] {
  const unstorable = unstorableText(value);
  if (unstorable !== undefined) return [unstorable];
  const limits = limitsWith(config.limits, [
    ...DEFAULT_LIMITS.stepTypes,
    ...plugins.map(({ type }) => type),
    ...stepTypes,
  ]);
  const setting = evaluationSetting(evaluationSetup(config, plugins));
  try {
    const request = parseWorkflowCreateRequest(value, limits);
    dryRunDefinition(request, user, { ...setting, clock: () => performance.now(), now: Date.now(), seed: 0 });
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    return error.details.length > 0 ? error.details : [error.message];
  }
}
