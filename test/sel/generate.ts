/** Random programs by the grammar: most parse, many run, all must be survived. */
import fc, { type Arbitrary } from "fast-check";

const NAMES = [
  "x",
  "y",
  "i",
  "s",
  "m",
  "a",
  "b",
  "n",
  "__proto__",
  "constructor",
  "toString",
  "params",
  "Integer",
  "String",
  "Math",
  "Map",
];
const TYPES = ["int", "long", "double", "boolean", "String", "Map", "DateTime", "Integer", "Days", "UUID", "Object"];
const ELEMENTS = ["int", "String", "double", "boolean"];
const METHODS = [
  "length",
  "isEmpty",
  "trim",
  "split",
  "replace",
  "replaceAll",
  "substring",
  "put",
  "get",
  "size",
  "containsKey",
  "plusDays",
  "toString",
  "getMillis",
  "valueOf",
  "format",
  "join",
  "max",
  "min",
  "pow",
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "call",
];
const CALLS = [
  "Util.intsBetween",
  "Util.dateIntToTs",
  "Util.toJson",
  "String.format",
  "String.join",
  "Math.max",
  "DateTimeZone.forID",
  "DateTimeFormat.forPattern",
  "System.currentTimeMillis",
  "params.get",
  "Days.daysBetween",
  "Long.valueOf",
  "Double.valueOf",
];
const STRINGS = [
  "''",
  "'a'",
  "'a,b,c'",
  "'%s %d %5.2f'",
  "'(a+)+$'",
  "'aaaaaaaaaaaa!'",
  "'20230315'",
  "'yyyy-MM-dd'",
  "'UTC'",
  "'America/New_York'",
  "'__proto__'",
  "'[a-z&&[^b]]'",
  "'2023-03-15T10:00Z'",
  "'\\u0041'",
  "'é中😀'",
  "'$1'",
];

const pick = <T>(...from: readonly T[]): Arbitrary<T> => fc.constantFrom(...from);

const atoms = fc.oneof(
  { weight: 4, arbitrary: pick(...NAMES) },
  { weight: 3, arbitrary: pick(...STRINGS) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 40 }).map(String) },
  {
    weight: 1,
    arbitrary: pick(
      "9223372036854775807",
      "2147483648",
      "1.5",
      "0.0",
      "1e308",
      "true",
      "false",
      "null",
      "Util",
      "System",
      "Arrays",
    ),
  },
);

export const expressions = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atoms,
    fc
      .tuple(tie("expr"), pick("+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!=", "&&", "||"), tie("expr"))
      .map((p) => p.join(" ")),
    fc.tuple(pick("-", "+", "!"), tie("expr")).map(([op, e]) => `${op} (${e})`),
    tie("expr").map((e) => `(${e})`),
    fc.tuple(tie("expr"), tie("expr"), tie("expr")).map(([a, b, c]) => `(${a}) ? ${b} : (${c})`),
    fc
      .tuple(tie("expr"), pick(...METHODS), fc.array(tie("expr"), { maxLength: 3 }))
      .map(([e, m, args]) => `(${e}).${m}(${args.join(", ")})`),
    fc
      .tuple(pick(...CALLS), fc.array(tie("expr"), { maxLength: 4 }))
      .map(([call, args]) => `${call}(${args.join(", ")})`),
    fc
      .tuple(pick(...TYPES), fc.array(tie("expr"), { maxLength: 2 }))
      .map(([type, args]) => `new ${type}(${args.join(", ")})`),
    fc.tuple(pick(...ELEMENTS), tie("expr")).map(([type, size]) => `new ${type}[${size}]`),
    fc
      .tuple(pick(...ELEMENTS), fc.array(tie("expr"), { maxLength: 4 }))
      .map(([type, items]) => `new ${type}[]{${items.join(", ")}}`),
    fc.tuple(tie("expr"), tie("expr")).map(([e, index]) => `(${e})[${index}]`),
    fc
      .tuple(tie("expr"), pick("length", "UTC", "SUNDAY", "__proto__", "constructor"))
      .map(([e, name]) => `(${e}).${name}`),
    fc.tuple(pick(...NAMES), pick("=", "+=", "-=", "*=", "/=", "%="), tie("expr")).map((p) => `(${p.join(" ")})`),
  ),
})).expr;

const statements = fc.letrec<{ item: string; body: string }>((tie) => ({
  item: fc.oneof(
    { depthSize: "small" },
    expressions.map((e) => `${e};`),
    fc.tuple(pick(...TYPES), pick(...NAMES), expressions).map(([type, name, e]) => `${type} ${name} = ${e};`),
    fc.tuple(pick(...NAMES), expressions, pick("=", "+=")).map(([name, e, op]) => `${name} ${op} ${e};`),
    tie("body"),
  ),
  body: fc.oneof(
    { depthSize: "small" },
    expressions.map((e) => `${e};`),
    fc.array(tie("item"), { maxLength: 3 }).map((items) => `{ ${items.join(" ")} }`),
    fc.tuple(expressions, tie("body")).map(([e, body]) => `if (${e}) ${body}`),
    fc.tuple(expressions, tie("body"), tie("body")).map(([e, a, b]) => `if (${e}) { ${a} } else ${b}`),
    fc.tuple(expressions, tie("body")).map(([e, body]) => `while (${e}) ${body}`),
    fc.tuple(fc.integer({ min: 0, max: 9 }), tie("body")).map(([n, body]) => `for (i = 0; i < ${n}; i += 1) ${body}`),
    tie("body").map((body) => `for (;;) ${body}`),
    pick("break;", "continue;"),
    expressions.map((e) => `return ${e};`),
    expressions.map((e) => `throw ${e};`),
  ),
})).item;

export const programs = fc.array(statements, { minLength: 1, maxLength: 5 }).map((items) => items.join(" "));
