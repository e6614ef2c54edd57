/**
 * `bun run mutate [--only TEXT]`: applies each mutation whose name holds the text, or each, to a copy of the sources, and
 * prints those that no test notices.
 */
import { parseArgs } from "node:util";
import { Copy } from "./copy.ts";
import { MUTATIONS } from "./list.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const chosen = MUTATIONS.filter(({ name }) => name.includes(values.only));
using copy = new Copy();
const tests = [...new Set(chosen.flatMap((mutation) => mutation.tests))];
if (!(await copy.passes(tests))) throw new Error(`the tests fail without any mutation: ${tests.join(" ")}`);
const survivors: string[] = [];
for (const mutation of chosen) {
  const begin = performance.now();
  const survives = await copy.passes(mutation.tests, mutation);
  if (survives) survivors.push(mutation.name);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${survives ? "SURVIVES" : "noticed "}  ${seconds} s  ${mutation.file}: ${mutation.name}`);
}
console.log(`${chosen.length} mutations, ${survivors.length} survivors`);
process.exitCode = survivors.length > 0 ? 1 : 0;
