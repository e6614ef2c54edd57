/** What a loop goes over: the product of the arrays of a foreach, the values of a while. */
import { badRequest } from "../error.ts";
import { isJsonObject, type Json } from "../json.ts";
import { toDefinition } from "../param/definition.ts";
import { typeOf } from "../param/literal.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params, ParamType } from "../param/type.ts";
import { own } from "../record.ts";

const ITEM_TYPE: Partial<Record<ParamType, ParamType>> = {
  STRING_ARRAY: "STRING",
  LONG_ARRAY: "LONG",
  DOUBLE_ARRAY: "DOUBLE",
  BOOLEAN_ARRAY: "BOOLEAN",
};

interface Range {
  readonly name: string;
  readonly type: ParamType;
  readonly items: readonly Json[];
}

/** The iterations of a foreach, by index from 0: the param that is written first varies fastest. */
export class Product {
  readonly total: number;
  readonly #ranges: readonly Range[];

  /** @throws BAD_REQUEST when something in it is no array, or the product has more than `most` elements */
  constructor(params: Params, most: number) {
    this.#ranges = ranges(params);
    const total = this.#ranges.reduce((product, { items }) => product * items.length, 1);
    if (total > most) throw badRequest(`loop_params make ${total} iterations; at most ${most} are possible`);
    this.total = total;
  }

  /** The loop params of an iteration. */
  at(index: number): readonly LoopParam[] {
    let rest = index;
    return this.#ranges.map(({ name, type, items }) => {
      const result = items[rest % items.length] ?? null;
      rest = Math.floor(rest / items.length);
      return { name, type, result };
    });
  }
}

function ranges(params: Params): readonly Range[] {
  return loopParams(params).map(({ name, type, result }) => {
    const item = ITEM_TYPE[type];
    if (item === undefined || !Array.isArray(result)) {
      throw badRequest(
        `loop_params.${name} is a ${type}; a foreach goes over arrays of STRING, LONG, DOUBLE or BOOLEAN`,
      );
    }
    return { name, type: item, items: result };
  });
}

export interface LoopParam {
  readonly name: string;
  readonly type: ParamType;
  readonly result: Json;
}

/** The entries of the evaluated `loop_params`. @throws BAD_REQUEST when there are none */
export function loopParams(params: Params): readonly LoopParam[] {
  const loop = own(params, "loop_params");
  const results = loop?.evaluated_result;
  if (loop === undefined || !isJsonObject(results)) throw badRequest("Param [loop_params] must be a MAP");
  return Object.entries(results).map(([name, result]) => ({
    name,
    type: declaredType(loop, name) ?? typeOf(result) ?? "MAP",
    result,
  }));
}

const declaredType = (loop: Parameter, name: string): ParamType | undefined =>
  loop.type === "MAP" ? own((loop.value ?? {}) as ParamDefinitions, name)?.type : undefined;

/** A value as a literal that evaluates to itself. */
export const literalOf = (type: ParamType, result: Json): ParamDefinition =>
  toDefinition({ type, evaluated_result: result, evaluated_time: 0 });
