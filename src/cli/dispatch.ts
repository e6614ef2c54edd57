/** From argv to a command, and from whatever it throws to a message and an exit code. */
import { MaestroError } from "../error.ts";
import { printable } from "../printable.ts";
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
  if (error instanceof UsageError) {
    const command = ["maestro", error instanceof CommandUsageError ? error.command : name].join(" ").trim();
    io.err(`${command}: ${printable(error.message)}`);
    io.err(`Try: ${command} --help`);
    return EXIT.USAGE;
  }
  const message = error instanceof Error ? error.message : String(error);
  io.err(`maestro: ${printable(message)}`);
  if (error instanceof Failure || error instanceof MaestroError) {
    for (const detail of error.details) io.err(printable(detail.includes("\n") ? detail : `  ${detail}`));
  }
  if (error instanceof Failure) return error.exit;
  if (error instanceof ConfigError) return EXIT.USAGE;
  if (error instanceof MaestroError) return exitOf(error.code);
  if (io.env.MAESTRO_DEBUG && error instanceof Error && error.stack) io.err(printable(error.stack));
  return EXIT.FAILURE;
}
