import { expect, test } from "bun:test";
import { corpus, healthy, survive } from "./fuzz.ts";

test("five thousand hostile programs end with a value or a SelError and leave nothing behind", async () => {
  const outcomes = new Set<string>();
  let count = 0;
  for await (const source of corpus(1)) {
    outcomes.add(survive(source));
    if (count++ % 500 === 0) expect(healthy()).toBe(true);
    if (count === 5000) break;
  }
  expect(healthy()).toBe(true);
  for (const wanted of ["parse", "type", "unsupported", "LONG", "STRING"]) expect(outcomes).toContain(wanted);
});

const REACHES = [
  "'a'.__proto__",
  "n.constructor",
  "n.constructor()",
  "m.__proto__.polluted = 1",
  "m.put('__proto__', true); m.get('polluted')",
  "a.__defineGetter__('x', n)",
  "params.__proto__",
  "params['constructor']",
  "params.get('__proto__')",
  "params.constructor('x')",
  "new constructor()",
  "new __proto__()",
  "__proto__.polluted",
  "constructor.constructor('return 1')()",
  "String.prototype",
  "Util.constructor('a')",
  "Util.toJson.call(n)",
  "Math.__lookupGetter__('max')",
  "'x'.valueOf.call('a')",
  "new Map().get('constructor')",
  "String.format('%s', __proto__)",
  "hasOwnProperty.call(n, 'a')",
  "m['__proto__']",
  "DateTimeZone.forID('__proto__')",
  "new DateTime().getClass()",
  "new DateTime().__proto__",
  "'a'.replaceAll('(?<constructor>a)', '${constructor}')",
];

for (const source of REACHES) {
  test(`reaches nothing of the host: ${source}`, () => {
    const outcome = survive(source);
    expect(["unsupported", "parse", "type", "argument", "invalid-return-type", "ext", "STRING"]).toContain(outcome);
    expect(healthy()).toBe(true);
  });
}
