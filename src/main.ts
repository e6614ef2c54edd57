#!/usr/bin/env bun
/** The executable: argv → command. */
import { dispatch } from "./cli/dispatch.ts";
import { COMMANDS, GROUPS } from "./cli/index.ts";
import { processIo } from "./cli/io.ts";

const exit = await dispatch(process.argv.slice(2), COMMANDS, GROUPS, processIo());
// Not `process.exit`: what is still in the pipes of stdout and stderr gets out first.
process.exitCode = exit;
