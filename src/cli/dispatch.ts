/** From argv to a command, and from whatever it throws to a message and an exit code. */

import { closest } from "../definition/suggest.ts";
import { MaestroError } from "../error.ts";
import { ConfigError } from "../server/config.ts";
import { parseArguments, UsageError } from "./argument.ts";
import { type Command, EXIT, type Exit, exitOf, Failure, type Io } from "./command.ts";
import { groupHelp, HELP_OPTION, longHelp, overview, shortHelp } from "./help.ts";

/** @param groups what the commands of a group are for, by the group's name. */
export async function dispatch(
  argv: readonly string[],
  commands: readonly Command[],
  groups: Readonly<Record<string, string>>,
  io: Io,
): Promise<Exit> {
  try {
    return await route(argv, commands, groups, io);
  } catch (error) {
    return report(error, io);
  }
}

async function route(
  argv: readonly string[],
  commands: readonly Command[],
  groups: Readonly<Record<string, string>>,
  io: Io,
): Promise<Exit> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.err(overview(commands, groups));
    return EXIT.USAGE;
  }
  if (first === "help") return route([...rest, "--help"], commands, groups, io);
  if (first === "--version" || first === "-V") return route(["version", ...rest], commands, groups, io);
  if (isHelp(first)) {
    io.out(overview(commands, groups));
    return EXIT.OK;
  }
  const summary = Object.hasOwn(groups, first) ? groups[first] : undefined;
  const verb = rest[0];
  if (summary !== undefined && (verb === undefined || isHelp(verb))) {
    const text = groupHelp(first, summary, commands);
    (verb === undefined ? io.err : io.out)(text);
    return verb === undefined ? EXIT.USAGE : EXIT.OK;
  }
  const name = summary === undefined ? first : `${first} ${verb}`;
  const command = commands.find((it) => it.name === name);
  if (!command) throw unknownCommand(name, first, commands, groups);
  return runCommand(command, summary === undefined ? rest : rest.slice(1), io);
}

async function runCommand(command: Command, argv: readonly string[], io: Io): Promise<Exit> {
  const asked = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).find(isHelp);
  if (asked !== undefined) {
    io.out(asked === HELP_OPTION.short ? shortHelp(command) : longHelp(command));
    return EXIT.OK;
  }
  try {
    return await command.run(parseArguments(command, argv), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`maestro ${command.name}: ${error.message}`);
    io.err(`Try: maestro ${command.name} --help`);
    return EXIT.USAGE;
  }
}

const isHelp = (word: string): boolean => word === HELP_OPTION.name || word === HELP_OPTION.short;

function unknownCommand(
  name: string,
  first: string,
  commands: readonly Command[],
  groups: Readonly<Record<string, string>>,
): UsageError {
  const inGroup = Object.hasOwn(groups, first);
  const names = commands.map((it) => it.name).filter((it) => !inGroup || it.startsWith(`${first} `));
  const meant = closest(name, inGroup ? names : [...names, ...Object.keys(groups)]);
  const hint = meant === undefined ? "" : `; did you mean "maestro ${meant}"?`;
  return new UsageError(`there is no command "${name}"${hint}`);
}

/** A failure as its message and its findings; never a bare stack trace. */
function report(error: unknown, io: Io): Exit {
  if (error instanceof UsageError) {
    io.err(`maestro: ${error.message}`);
    io.err("Try: maestro --help");
    return EXIT.USAGE;
  }
  const message = error instanceof Error ? error.message : String(error);
  io.err(`maestro: ${message}`);
  if (error instanceof Failure || error instanceof MaestroError) {
    for (const detail of error.details) io.err(detail.includes("\n") ? detail : `  ${detail}`);
  }
  if (error instanceof Failure) return error.exit;
  if (error instanceof ConfigError) return EXIT.USAGE;
  if (error instanceof MaestroError) return exitOf(error.code);
  if (io.env.MAESTRO_DEBUG && error instanceof Error && error.stack) io.err(error.stack);
  return EXIT.FAILURE;
}
