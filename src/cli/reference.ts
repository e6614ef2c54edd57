/** References of a definition file that a run would not find. */
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import { unknownReferences } from "../definition/reference.ts";
import { builtinPlugins } from "../spawn.ts";
import { type Finding, locate, type Source } from "./source.ts";

/** Warnings; none for what is no definition, which is told elsewhere. */
export function referenceWarnings(source: Source): readonly Finding[] {
  const read = workflowCreateRequestSchema.safeParse(source.value);
  if (!read.success) return [];
  const lines = unknownReferences(read.data.workflow, { types: builtinPlugins() });
  return lines.map((line) => ({ ...locate(source, line), level: "warning" }));
}
