/**
 * The zod schemas of requests and replies as named schemas of the API document.
 *
 * A schema that reads more than it writes (a tag as a mere name, a type in lower case, fields that have defaults) has two
 * shapes: a request refers to `WorkflowInput`, a reply to `Workflow`. A schema without that difference has one name.
 */
import { z } from "zod";
import { spellings } from "../definition/wire.ts";

/** A JSON Schema, as far as this file looks into it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

type Direction = "input" | "output";
type Mutable = Record<string, unknown>;

const HERE = "#/$defs/";
const COMPONENTS = "#/components/schemas/";

/** Bounds that zod writes for every integer: what a JS number holds exactly. */
const SAFE = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

export class Components {
  readonly #defs: Readonly<Record<Direction, Map<string, JsonSchema>>> = { input: new Map(), output: new Map() };

  /** @returns the schema of a request, with references to named ones. Names are final once all schemas are added. */
  input(schema: z.ZodType): JsonSchema {
    return this.#add(schema, "input");
  }

  /** As {@link input}, of a reply. */
  output(schema: z.ZodType): JsonSchema {
    return this.#add(schema, "output");
  }

  /** The named schemas, sorted, and how the references that `input` and `output` gave are written. */
  finish(): { readonly schemas: Readonly<Record<string, JsonSchema>>; resolve(schema: JsonSchema): JsonSchema } {
    const twofold = this.#twofold();
    const nameOf = (reference: string): string => {
      const [, direction, name] = /^#\/(\w+)\/(.*)$/.exec(reference) ?? [];
      return `${COMPONENTS}${direction === "input" && twofold.has(name ?? "") ? `${name}Input` : name}`;
    };
    const resolve = (schema: JsonSchema): JsonSchema => replaced(schema, nameOf) as JsonSchema;
    const all = [
      ...[...this.#defs.output].map(([name, schema]) => [name, schema] as const),
      ...[...this.#defs.input].flatMap(([name, schema]) => {
        if (twofold.has(name)) return [[`${name}Input`, schema] as const];
        return this.#defs.output.has(name) ? [] : [[name, schema] as const];
      }),
    ];
    const named = new Map(all.map(([name, schema]) => [name, resolve(schema)]));
    const schemas = [...named].map(([name, schema]) => [name, withMapping(schema, named)] as const);
    return { schemas: Object.fromEntries(schemas.sort(([a], [b]) => (a < b ? -1 : 1))), resolve };
  }

