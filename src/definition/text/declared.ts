/** What a schema declares at a place: YAML reads `1.10` as a text where a text is declared, as a number elsewhere. */
import { z } from "zod";
import { spellings } from "../wire.ts";

export type Schema = z.core.$ZodType;

const TEXT = z.string();
const WRAPPERS = [z.ZodOptional, z.ZodNullable, z.ZodPrefault, z.ZodLazy] as const;

/** The schemas that a value may be read by, without what wraps them. */
function* optionsOf(schema: Schema | undefined): Generator<Schema> {
  if (schema === undefined) return;
  if (spellings.get(schema)?.takes?.some(({ type }) => type === "string")) yield TEXT;
  if (schema instanceof z.ZodPipe) yield* optionsOf(schema.out);
  else if (schema instanceof z.ZodUnion) for (const option of schema.options) yield* optionsOf(option);
  else if (WRAPPERS.some((it) => schema instanceof it)) yield* optionsOf((schema as z.ZodOptional).unwrap());
  else yield schema;
}

/** A scalar is a text here, whatever it looks like. */
export function isTextDeclared(schema: Schema | undefined): boolean {
  const options = [...optionsOf(schema)];
  const isText = (it: Schema) => it instanceof z.ZodString || it instanceof z.ZodEnum || it instanceof z.ZodLiteral;
  const isCollection = (it: Schema) =>
    it instanceof z.ZodObject || it instanceof z.ZodRecord || it instanceof z.ZodArray;
  return options.some(isText) && options.every((it) => isText(it) || isCollection(it));
}

/** What is declared for the elements of a list. */
export function elementSchema(schema: Schema | undefined): Schema | undefined {
  for (const option of optionsOf(schema)) if (option instanceof z.ZodArray) return option.element;
  return undefined;
}

/**
 * What is declared for a member.
 * @param type the text of the object's member `type`, which tells kinds of objects apart, in any case
 */
export function memberSchema(schema: Schema | undefined, key: string, type: string | undefined): Schema | undefined {
  for (const option of optionsOf(schema)) {
    if (option instanceof z.ZodRecord) return option.valueType;
    if (!(option instanceof z.ZodObject)) continue;
    const { type: kind } = option.shape;
    const isOther = kind instanceof z.ZodLiteral && !kind.values.has(type?.toUpperCase() ?? "");
    if (!isOther && Object.hasOwn(option.shape, key)) return option.shape[key];
  }
  return undefined;
}
