/** The step types that belong to the program, for commands that need no server. */
import { loadPlugins } from "../runtime/load.ts";
import type { PluginType } from "../runtime/type.ts";
import { builtinPlugins, pluginEntry } from "../spawn.ts";

let loaded: Promise<readonly PluginType[]> | undefined;

export function builtinTypes(): Promise<readonly PluginType[]> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<readonly PluginType[]> {
  const { metadata, failures } = await loadPlugins(builtinPlugins().map((name) => ({ name, path: pluginEntry(name) })));
  const [failure] = failures;
  if (failure) throw new Error(`The plugin ${failure.name} cannot be loaded: ${failure.message}`);
  return metadata;
}
