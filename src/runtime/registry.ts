/** Which step types there are, and who runs them. Lookups ignore case, as upstream's do. */

import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import { own } from "../record.ts";
import { BUILTIN_RUNTIMES, type BuiltinRuntime } from "./builtin/index.ts";
import type { PluginType } from "./type.ts";

/** A leaf step type. `name` is its canonical spelling. */
export type StepTypeEntry =
  | { readonly kind: "builtin"; readonly name: string; readonly runtime: BuiltinRuntime }
  | { readonly kind: "plugin"; readonly name: string; readonly plugin: PluginType }
  /** Known upstream, and accepted: the step ends FATALLY_FAILED with the reason. */
  | { readonly kind: "unavailable"; readonly name: string; readonly reason: string };

const KNOWN = ["Titus", "Notebook", "Kubernetes", "Http"];

export class StepTypeRegistry {
  readonly #entries = new Map<string, StepTypeEntry>();

  /** @param plugins what `RuntimeHost.start` reported; plain data, so that engine threads can have a registry too. */
  constructor(plugins: readonly PluginType[]) {
    for (const name of KNOWN) {
      const reason = `Step type [${name}] has no runtime on this server: load a plugin that provides it`;
      this.#add({ kind: "unavailable", name, reason });
    }
    for (const runtime of BUILTIN_RUNTIMES.values()) this.#add({ kind: "builtin", name: runtime.type, runtime });
    for (const plugin of plugins) this.#add({ kind: "plugin", name: plugin.type, plugin });
  }

  find(type: string): StepTypeEntry | undefined {
    return this.#entries.get(type.toLowerCase());
  }

  /** Canonical names, in alphabetical order. */
  get names(): readonly string[] {
    return [...this.#entries.values()].map((entry) => entry.name).sort((a, b) => a.localeCompare(b));
  }

  /** Default step params of a type in wire shape. */
  defaultParams(type: string): JsonObject {
    const entry = this.find(type);
    return entry?.kind === "plugin" ? entry.plugin.defaultParams : {};
  }

  /**
   * What is wrong with a plugin step's own params, as far as a definition tells: expressions are not evaluated yet.
   * @returns one text a finding, each with the param's path.
   */
  check(type: string, params: ParamDefinitions): readonly string[] {
    const entry = this.find(type);
    if (entry?.kind !== "plugin") return [];
    const param = own(params, entry.name);
    if (param === undefined) return missing(entry.plugin.schema, {}, entry.name);
    if (param.type !== "MAP" && param.type !== "STRING_MAP") {
      return [`Param [${entry.name}] must be a MAP and is a ${param.type}`];
    }
    if (param.expression !== undefined || !isJsonObject(param.value)) return [];
    const given = param.value as Readonly<Record<string, unknown>>;
    const { schema } = entry.plugin;
    return [
      ...missing(schema, given, entry.name),
      ...unknown(schema, given, entry.name),
      ...mistyped(schema, given, entry.name),
    ];
  }

  #add(entry: StepTypeEntry): void {
    this.#entries.set(entry.name.toLowerCase(), entry);
  }
}

type Given = Readonly<Record<string, unknown>>;

function missing(schema: JsonObject, given: Given, path: string): readonly string[] {
  const required = Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
  return required.filter((name) => !Object.hasOwn(given, name)).map((name) => `Param [${path}.${name}] is required`);
}

function unknown(schema: JsonObject, given: Given, path: string): readonly string[] {
  if (schema.additionalProperties !== false) return [];
  const known = Object.keys(propertiesOf(schema));
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `Param [${path}.${name}] is unknown; known are ${known.join(", ")}`);
}

function mistyped(schema: JsonObject, given: Given, path: string): readonly string[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, property]) => {
    const definition = own(given, name) as ParamDefinition | undefined;
    const accepted = jsonTypes(property);
    if (definition === undefined || accepted.size === 0) return [];
    const type = definition.type;
    if (type === undefined || JSON_TYPES[type].some((jsonType) => accepted.has(jsonType))) return [];
    return [`Param [${path}.${name}] is a ${type}; it must be of JSON type ${[...accepted].join(" or ")}`];
  });
}

const JSON_TYPES: Readonly<Record<ParamDefinition["type"], readonly string[]>> = {
  STRING: ["string"],
  LONG: ["integer", "number"],
  DOUBLE: ["number"],
  BOOLEAN: ["boolean"],
  STRING_MAP: ["object"],
  MAP: ["object"],
  STRING_ARRAY: ["array"],
  LONG_ARRAY: ["array"],
  DOUBLE_ARRAY: ["array"],
  BOOLEAN_ARRAY: ["array"],
};

const propertiesOf = (schema: JsonObject): JsonObject => (isJsonObject(schema.properties) ? schema.properties : {});

/** Empty when the schema does not say. */
function jsonTypes(schema: Json): ReadonlySet<string> {
  if (!isJsonObject(schema)) return new Set();
  if (typeof schema.type === "string") return new Set([schema.type]);
  const choices = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(choices)) return new Set();
  const sets = choices.map(jsonTypes);
  return sets.some((set) => set.size === 0) ? new Set() : new Set(sets.flatMap((set) => [...set]));
}
