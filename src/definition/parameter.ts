/** Zod schemas of params in their wire shape; the types live in `param/type.ts`. */
import { z } from "zod";
import {
  INTERNAL_PARAM_MODES,
  PARAM_MODES,
  PARAM_SOURCES,
  PARAM_TYPES,
  type ParamDefinition,
  type ParamDefinitions,
  type Parameter,
  type Params,
  type ParamType,
} from "../param/type.ts";
import { tagListSchema } from "./tag.ts";
import {
  caseless,
  double,
  type Fields,
  flag,
  instant,
  kind,
  leniently,
  long,
  mapOf,
  reading,
  text,
  typeError,
} from "./wire.ts";

export type {
  InternalParamMode,
  ParamDefinition,
  ParamDefinitions,
  Parameter,
  ParamMode,
  ParamSource,
  Params,
  ParamType,
} from "../param/type.ts";

export const paramModeSchema = caseless(PARAM_MODES).meta({ id: "ParamMode" });

const definitionSchema: z.ZodType<ParamDefinition> = z.lazy(() => paramDefinitionSchema);

/** The literal of each type. */
const LITERALS = {
  STRING: text,
  LONG: long,
  DOUBLE: double,
  BOOLEAN: flag,
  STRING_MAP: mapOf(text),
  STRING_ARRAY: z.array(text),
  LONG_ARRAY: z.array(long),
  DOUBLE_ARRAY: z.array(double),
  BOOLEAN_ARRAY: z.array(flag),
  MAP: mapOf(definitionSchema).meta({ id: "ParamDefinitions" }),
} as const;

/** The literal of a type, read as upstream reads it. A MAP's holds definitions. */
export const literalSchema = (type: ParamType): z.ZodType => LITERALS[type];

const typesByLowerCase = new Map<string, string>(PARAM_TYPES.map((type) => [type.toLowerCase(), type]));

/** Brings `type` to its canonical case for the union below, and flattens a literal `meta` object. */
function canonical(fields: Fields): Fields {
  const { type, meta } = fields;
  const known = typeof type === "string" ? typesByLowerCase.get(type.toLowerCase()) : undefined;
  if (meta !== undefined && typeof meta === "object" && !Array.isArray(meta)) {
    const { meta: _, ...rest } = fields;
    return { ...meta, ...rest, ...(known ? { type: known } : {}) };
  }
  return known === undefined || known === type ? fields : { ...fields, type: known };
}

const EVALUATED = { evaluated_result: z.unknown().optional(), evaluated_time: instant.optional() };

/** `STRING_MAP` → `StringMapParameter` */
const optionId = (type: ParamType, evaluated: boolean): string =>
  `${type.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}${evaluated ? "Parameter" : "ParamDefinition"}`;

function optionOf<T extends keyof typeof LITERALS>(type: T, evaluated: boolean) {
  return z
    .looseObject({
      value: LITERALS[type].optional(),
      expression: text.optional(),
      type: kind(type),
      validator: text.optional(),
      tags: tagListSchema.optional(),
      mode: paramModeSchema.optional(),
      ...(evaluated ? EVALUATED : {}),
      source: leniently(PARAM_SOURCES).optional(),
      internal_mode: leniently(INTERNAL_PARAM_MODES).optional(),
    })
    .meta({ id: optionId(type, evaluated) });
}

function unionOf(evaluated: boolean) {
  const options = PARAM_TYPES.map((type) => optionOf(type, evaluated));
  const [first, ...rest] = options;
  return z.discriminatedUnion("type", [first as NonNullable<typeof first>, ...rest], {
    error: typeError(PARAM_TYPES),
  });
}

/** A param as declared: `value` or `expression`, and its type. Further keys are kept. */
export const paramDefinitionSchema: z.ZodType<ParamDefinition> = reading(canonical, unionOf(false)).meta({
  id: "ParamDefinition",
  description: "A typed parameter: a literal value, or a SEL expression",
}) as unknown as z.ZodType<ParamDefinition>;

export const paramDefinitionsSchema: z.ZodType<ParamDefinitions> = mapOf(paramDefinitionSchema);

/** A param of a run or an attempt, with its evaluated result. */
export const parameterSchema: z.ZodType<Parameter> = reading(canonical, unionOf(true)).meta({
  id: "Parameter",
  description: "A parameter of a run or an attempt, with its evaluated result",
}) as unknown as z.ZodType<Parameter>;

export const paramsSchema: z.ZodType<Params> = mapOf(parameterSchema);
