/** The part of a node that runs steps: threads with the built-in plugins and those of the configuration. */
import type { LogFields, Logger } from "../log.ts";
import { RuntimeHost } from "../runtime/host.ts";
import { StepTypeRegistry } from "../runtime/registry.ts";
import type { AttemptIdentity, PluginType } from "../runtime/type.ts";
import { builtinPlugins, pluginEntry } from "../spawn.ts";
import { type Config, ConfigError } from "./config.ts";
import type { Part } from "./part.ts";

export interface Runtime extends Part {
  readonly plugins: readonly PluginType[];
  readonly types: StepTypeRegistry;
  /** Hands an engine thread's text to its runtime thread. */
  deliver(engine: number, text: string): void;
}

/**
 * @param send takes a text for an engine thread
 * @throws ConfigError that names a plugin which cannot be loaded
 */
export async function startRuntime(
  config: Config,
  log: Logger,
  send: (engine: number, text: string) => void,
): Promise<Runtime> {
  const builtin = builtinPlugins().map((name) => ({ name, path: pluginEntry(name) }));
  const given = config.plugin.map((path) => ({ name: path, path }));
  const host = new RuntimeHost({
    threads: config.runtimeThreads,
    dataDir: config.dataDir,
    plugins: [...builtin, ...given],
    logBytes: config.limits.logBytes,
    secrets: config.secret,
    send,
    onLine: ({ level, message, identity, uuid }) =>
      log[level](message, { ...fieldsOf(identity), ...(uuid && { uuid }) }),
    onRestart: (thread, reason) => log.warn("a runtime thread was replaced", { thread, reason }),
  });
  const { types: plugins, failures } = await host.start();
  const [failure] = failures;
  if (failure) {
    await host.stop();
    throw new ConfigError(`The plugin ${failure.name} cannot be loaded: ${failure.message}`);
  }
  const types = new StepTypeRegistry(plugins);
  warnOfTypes(config, types, log);
  return {
    plugins,
    types,
    deliver: (engine, text) => host.deliver(engine, text),
    stop: () => host.stop(),
  };
}

/** Who has logged a line. */
function fieldsOf(identity: AttemptIdentity | undefined): LogFields {
  if (identity === undefined) return {};
  const { workflowId, instanceId, runId, stepId, attemptId } = identity;
  return { workflow: workflowId, instance: instanceId, run: runId, step: stepId, attempt: attemptId };
}

/** Defaults of a type that no definition may name do nothing: most likely the name is misspelt. */
function warnOfTypes(config: Config, types: StepTypeRegistry, log: Logger): void {
  const known = new Set([
    ...types.names.map((name) => name.toLowerCase()),
    "foreach",
    "while",
    "subworkflow",
    "template",
  ]);
  for (const type of Object.keys(config.defaultParams.types ?? {})) {
    if (!known.has(type)) log.warn("default_params.types names an unknown step type", { type, known: [...known] });
  }
}
