/** Help texts: commander's lists of arguments and options, with examples before them. */
import type { Command as Commander } from "commander";
import type { Command } from "./command.ts";
import { nameOf } from "./parser.ts";

type Groups = Readonly<Record<string, string>>;

/** The overview, the commands of a group, or a command. */
export function helpOf(node: Commander, isLong: boolean, commands: readonly Command[], groups: Groups): string {
  if (node.parent === null) return overview(commands, groups);
  const command = commands.find((it) => it.name === nameOf(node));
  if (!command) return `${node.description()}.\n\n${lists(node)}`;
  return isLong ? longHelp(command, node) : shortHelp(command, node);
}

/** All commands, a group a paragraph. */
function overview(commands: readonly Command[], groups: Groups): string {
  const width = Math.max(...commands.map((it) => it.name.length)) + 2;
  const list = (own: readonly Command[]) => own.map((it) => `  ${it.name.padEnd(width)}${it.summary}`);
  const grouped = Object.entries(groups).flatMap(([group, title]) => [
    "",
    `${title}:`,
    ...list(commands.filter((it) => it.name.startsWith(`${group} `))),
  ]);
  return [
    "maestro runs workflows: `maestro serve` starts a server, the other commands talk to it.",
    "",
    "Usage: maestro COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...list(commands.filter((it) => !it.name.includes(" "))),
    ...grouped,
    "",
    "`maestro COMMAND --help` shows examples and every option.",
  ].join("\n");
}

/** `-h`: what it does and how it is called. */
function shortHelp(command: Command, node: Commander): string {
  const advanced = command.options.filter((it) => it.advanced === true).map((it) => it.name);
  const more = advanced.length === 0 ? "" : `\n\n--help shows ${advanced.length} more options, and examples.`;
  return `${command.summary}.\n\n${lists(node, advanced)}${more}`;
}

/** `--help`: examples first, then everything. */
function longHelp(command: Command, node: Commander): string {
  return [
    `${command.summary}.`,
    "",
    "Examples:",
    ...command.examples.map((it) => `  maestro ${it}`),
    ...(command.detail === undefined ? [] : ["", command.detail]),
    "",
    lists(node),
  ].join("\n");
}

/** How it is called, its arguments, its options and its commands. @param without names of options to leave out */
function lists(node: Commander, without: readonly string[] = []): string {
  const options = node.options.filter((it) => !it.hidden && !without.includes(it.long ?? ""));
  node.configureHelp({ helpWidth: 110, visibleOptions: () => options, commandDescription: () => "" });
  return node.helpInformation().trimEnd();
}
