import { expect, test } from "bun:test";
import { Lines, LongLineError } from "../../src/runtime/process/line.ts";

test("lines come whole, wherever the stream was cut", () => {
  const bytes = Buffer.from("one\n\nzwölf 🎈\r\nrest");
  const expected = ["one", "", "zwölf 🎈\r"];
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new Lines({ most: 100 });
    const memory = Buffer.alloc(size); // the stream uses it again and again
    const found: string[] = [];
    for (let from = 0; from < bytes.length; from += size) {
      const length = bytes.copy(memory, 0, from, from + size);
      found.push(...lines.push(memory.subarray(0, length)));
    }
    expect([found, lines.rest(), lines.rest()]).toEqual([expected, "rest", undefined]);
  }
});

test("a line may be as long as the bound, and no longer, unless it is cut there", () => {
  const lines = new Lines({ most: 4 });
  expect(lines.push(Buffer.from("four\nfo"))).toEqual(["four"]);
  expect(lines.push(Buffer.from("ur"))).toEqual([]);
  expect(() => lines.push(Buffer.from("x"))).toThrow(LongLineError);
  const cut = new Lines({ most: 4, cut: true });
  expect(cut.push(Buffer.from("four\nlonger"))).toEqual(["four"]);
  expect(cut.push(Buffer.from(" and longer\nnext\n"))).toEqual(["long…", "next"]);
});
