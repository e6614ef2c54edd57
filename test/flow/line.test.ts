import { expect, test } from "bun:test";
import fc from "fast-check";
import { Line } from "../../src/flow/line.ts";

test("gives what an array gives that is pushed to, shifted and emptied", () => {
  const step = fc.oneof(fc.nat(), fc.constant("take" as const), fc.constant("clear" as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const line = new Line<number>();
      let model: number[] = [];
      for (const it of steps) {
        if (it === "take") expect(line.take()).toBe(model.shift());
        else if (it === "clear") {
          line.clear();
          model = [];
        } else {
          line.push(it);
          model.push(it);
        }
        expect(line.size).toBe(model.length);
      }
    }),
  );
});

test("takes a million from its front, and not for ever", () => {
  const line = new Line<number>();
  for (let item = 0; item < 1_000_000; item++) line.push(item);
  let sum = 0;
  for (let item = line.take(); item !== undefined; item = line.take()) sum += item;
  expect(sum).toBe((1_000_000 * 999_999) / 2);
});
