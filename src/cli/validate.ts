/** `maestro validate FILE…`: checks definition files without a server. */

import { DEFAULT_LIMITS, type DefinitionLimits } from "../definition/limit.ts";
import { parseWorkflowCreateRequest } from "../definition/validate.ts";
import { MaestroError } from "../error.ts";
import { type Json, stringifyJson } from "../json.ts";
import { builtinPlugins } from "../spawn.ts";
import type { Arguments } from "./argument.ts";
import { type Command, EXIT, type Io } from "./command.ts";
import { briefProblemOf, expressionsOf } from "./expression.ts";
import { referenceWarnings } from "./reference.ts";
import { type Finding, locate, readDefinition, SourceError } from "./source.ts";
import { validatorProblems } from "./validator.ts";

export const validateCommand: Command = {
  name: "validate",
  summary: "Check definition files; needs no server",
  positionals: [{ name: "FILE", summary: "A definition in JSON or YAML; - for stdin", repeat: true, file: true }],
  options: [
    { name: "--json", summary: "Print the findings as JSON" },
    {
      name: "--step-type",
      placeholder: "TYPE",
      summary: "Accept a plugin's step type (repeatable)",
      repeat: true,
    },
  ],
  examples: ["validate etl.json", "validate workflows/*.yaml", "validate --json - < etl.json"],
  detail: [
    "A file holds what a push sends: { properties, workflow }. Each finding is printed with the file's line and column;",
    "any but a warning makes the exit code 1. Expressions are parsed, and evaluated only at the push, by the server's",
    "dry run. A validator that can't be run is a warning, and an error for a server that enforces validators. A reference",
    "to a param that nothing in the file has is a warning, too: a start may give it.",
  ].join("\n"),
  run: async (args, io) => {
    const findings: Finding[] = [];
    for (const file of args.positionals) {
      const found = await validateFile(file, limitsOf(args), io);
      if (!found.some(isError)) io.err(`${file}: ok${found.length === 0 ? "" : `, ${found.length} to look at`}`);
      findings.push(...found);
    }
    if (args.has("--json")) io.out(stringifyJson(findings.map(({ shown: _, ...rest }) => rest)));
    else for (const { shown } of findings) io.out(shown);
    return findings.some(isError) ? EXIT.FAILURE : EXIT.OK;
  },
};

const isError = ({ level }: Finding): boolean => level !== "warning";

const limitsOf = (args: Arguments): DefinitionLimits => ({
  ...DEFAULT_LIMITS,
  stepTypes: [...DEFAULT_LIMITS.stepTypes, ...builtinPlugins(), ...args.all("--step-type")],
});

async function validateFile(file: string, limits: DefinitionLimits, io: Io): Promise<readonly Finding[]> {
  try {
    const source = await readDefinition(file, io);
    return [
      ...[...problemsOf(source.value, limits), ...expressionProblems(source.value)].map((it) => locate(source, it)),
      ...validatorProblems(source.value).map((it) => ({ ...locate(source, it), level: "warning" as const })),
      ...referenceWarnings(source),
    ];
  } catch (error) {
    if (error instanceof SourceError) return error.findings;
    throw error;
  }
}

/** Lines `path: problem` of what the rules of definitions say. */
function problemsOf(value: Json, limits: DefinitionLimits): readonly string[] {
  try {
    parseWorkflowCreateRequest(value, limits);
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    return error.details.length > 0 ? error.details : [error.message];
  }
}

const expressionProblems = (value: Json): readonly string[] =>
  expressionsOf(value).flatMap(({ path, source }) => {
    const problem = briefProblemOf(source);
    return problem === undefined ? [] : [`${path}: ${problem}`];
  });
