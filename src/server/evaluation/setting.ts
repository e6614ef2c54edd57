/** What evaluations on any thread have in common. */
import { buildCatalog, type DefaultCatalog, loopLimits } from "../../param/index.ts";
import type { ParamDefinition } from "../../param/type.ts";
import type { EvaluationSetting } from "../../run/evaluation.ts";
import type { PluginType } from "../../runtime/type.ts";
import type { SelLimits } from "../../sel/index.ts";
import type { Config } from "../config.ts";
import type { EvaluationSetup } from "./protocol.ts";

/** The limits of one expression as the configuration has them. */
export const selLimits = ({ length, loop, array, stack, visits, memory, timeoutMs }: Config["sel"]): SelLimits => ({
  ...{ length, loop, array, stack, memory },
  visit: visits,
  timeoutMillis: timeoutMs,
});

export const evaluationSetup = (config: Config, plugins: readonly PluginType[]): EvaluationSetup => ({
  environment: config.environment,
  limits: selLimits(config.sel),
  inlineVisits: config.sel.inlineVisits,
  maxChars: config.params.maxChars,
  iterations: config.limits.iterations,
  loopChars: config.params.loopChars,
  enforceValidators: config.params.enforceValidators,
  defaultParams: config.defaultParams,
  plugins,
});

export const evaluationSetting = (setup: EvaluationSetup): EvaluationSetting => ({
  environment: setup.environment,
  limits: setup.limits,
  catalog: buildCatalog({ ...setup.defaultParams, types: typeDefaults(setup) }, codeOf(setup.plugins)),
  maxChars: setup.maxChars,
  loops: loopLimits(setup.iterations, setup.limits, setup.loopChars),
  enforceValidators: setup.enforceValidators,
});

/** Where step types have code. */
export const codeOf = (plugins: readonly PluginType[]): DefaultCatalog["code"] =>
  new Map(
    plugins
      .filter(({ code }) => code.length > 0)
      .map(({ type, code }) => [type.toLowerCase(), { param: type, fields: new Set(code) }]),
  );

/** A plugin's own defaults, changed as the configuration says. */
function typeDefaults({ plugins, defaultParams }: EvaluationSetup) {
  const types = new Map<string, Record<string, ParamDefinition | null>>();
  for (const { type, defaultParams } of plugins) {
    types.set(type.toLowerCase(), defaultParams as unknown as Record<string, ParamDefinition>);
  }
  for (const [type, changes] of Object.entries(defaultParams.types ?? {})) {
    types.set(type, { ...types.get(type), ...changes });
  }
  return Object.fromEntries(types);
}
