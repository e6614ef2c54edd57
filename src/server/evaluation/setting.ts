/** What evaluations on any thread have in common. */
import { buildCatalog } from "../../param/index.ts";
import type { ParamDefinition } from "../../param/type.ts";
import type { EvaluationSetting } from "../../run/evaluation.ts";
import type { PluginType } from "../../runtime/type.ts";
import type { EvaluationSetup } from "./protocol.ts";

export const evaluationSetting = ({ environment, limits, plugins }: EvaluationSetup): EvaluationSetting => ({
  environment,
  limits,
  catalog: buildCatalog({ types: defaultsOf(plugins) }),
});

const defaultsOf = (plugins: readonly PluginType[]): Record<string, Record<string, ParamDefinition>> =>
  Object.fromEntries(
    plugins.map(({ type, defaultParams }) => [
      type.toLowerCase(),
      defaultParams as unknown as Record<string, ParamDefinition>,
    ]),
  );
