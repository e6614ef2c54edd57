import { expect, test } from "bun:test";
import { DEFAULT_CATALOG } from "../../src/param/defaults.ts";
import type { ParamDefinitions } from "../../src/param/type.ts";
import { undeclaredParams } from "../../src/run/undeclared.ts";

const params = (...names: readonly string[]): ParamDefinitions =>
  Object.fromEntries(names.map((name) => [name, { type: "LONG", value: 1 } as const]));
const warning = (declared: ParamDefinitions | undefined, given: ParamDefinitions | undefined) =>
  undeclaredParams({ id: "w", steps: [], ...(declared && { params: declared }) }, given, DEFAULT_CATALOG);

test("params that are declared, or the server's own, are not warned of", () => {
  expect(warning(params("rows"), params("rows", "TARGET_RUN_HOUR"))).toBeUndefined();
  expect(warning(params("rows"), undefined)).toBeUndefined();
});

test("each that is not declared is named, with the nearest one that is and was not given", () => {
  expect(warning(params("max_error_rate", "day"), params("max_eror_rate", "tables"))).toBe(
    "Params that the definition does not declare: max_eror_rate (did you mean max_error_rate?), tables",
  );
  expect(warning(params("rows"), params("rows", "row"))).toBe("Params that the definition does not declare: row");
  expect(warning(undefined, params("constructor"))).toBe("Params that the definition does not declare: constructor");
});

test("of many, ten are named", () => {
  const names = Array.from({ length: 12 }, (_, index) => `param_number_${String.fromCharCode(97 + index).repeat(9)}`);
  const text = warning(undefined, params(...names)) ?? "";
  expect([text.includes(names[9] as string), text.includes(names[10] as string)]).toEqual([true, false]);
  expect(text).toEndWith(", and 2 more");
});
