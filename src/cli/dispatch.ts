/** From argv to a command, and from whatever it throws to a message and an exit code. */
import { MaestroError } from "../error.ts";
import { inLine } from "../printable.ts";
import { ConfigError } from "../server/config.ts";
import { UsageError } from "./argument.ts";
import { type Command, EXIT, type Exit, exitOf, Failure, type Io } from "./command.ts";
import { helpOf } from "./help.ts";
import { printing } from "./output.ts";
import { CommandUsageError, type Groups, parse } from "./parser.ts";

export async function dispatch(
  argv: readonly string[],
  commands: readonly Command[],
  groups: Groups,
  io: Io,
): Promise<Exit> {
  const safe = printing(io);
  let name = "";
  try {
    const request = parse(argv, commands, groups);
    if (request.kind === "run") {
      name = request.command.name;
      return await request.command.run(request.args, safe);
    }
    if (request.kind === "help") {
      safe.out(helpOf(request.node, request.isLong, commands, groups));
      return EXIT.OK;
    }
    safe.err(helpOf(request.node, true, commands, groups));
    return EXIT.USAGE;
  } catch (error) {
    return report(error, name, safe);
  }
}

/** A failure as its message and its findings; never a bare stack trace. */
function report(error: unknown, name: string, io: Io): Exit {
  if (error instanceof UsageError || error instanceof ConfigError) {
    const command = ["maestro", error instanceof CommandUsageError ? error.command : name].join(" ").trim();
    io.err(`${command}: ${indented(error.message)}`);
    io.err(`Try: ${command} --help`);
    return EXIT.USAGE;
  }
  const message = error instanceof Error ? error.message : String(error);
  io.err(`maestro: ${inLine(message)}`);
  if (error instanceof Failure) {
    // Excerpts of files begin with the place.
    for (const detail of error.details) io.err(detail.includes("\n") ? detail : `  ${detail}`);
    return error.exit;
  }
  if (error instanceof MaestroError) {
    for (const detail of error.details) io.err(`  ${indented(detail)}`);
    return exitOf(error.code);
  }
  if (io.env.MAESTRO_DEBUG && error instanceof Error && error.stack) io.err(error.stack);
  return EXIT.FAILURE;
}

/** No line of a message looks like one of ours. */
const indented = (text: string): string => text.replaceAll("\n", "\n  ");