  #add(schema: z.ZodType, direction: Direction): JsonSchema {
    const {
      $schema: _,
      $defs,
      ...made
    } = z.toJSONSchema(schema, {
      io: direction,
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) =>
        adapt(zodSchema as unknown as z.ZodType, jsonSchema as Mutable, direction),
    }) as JsonSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> };
    const definitions = $defs ?? {};
    const mark = (reference: string): string => {
      // A schema that is made late has a name of zod's own, which stands for another.
      const alias = definitions[reference.slice(HERE.length)]?.$ref;
      return typeof alias === "string" ? mark(alias) : reference.replace(HERE, `#/${direction}/`);
    };
    for (const [name, definition] of Object.entries(definitions)) {
      if ("$ref" in definition) continue;
      const { id: _id, ...own } = definition;
      this.#defs[direction].set(name, replaced(own, mark) as JsonSchema);
    }
    return replaced(made, mark) as JsonSchema;
  }

  /** Names whose request and reply differ, in themselves or in what they refer to. */
  #twofold(): ReadonlySet<string> {
    const both = [...this.#defs.input.keys()].filter((name) => this.#defs.output.has(name));
    const text = (direction: Direction, name: string): string =>
      JSON.stringify(this.#defs[direction].get(name))
        .replaceAll(`#/${direction}/`, HERE)
        // That replies may gain fields makes no type of its own.
        .replaceAll(',"additionalProperties":false', "");
    const found = new Set(both.filter((name) => text("input", name) !== text("output", name)));
    for (let before = -1; before < found.size; ) {
      before = found.size;
      for (const name of both) {
        const refers = [...text("input", name).matchAll(/#\/\$defs\/(\w+)/g)].some((match) =>
          found.has(match[1] ?? ""),
        );
        if (refers) found.add(name);
      }
    }
    return found;
  }
}

/** Brings one schema into the form that generators take. */
function adapt(schema: z.ZodType, json: Mutable, direction: Direction): void {
  if (json.type === "integer") {
    json.format ??= "int64";
    if (SAFE.includes(json.minimum as number)) delete json.minimum;
    if (SAFE.includes(json.maximum as number)) delete json.maximum;
  }
  if (json.type === "number") json.format ??= "double";
  // A default belongs to the server: a generated client would demand the field, or send it.
  delete json.default;
  if (typeof json.const === "string") {
    json.enum = [json.const];
    json.type = "string";
    delete json.const;
  }
  if (json.type === "object") adaptObject(json, direction);
  const { def } = schema._zod as unknown as {
    readonly def: { readonly type: string; readonly discriminator?: string };
  };
  if (def.type === "union" && def.discriminator !== undefined) json.discriminator = { propertyName: def.discriminator };
  const instead = spellings.get(schema)?.instead;
  if (instead !== undefined) {
    clear(json);
    Object.assign(json, instead);
  } else if (direction === "input") {
    takeMore(schema, json);
  }
}

function adaptObject(json: Mutable, direction: Direction): void {
  // Replies may gain fields.
  if (direction === "output" && json.additionalProperties === false) delete json.additionalProperties;
  delete json.propertyNames;
  const properties = json.properties as Record<string, JsonSchema> | undefined;
  // `{}` says nothing, and beside properties some generators make a map of the object, without them.
  if (properties !== undefined && JSON.stringify(json.additionalProperties) === "{}") {
    delete json.additionalProperties;
  }
  for (const [name, property] of Object.entries(properties ?? {})) {
    if (property.not !== undefined) delete properties?.[name]; // refused in any case
  }
}

function inAnyCase(values: readonly string[], more: readonly string[] = []) {
  const all = [...new Set([...values, ...values.flatMap(cases), ...more])];
  return { enum: all, "x-enum-varnames": variables(all) };
}

/** The usual spellings of a word that is read in any case. */
function cases(word: string): readonly string[] {
  const lower = word.toLowerCase();
  return [lower, lower.replace(/^[a-z]/, (first) => first.toUpperCase()), word.toUpperCase()];
}

/** Names for the values of an enum in generated code, where two spellings must not have one name. */
function variables(values: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  return values.map((value) => {
    const name = value.toUpperCase().replace(/^\W+/, "").replace(/\W+/g, "_");
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}_SPELLING_${count}`;
  });
}

/** Leaves a schema its name and description. */
function clear(json: Mutable): void {
  for (const key of Object.keys(json)) if (key !== "id" && key !== "description") delete json[key];
}

/** What a request may say beside what a reply says. */
function takeMore(schema: z.ZodType, json: Mutable): void {
  const more = spellings.get(schema);
  if (more === undefined) return;
  if (more.anyCase === true) Object.assign(json, inAnyCase(json.enum as readonly string[], more.values));
  if (more.takes === undefined) return;
  const { id, description, ...own } = json;
  clear(json);
  const takes = more.takes.map((it) => (it.enum ? { ...it, ...inAnyCase(it.enum as readonly string[]) } : it));
  json.anyOf = [...takes, own];
}

/** The schema with every reference put into another form. */
function replaced(value: unknown, form: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, form));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "$ref" && typeof item === "string" ? form(item) : replaced(item, form),
    ]),
  );
}

/** A discriminator says which value leads to which schema. */
function withMapping(schema: JsonSchema, named: ReadonlyMap<string, JsonSchema>): JsonSchema {
  const { discriminator, oneOf } = schema as {
    readonly discriminator?: { readonly propertyName: string };
    readonly oneOf?: readonly { readonly $ref?: string }[];
  };
  if (discriminator === undefined) return schema;
  const mapping = (oneOf ?? []).flatMap(({ $ref = "" }) => {
    const option = named.get($ref.slice(COMPONENTS.length)) as
      | { readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>> }
      | undefined;
    return (option?.properties?.[discriminator.propertyName]?.enum ?? []).map((value) => [value, $ref] as const);
  });
  return { ...schema, discriminator: { ...discriminator, mapping: Object.fromEntries(mapping) } };
}
