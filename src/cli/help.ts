/** Help texts, made from the command tables. */
import type { OptionSpec, PositionalSpec } from "./argument.ts";
import type { Command } from "./command.ts";

export const HELP_OPTION: OptionSpec = { name: "--help", short: "-h", summary: "Show help; --help shows all of it" };

/** All commands, a group a paragraph. */
export function overview(commands: readonly Command[], groups: Readonly<Record<string, string>>): string {
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

/** The commands of one group. */
export function groupHelp(group: string, summary: string, commands: readonly Command[]): string {
  const own = commands.filter((it) => it.name.startsWith(`${group} `));
  const width = Math.max(...own.map((it) => it.name.length)) + 2;
  return [
    `${summary}.`,
    "",
    `Usage: maestro ${group} COMMAND [OPTIONS]`,
    "",
    "Commands:",
    ...own.map((it) => `  ${it.name.padEnd(width)}${it.summary}`),
  ].join("\n");
}

/** `-h`: what it does and how it is called. */
export function shortHelp(command: Command): string {
  const options = command.options.filter((it) => it.advanced !== true);
  const hidden = command.options.length - options.length;
  return [
    `${command.summary}.`,
    "",
    ...usage(command, [...options, HELP_OPTION]),
    ...(hidden > 0 ? ["", `--help shows ${hidden} more options, and examples.`] : []),
  ].join("\n");
}

/** `--help`: examples first, then everything. */
export function longHelp(command: Command): string {
  return [
    `${command.summary}.`,
    "",
    "Examples:",
    ...command.examples.map((it) => `  maestro ${it}`),
    ...(command.detail === undefined ? [] : ["", command.detail]),
    "",
    ...usage(command, [...command.options, HELP_OPTION]),
  ].join("\n");
}

/** `maestro run get WORKFLOW INSTANCE [OPTIONS]` */
export function synopsis(command: Command): string {
  const words = command.positionals.map((it) => {
    const word = it.repeat === true ? `${it.name}…` : it.name;
    return it.optional === true ? `[${word}]` : word;
  });
  return ["maestro", command.name, ...words, ...(command.options.length > 0 ? ["[OPTIONS]"] : [])].join(" ");
}

function usage(command: Command, options: readonly OptionSpec[]): readonly string[] {
  return [
    `Usage: ${synopsis(command)}`,
    ...section("Arguments", command.positionals.map(positionalRow)),
    ...section("Options", options.map(optionRow)),
  ];
}

type Row = readonly [head: string, text: string];

function section(title: string, rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  const width = Math.min(34, Math.max(...rows.map(([head]) => head.length)) + 2);
  return [
    "",
    `${title}:`,
    ...rows.map(([head, text]) => `  ${head.padEnd(width)}${head.length < width ? "" : " "}${text}`),
  ];
}

const positionalRow = (it: PositionalSpec): Row => [
  it.name,
  it.choices === undefined ? it.summary : `${it.summary}: ${it.choices.join(", ")}`,
];

function optionRow(it: OptionSpec): Row {
  const short = it.short === undefined ? "    " : `${it.short}, `;
  const value = it.placeholder === undefined ? "" : ` ${it.placeholder}`;
  return [`${short}${it.name}${value}`, it.otherwise === undefined ? it.summary : `${it.summary} [${it.otherwise}]`];
}
