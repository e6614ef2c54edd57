/**
 * The interpreter's own values: mutable boxes. Assignment changes a box's content, declarations and containers share
 * boxes; programs can see that, so it is kept (sel.md §2.2). Every box is one class with one shape, which keeps
 * property access monomorphic.
 *
 * A LONG's content is a `number` while it is a safe integer and a `bigint` otherwise: never both for one value.
 */
import type { DateTime, Formatter, Zone } from "./time/type.ts";

export type Long = number | bigint;
export type ElementType = "STRING" | "LONG" | "DOUBLE" | "BOOLEAN";
export type ArrayType = "STRING_ARRAY" | "LONG_ARRAY" | "DOUBLE_ARRAY" | "BOOLEAN_ARRAY";
export type StaticType = "MATH" | "PRESET_PARAMS" | "PRESET_UTIL_FUNCTION" | "PRESET_MISC_FUNC_FIELDS";

/** An element is bare until somebody takes its box: most never are. */
export type Item = string | null | Long | boolean | Box;

/** A property of a date-time: which field of which moment. */
export interface Property {
  readonly field: string;
  readonly time: DateTime;
}

interface Cell<T extends string, V> {
  readonly type: T;
  content: V;
}

export type LongBox = Cell<"LONG", Long>;
export type DoubleBox = Cell<"DOUBLE", number>;
export type StringBox = Cell<"STRING", string | null>;
export type BooleanBox = Cell<"BOOLEAN", boolean>;
export type ArrayBox = Cell<ArrayType, Item[]>;
export type MapBox = Cell<"MAP", Map<string, Box> | null>;
export type TimeBox = Cell<"DATETIME", DateTime | null>;
export type ZoneBox = Cell<"DATETIME_ZONE", Zone | null>;
export type FormatterBox = Cell<"DATETIME_FORMATTER", Formatter | null>;
export type PropertyBox = Cell<"DATETIME_PROPERTY", Property | null>;
export type DaysBox = Cell<"DATETIME_DAYS", number | null>;
export type UuidBox = Cell<"UUID", string | null>;
export type NullBox = Cell<"NULL" | "VOID", null>;
export type StaticBox = Cell<StaticType, null>;

export type Box =
  | LongBox
  | DoubleBox
  | StringBox
  | BooleanBox
  | ArrayBox
  | MapBox
  | TimeBox
  | ZoneBox
  | FormatterBox
  | PropertyBox
  | DaysBox
  | UuidBox
  | NullBox
  | StaticBox;

export type BoxType = Box["type"];

class BoxCell {
  constructor(
    readonly type: string,
    public content: unknown,
  ) {}
}

const make = (type: BoxType, content: unknown): unknown => new BoxCell(type, content);

export const boxLong = (content: Long): LongBox => make("LONG", content) as LongBox;
export const boxDouble = (content: number): DoubleBox => make("DOUBLE", content) as DoubleBox;
export const boxString = (content: string | null): StringBox => make("STRING", content) as StringBox;
export const boxBoolean = (content: boolean): BooleanBox => make("BOOLEAN", content) as BooleanBox;
export const boxMap = (content: Map<string, Box> | null): MapBox => make("MAP", content) as MapBox;
export const boxArray = (type: ArrayType, content: Item[]): ArrayBox => make(type, content) as ArrayBox;
export const boxTime = (content: DateTime | null): TimeBox => make("DATETIME", content) as TimeBox;
export const boxZone = (content: Zone | null): ZoneBox => make("DATETIME_ZONE", content) as ZoneBox;
export const boxFormatter = (content: Formatter): FormatterBox => make("DATETIME_FORMATTER", content) as FormatterBox;
export const boxProperty = (content: Property): PropertyBox => make("DATETIME_PROPERTY", content) as PropertyBox;
export const boxDays = (content: number): DaysBox => make("DATETIME_DAYS", content) as DaysBox;
export const boxUuid = (content: string): UuidBox => make("UUID", content) as UuidBox;

export const NULL: NullBox = make("NULL", null) as NullBox;
export const VOID: NullBox = make("VOID", null) as NullBox;

/** A box of any type with the given content, which the caller knows to fit. */
export function boxOf(type: BoxType, content: unknown): Box {
  return make(type, content) as Box;
}

/** The 64-bit value of an exact integer, wrapped as Java does. */
export function wrapLong(value: bigint): Long {
  const wrapped = BigInt.asIntN(64, value);
  return wrapped >= -9007199254740991n && wrapped <= 9007199254740991n ? Number(wrapped) : wrapped;
}

/** The low 32 bits, as Java's narrowing conversion gives them. */
export function toInt(value: Long): number {
  return typeof value === "number" && value === (value | 0) ? value : Number(BigInt.asIntN(32, BigInt(value)));
}

export function arrayOf(element: ElementType): ArrayType {
  return `${element}_ARRAY`;
}

export function elementOf(array: ArrayType): ElementType {
  return array.slice(0, -6) as ElementType;
}

export function isArray(box: Box): box is ArrayBox {
  return box.type.endsWith("_ARRAY");
}

export function isBox(item: Item): item is Box {
  return typeof item === "object" && item !== null;
}

/** The bare content of an element. */
export function itemContent(item: Item): string | null | Long | boolean {
  return isBox(item) ? (item.content as string | null | Long | boolean) : item;
}

/** The box of an element, which the array holds from then on. */
export function itemBox(array: ArrayBox, index: number): Box {
  const item = array.content[index] as Item;
  if (isBox(item)) return item;
  const box = boxOf(elementOf(array.type), item);
  array.content[index] = box;
  return box;
}
