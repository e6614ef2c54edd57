/** Every command, in the order in which help lists them. */
import type { Command } from "./command.ts";
import { serveCommand } from "./serve.ts";
import { versionCommand } from "./version.ts";

export const COMMANDS: readonly Command[] = [serveCommand, versionCommand];

/** What the commands of a group are for. */
export const GROUPS: Readonly<Record<string, string>> = {};
