/**
 * From argv to a command and what it was given, by commander: its tree is made from the tables of the commands. Options
 * of a command may stand before it where all commands of their name mean the same.
 */
import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { Arguments, JSON_OPTION, type OptionSpec, UsageError } from "./argument.ts";
import type { Command } from "./command.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";

/** What the commands of a group are for, by the group's name. */
export type Groups = Readonly<Record<string, string>>;

/** What is asked for. */
export type Request =
  | { readonly kind: "run"; readonly command: Command; readonly args: Arguments }
  /** @property node the command, a group or the root */
  | { readonly kind: "help"; readonly node: Commander; readonly isLong: boolean }
  /** Words that name a group, or nothing. */
  | { readonly kind: "incomplete"; readonly node: Commander };

/** May stand before the command. */
const EARLY: readonly OptionSpec[] = [...CLIENT_SETTING_OPTIONS, JSON_OPTION];

/** A usage error of the command whose words could be told apart. */
export class CommandUsageError extends UsageError {
  constructor(
    /** `run start`; empty for the root. */
    readonly command: string,
    message: string,
  ) {
    super(message);
  }
}

/** @throws UsageError */
export function parse(argv: readonly string[], commands: readonly Command[], groups: Groups): Request {
  const args = new Arguments();
  const state: { request?: Request; node: Commander; isLong?: boolean } = { node: new Commander() };
  const tree = treeOf(commands, groups, {
    add: (spec, text) => args.add(spec, text),
    chosen: (node, command) => {
      state.node = node;
      const early = EARLY.find((it) => args.has(it) && !command.options.some(({ name }) => name === it.name));
      if (early !== undefined) throw new UsageError(`takes no ${early.name}`);
      state.request = { kind: "run", command, args };
    },
    entered: (node) => {
      state.node = node;
    },
    // A command's other words don't matter then; those of a group or the root may name no command.
    helpAsked: (node, isLong) => {
      state.isLong ??= isLong;
      if (node.commands.length === 0) throw new HelpAsked();
    },
  });
  state.node = tree;
  try {
    tree.parse(normalized(argv), { from: "user" });
  } catch (error) {
    const isUnknown = error instanceof CommanderError && error.code === "commander.unknownCommand";
    if (state.isLong !== undefined && !isUnknown) return { kind: "help", node: state.node, isLong: state.isLong };
    if (error instanceof UsageError) throw new CommandUsageError(nameOf(state.node), error.message);
    if (error instanceof CommanderError && error.code === "commander.help")
      return { kind: "incomplete", node: state.node };
    if (error instanceof CommanderError) throw new CommandUsageError(nameOf(state.node), messageOf(error));
    throw error;
  }
  if (state.isLong !== undefined) return { kind: "help", node: state.node, isLong: state.isLong };
  return state.request ?? { kind: "incomplete", node: tree };
}

/** Spellings of commands that are no words: `help run get`, `--version`. */
function normalized(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === "help") return [...rest, "--help"];
  return first === "--version" || first === "-V" ? ["version", ...rest] : argv;
}

/** `run start` */
export function nameOf(node: Commander): string {
  return node.parent === null ? "" : `${nameOf(node.parent)} ${node.name()}`.trim();
}

/** `error: unknown option '--jsno'\n(Did you mean --json?)` in one line, without what every line begins with. */
const messageOf = ({ message }: CommanderError): string => message.replace(/^error: /, "").replaceAll("\n", " ");

/** Ends the reading of a command's words. */
class HelpAsked extends Error {}

interface Listener {
  add(spec: OptionSpec | Command["positionals"][number], text: string): void;
  /** Words have led to this node. */
  entered(node: Commander): void;
  chosen(node: Commander, command: Command): void;
  /** By `-h` or, for long, `--help`. */
  helpAsked(node: Commander, isLong: boolean): void;
}

const IDLE: Listener = { add() {}, entered() {}, chosen() {}, helpAsked() {} };

/** The tree of all commands, for help and completion too. */
export function treeOf(commands: readonly Command[], groups: Groups, listener = IDLE): Commander {
  const root = branch(new Commander("maestro"), "", listener);
  const branches = new Map(
    Object.entries(groups).map(([name, summary]) => [name, branch(new Commander(name), summary, listener)]),
  );
  for (const command of commands) {
    const [first = "", verb] = command.name.split(" ");
    const node = leaf(new Commander(verb ?? first), command, listener);
    const parent = verb === undefined ? root : branches.get(first);
    parent?.addCommand(node);
  }
  for (const [name, node] of branches) {
    if (commands.some((it) => it.name.startsWith(`${name} `))) root.addCommand(node);
  }
  return root;
}

/** The root or a group. */
function branch(node: Commander, summary: string, listener: Listener): Commander {
  silent(node).description(summary).usage("COMMAND [OPTIONS]").enablePositionalOptions();
  for (const spec of EARLY) addOption(node, { ...spec, advanced: true }, listener).hideHelp();
  addHelp(node, listener);
  return node.hook("preSubcommand", (_, next) => listener.entered(next));
}

function leaf(node: Commander, command: Command, listener: Listener): Commander {
  silent(node).description(command.summary);
  for (const spec of command.positionals) {
    const word = spec.repeat === true ? `${spec.name}...` : spec.name;
    const argument = new Argument(spec.optional === true ? `[${word}]` : `<${word}>`, spec.summary);
    if (spec.choices !== undefined) argument.choices([...spec.choices]);
    argument.argParser((text: string) => listener.add(spec, text));
    node.addArgument(argument);
  }
  for (const spec of command.options) addOption(node, spec, listener);
  addHelp(node, listener);
  return node.action(() => listener.chosen(node, command));
}

/** Errors are thrown, and nothing is written. */
function silent(node: Commander): Commander {
  return node
    .exitOverride()
    .configureOutput({ writeOut() {}, writeErr() {} })
    .helpOption(false)
    .helpCommand(false);
}

function addOption(node: Commander, spec: OptionSpec, listener: Listener): Option {
  const { name, short, placeholder, summary, otherwise, choices } = spec;
  const flags = `${short === undefined ? "" : `${short}, `}${name}${placeholder === undefined ? "" : ` <${placeholder}>`}`;
  const option = new Option(flags, otherwise === undefined ? summary : `${summary} [${otherwise}]`);
  if (choices !== undefined) option.choices([...choices]);
  if (placeholder !== undefined) option.argParser((text: string) => listener.add(spec, text));
  node.addOption(option);
  if (placeholder === undefined) node.on(`option:${option.name()}`, () => listener.add(spec, "true"));
  return option;
}

/** `-h` is short, `--help` is long. */
function addHelp(node: Commander, listener: Listener): void {
  const [short, long] = [new Option("-h").hideHelp(), new Option("--help", "Show all of help; -h shows less")];
  node.addOption(short).addOption(long);
  node.on("option:h", () => listener.helpAsked(node, false)).on("option:help", () => listener.helpAsked(node, true));
}
