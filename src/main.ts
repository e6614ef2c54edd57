#!/usr/bin/env bun
/** The executable: argv → command. */
import { Arguments } from "./cli/argument.ts";
import { processIo } from "./cli/io.ts";
import { versionCommand } from "./cli/version.ts";

const argv = process.argv.slice(2);
const io = processIo();

async function runCommand() {
  const [{ dispatch }, { COMMANDS, GROUPS }] = await Promise.all([
    import("./cli/dispatch.ts"),
    import("./cli/index.ts"),
  ]);
  return dispatch(argv, COMMANDS, GROUPS, io);
}

// Scripts ask for the version often: the other commands are not loaded for it.
const isVersion = argv.length === 1 && /^(?:version|--version|-V)$/.test(argv[0] ?? "");
// Not `process.exit`: what is still in the pipes of stdout and stderr gets out first.
process.exitCode = await (isVersion ? versionCommand.run(new Arguments(), io) : runCommand());
