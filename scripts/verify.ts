/**
 * `bun run verify`: everything that has to hold before a change is done. Goes on after a stage that fails, and ends with
 * the line `N passed, N failed`: tests by number, every other stage as one.
 */
import { join } from "node:path";
import { Glob } from "bun";

const root = join(import.meta.dir, "..");
const bun = process.execPath;
const colors = process.stdout.isTTY ? "force" : "off";

interface Tally {
  readonly passed: number;
  readonly failed: number;
}

interface Stage {
  readonly name: string;
  readonly command: readonly string[];
  /** How many passed and failed, from what the command wrote; by default the command is one that passed or failed. */
  readonly count?: (output: string, exitCode: number) => Tally;
}

const asOne = (_: string, exitCode: number): Tally =>
  exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };

/** From bun's summary. A run that failed without a failing test (it crashed, or a file didn't load) counts as one. */
function asTests(output: string, exitCode: number): Tally {
  const read = (word: string): number => Number(output.match(new RegExp(`^\\s*(\\d+) ${word}$`, "m"))?.[1] ?? 0);
  const failed = read("fail");
  return { passed: read("pass"), failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

/** An installed tool runs on this bun, so that no other runtime is needed. */
const tool = (...args: string[]): string[] => [bun, "x", "--bun", "--no-install", ...args];

/** Folders of `test/` that are a stage of their own, in this order; the rest are the unit tests. */
const TEST_STAGES = ["compat", "simulation", "mutation", "fault", "ui"];
/** The same, of the executable. */
const BINARY_STAGES = ["smoke", "conformance", "client"];

function testStage(name: string, files: readonly string[]): Stage[] {
  if (files.length === 0) return [];
  return [{ name, command: [bun, "test", "--timeout=30000", ...files.map((file) => `./${file}`)], count: asTests }];
}

function stages(): readonly Stage[] {
  const files = [...new Glob("test/**/*.test.{ts,tsx}").scanSync({ cwd: root })]
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
  const architecture = "test/architecture.test.ts";
  const of = (folder: string): string[] => files.filter((file) => file.startsWith(`test/${folder}/`));
  const special = new Set([architecture, ...[...TEST_STAGES, ...BINARY_STAGES].flatMap(of)]);
  return [
    { name: "install", command: [bun, "install", "--frozen-lockfile"] },
    { name: "format and lint", command: tool("biome", "ci", `--colors=${colors}`, ".") },
    { name: "types", command: tool("tsc") },
    { name: "unused code", command: tool("knip") },
    ...testStage("architecture", [architecture]),
    ...testStage(
      "unit tests",
      files.filter((file) => !special.has(file)),
    ),
    ...TEST_STAGES.flatMap((name) => testStage(`${name} tests`, of(name))),
    { name: "binary", command: [bun, "run", "build"] },
    ...BINARY_STAGES.flatMap((name) => testStage(`${name} tests of the binary`, of(name))),
  ];
}

async function run({ name, command, count = asOne }: Stage): Promise<Tally> {
  console.log(`\n== ${name}`);
  const child = Bun.spawn([...command], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors] = await Promise.all([tee(child.stdout, process.stdout), tee(child.stderr, process.stderr)]);
  const tally = count(`${out}\n${errors}`, await child.exited);
  if (tally.failed > 0) console.log(`== ${name}: FAILED`);
  return tally;
}

async function tee(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of from) {
    to.write(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

let passed = 0;
let failed = 0;
const broken: string[] = [];
for (const stage of stages()) {
  const tally = await run(stage);
  passed += tally.passed;
  failed += tally.failed;
  if (tally.failed > 0) broken.push(stage.name);
}
if (broken.length > 0) console.log(`\nFailed: ${broken.join(", ")}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
