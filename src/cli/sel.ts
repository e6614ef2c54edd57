/** `maestro sel …`: the expression language, without a server. */
import { type Expression, expressionsOf } from "../definition/expression.ts";
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import { parseWire } from "../definition/parse.ts";
import { MaestroError } from "../error.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../json.ts";
import { toJson, toSel } from "../param/literal.ts";
import { evaluate, formatError, references, SelError, type SelValue, sanitize } from "../sel/index.ts";
import { selLimits } from "../server/evaluation/setting.ts";
import { type Arguments, JSON_OPTION, option, positional, UsageError } from "./argument.ts";
import { type Command, EXIT, type Exit, Failure, type Io } from "./command.ts";
import { problemOf, warningsOf } from "./expression.ts";
import { object, printJson } from "./output.ts";
import { configOf, settingOptions } from "./setting.ts";
import { locate, readDefinition, readText, type Source } from "./source.ts";
import { type ParamValue, parseParam } from "./value.ts";

/** Settings of the server that limit an evaluation here, too. */
const LIMITS = ["length", "loop", "array", "stack", "visits", "memory", "timeout-ms"].map((name) => `--sel-${name}`);

const EXPRESSION = positional({ name: "EXPRESSION", summary: "The expression", optional: true });
const PARAM = option({
  name: "--param",
  short: "-p",
  placeholder: "NAME[:TYPE]=VALUE",
  summary: "A param (repeatable)",
  repeat: true,
  read: parseParam,
});
const BATCH = option({
  name: "--batch",
  placeholder: "FILE",
  summary: "Evaluate a file of test vectors, one JSON a line",
});
const FILE = positional({ name: "FILE", summary: "A program, or a definition in .json or .yaml; - for stdin" });

const evalCommand: Command = {
  name: "sel eval",
  summary: "Evaluate an expression",
  positionals: [EXPRESSION],
  options: [PARAM, BATCH, { ...JSON_OPTION, summary: "Print the type, too" }, ...settingOptions(...LIMITS, "--config")],
  examples: [
    "sel eval '1 + 2'",
    "sel eval 'x * 2 > limit' --param x=7 --param limit:DOUBLE=12",
    "sel eval --batch cases.jsonl",
  ],
  detail: [
    "The result is printed as JSON. What a param's value looks like decides its type, as with `run start`. The limits",
    "are the server's, as its settings have them; the vectors of a batch bring their own.",
  ].join("\n"),
  run: async (args, io) => {
    const batch = args.get(BATCH);
    const source = args.get(EXPRESSION);
    if ((batch === undefined) === (source === undefined)) {
      throw new UsageError("give either an EXPRESSION or --batch FILE");
    }
    if (batch !== undefined) return evaluateBatch(batch, io);
    return evaluateOne(source ?? "", args, io);
  },
};

function evaluateOne(source: string, args: Arguments, io: Io): Exit {
  const limits = selLimits(configOf(args, io).sel);
  const params = new Map(args.all(PARAM));
  const variables = (name: string): SelValue | undefined => {
    const param = params.get(name);
    return param && toSel(param.type, plain(param));
  };
  try {
    for (const name of references(source)) {
      if (!params.has(name) && name !== "params") io.err(`${name} is not given, so it is null: --param ${name}=…`);
    }
    const result = evaluate(source, {
      variables,
      limits,
      clock: () => performance.now(),
      now: Date.now(),
      seed: Math.floor(Math.random() * 2 ** 48),
    });
    const value = toJson(result);
    printJson(io, args.has(JSON_OPTION) ? { type: result.type, value } : value);
    return EXIT.OK;
  } catch (error) {
    if (!(error instanceof SelError)) throw error;
    io.err(formatError(sanitize(source), error));
    return EXIT.FAILURE;
  }
}

/** A MAP literal holds definitions; expressions see values. */
function plain({ type, value }: ParamValue): Json {
  if (type !== "MAP" || !isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(object(item) as unknown as ParamValue)]),
  );
}

/** Each line's answer on a line of its own, in order. */
async function evaluateBatch(file: string, io: Io): Promise<Exit> {
  const { evaluateVector } = await import("../sel/vector.ts");
  const lines = (await readText(file, io)).split("\n").filter((it) => it.trim() !== "");
  for (const [index, line] of lines.entries()) printJson(io, evaluateVector(vectorOf(line, index)));
  return EXIT.OK;
}

function vectorOf(line: string, index: number): JsonObject {
  try {
    const value = parseJson(line);
    if (isJsonObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new Failure(`vector ${index + 1} is not a JSON object: ${line.slice(0, 80)}`);
}

const checkCommand: Command = {
  name: "sel check",
  summary: "Check that expressions parse, and warn of what surprises",
  positionals: [FILE],
  options: [],
  examples: ["sel check condition.sel", "sel check etl.yaml", "sel check - < condition.sel"],
  detail: [
    "Of a definition, every expression, condition of a transition and condition of a while step is checked. Warnings are",
    "about programs that rely on ways of the language that Java does not have, such as declarations that alias, or &&",
    "that evaluates both its sides. They leave the exit code 0.",
  ].join("\n"),
  run: async (args, io) => {
    const file = args.need(FILE);
    const expressions = /\.(json|ya?ml)$/i.test(file)
      ? expressionsIn(await readDefinition(file, io))
      : [{ path: "", source: await readText(file, io) }];
    let failed = 0;
    let warned = 0;
    for (const { path, source } of expressions) {
      const problem = problemOf(source);
      const where = path === "" ? file : `${file}: ${path}`;
      if (problem === undefined) {
        const warnings = warningsOf(where, source);
        warned += warnings.length;
        for (const warning of warnings) io.out(warning);
        continue;
      }
      failed += 1;
      io.out(`${where}\n${problem.replace(/^/gm, "  ")}`);
    }
    const counts = [failed === 0 ? "ok" : `${failed} wrong`, ...(warned > 0 ? [`${warned} to look at`] : [])];
    io.err(`${file}: ${counts.join(", ")}, ${expressions.length} checked`);
    return failed === 0 ? EXIT.OK : EXIT.FAILURE;
  },
};

/** @throws Failure when the file is no definition */
function expressionsIn(source: Source): readonly Expression[] {
  try {
    const { workflow } = parseWire(workflowCreateRequestSchema, source.value, `${source.file} is no definition`);
    return expressionsOf(workflow);
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    const details = error.details.map((line) => locate(source, line).shown);
    throw new Failure(error.message, EXIT.FAILURE, details);
  }
}

export const SEL_COMMANDS: readonly Command[] = [evalCommand, checkCommand];
