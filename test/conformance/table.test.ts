/** The table of rules and the scenarios name each other. */
import { expect, test } from "bun:test";
import { SCENARIOS } from "./scenario.ts";
import { TABLE } from "./table.ts";

const named = new Set(TABLE.flatMap(({ by }) => (typeof by === "string" ? [] : by)) as readonly string[]);

test("every rule has a scenario that exists, or a reason why it has none", () => {
  const wrong = TABLE.filter(({ by }) =>
    typeof by === "string" ? by.trim() === "" : by.length === 0 || by.some((name) => !Object.hasOwn(SCENARIOS, name)),
  );
  expect(wrong.map((it) => `§${it.section} ${it.rule}`)).toEqual([]);
});

test("every scenario shows a rule", () => {
  expect(Object.keys(SCENARIOS).filter((name) => !named.has(name))).toEqual([]);
});

test("no rule stands twice", () => {
  const rules = TABLE.map((it) => `§${it.section} ${it.rule}`);
  expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([]);
});

test("every section of state tables and the checklist are there", () => {
  const sections = new Set(TABLE.map((it) => it.section));
  for (const section of ["1.2", "1.9", "2.1", "2.5", "2.12", "3.2", "5.3", "5.5", "5.7", "13"]) {
    expect(sections, section).toContain(section);
  }
});
