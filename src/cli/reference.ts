/** References of a definition file that a run would not find. */
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import { unknownReferences } from "../definition/reference.ts";
import { buildCatalog } from "../param/index.ts";
import type { PluginType } from "../runtime/type.ts";
import { codeOf } from "../server/evaluation/setting.ts";
import { type Finding, locate, type Source } from "./source.ts";

/**
 * Warnings; none for what is no definition, which is told elsewhere.
 * @param plugins step types of which all is known
 */
export function referenceWarnings(source: Source, plugins: readonly PluginType[]): readonly Finding[] {
  const read = workflowCreateRequestSchema.safeParse(source.value);
  if (!read.success) return [];
  const catalog = buildCatalog({}, codeOf(plugins));
  const lines = unknownReferences(read.data.workflow, { catalog, types: plugins.map(({ type }) => type) });
  return lines.map((line) => ({ ...locate(source, line), level: "warning" }));
}
