import { expect, test } from "bun:test";
import { evaluateVector } from "../../src/sel/vector.ts";

const text = await Bun.file(new URL("../../src/sel/README.md", import.meta.url)).text();
const examples = [...text.matchAll(/```sel\n([\s\S]*?)```/g)].flatMap(([, body = ""]) => body.trim().split("\n"));

test("the README has examples", () => {
  expect(examples.length).toBeGreaterThan(35);
});

for (const line of examples) {
  const [, source = "", mark, wanted = ""] = /^(.*?)\s*([⇒✗]) (.*)$/.exec(line) ?? [];
  test(`README: ${source}`, () => {
    const { error, type, value, typed } = evaluateVector({ expr: source, vars: { n: 41 } });
    if (mark === "✗") {
      expect(error).toBe(wanted);
      return;
    }
    const shown = type === "DOUBLE" ? (typed as { v: string }).v : String(value);
    expect(`${type} ${shown}`).toBe(wanted);
  });
}
