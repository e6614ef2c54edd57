/**
 * `bun test/fault/pressure.ts [--only NAME[,NAME]] [--binary PATH]`: servers under pressure. Each scenario of `scenario/`
 * takes something away from a server, or floods it, and says what must hold; meanwhile the server's resident memory and
 * the latency of its `/livez` are watched, and have limits.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { sourceProgram } from "../bench/server.ts";
import { half } from "./scenario/half.ts";
import { logs } from "./scenario/logs.ts";
import { black, frozen, full, readOnly } from "./scenario/outage.ts";
import { quiet } from "./scenario/quiet.ts";
import { type Scenario, Stage } from "./stage.ts";

const SCENARIOS: readonly Scenario[] = [quiet, half, frozen, black, readOnly, full, logs];

const { values } = parseArgs({ options: { only: { type: "string" }, binary: { type: "string" } } });
const program = values.binary === undefined ? sourceProgram : [resolve(values.binary)];
const wanted = values.only?.split(",") ?? SCENARIOS.map(({ name }) => name);
const unknown = wanted.filter((name) => !SCENARIOS.some((it) => it.name === name));
if (unknown.length > 0) {
  const known = SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n");
  console.error(`No scenario is named ${unknown.join(", ")}. There are:\n${known}`);
  process.exit(2);
}

let failed = 0;
for (const scenario of SCENARIOS.filter(({ name }) => wanted.includes(name))) {
  console.log(`${scenario.name}: ${scenario.summary}`);
  const reason = scenario.skipped?.();
  if (reason !== undefined) {
    console.log(`  SKIPPED: ${reason}`);
    continue;
  }
  const { problems, lines } = await new Stage(program, console.log).run(scenario);
  for (const line of lines) console.log(`  ${line}`);
  for (const problem of problems) console.log(`  WRONG: ${problem}`);
  if (problems.length > 0) failed++;
}
process.exit(failed > 0 ? 1 : 0);
