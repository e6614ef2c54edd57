/** `maestro validate FILE…`: checks definition files without a server. */
import { JSON_OPTION, option, positional } from "./argument.ts";
import type { CheckSetting } from "./check.ts";
import { type Command, EXIT, type Io } from "./command.ts";
import { printJson } from "./output.ts";
import { configOf, settingOptions } from "./setting.ts";
import { type Finding, readDefinition, SourceError } from "./source.ts";

const FILES = positional({ name: "FILE", summary: "A definition in JSON or YAML; - for stdin", repeat: true });
const STEP_TYPE = option({
  name: "--step-type",
  placeholder: "TYPE",
  summary: "Accept a plugin's step type (repeatable)",
  repeat: true,
});

export const validateCommand: Command = {
  name: "validate",
  summary: "Check definition files; needs no server",
  positionals: [FILES],
  options: [{ ...JSON_OPTION, summary: "Print the findings as JSON" }, STEP_TYPE, ...settingOptions("--config")],
  examples: ["validate etl.json", "validate workflows/*.yaml", "validate --json - < etl.yaml"],
  detail: [
    "A file holds what a push sends: { properties, workflow }. Each finding is printed with the file's line and column;",
    "any but a warning makes the exit code 1. An error is what a server with these settings refuses, by the same rules,",
    "a dry run of the workflow's params included. A warning is what it takes and a run may fail for: an expression of a",
    "step that does not parse, a validator that can't be run, a reference to a param that nothing in the file has.",
  ].join("\n"),
  run: async (args, io) => {
    const { builtinTypes } = await import("./plugin.ts");
    const plugins = await builtinTypes();
    const setting = { config: configOf(args, io), plugins, stepTypes: args.all(STEP_TYPE), user: io.user };
    const findings: Finding[] = [];
    for (const file of args.all(FILES)) {
      const found = await validateFile(file, setting, io);
      if (!found.some(isError)) io.err(`${file}: ok${found.length === 0 ? "" : `, ${found.length} to look at`}`);
      findings.push(...found);
    }
    if (args.has(JSON_OPTION))
      printJson(
        io,
        findings.map(({ shown: _, ...rest }) => rest),
      );
    else for (const { shown } of findings) io.out(shown);
    return findings.some(isError) ? EXIT.FAILURE : EXIT.OK;
  },
};

const isError = ({ level }: Finding): boolean => level !== "warning";

async function validateFile(file: string, setting: CheckSetting, io: Io): Promise<readonly Finding[]> {
  try {
    const { check } = await import("./check.ts");
    return check(await readDefinition(file, io), setting);
  } catch (error) {
    if (error instanceof SourceError) return error.findings;
    throw error;
  }
}
