/** `maestro completion SHELL`: scripts made from commander's tree of the commands. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the scripts hold shell variables.
import type { Argument, Command as Commander, Option } from "commander";
import { positional } from "./argument.ts";
import { type Command, EXIT } from "./command.ts";
import { type Groups, nameOf, treeOf } from "./parser.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const SHELL = positional<Shell>({
  name: "SHELL",
  summary: `The shell: ${SHELLS.join(", ")}`,
  choices: SHELLS,
  read: (text) => text as Shell,
});

/**
 * @param all every command, this one included
 * @param groups what the commands of a group are for
 */
export const completionCommand = (all: () => readonly Command[], groups: Groups): Command => ({
  name: "completion",
  summary: "Print a shell's completion script",
  positionals: [SHELL],
  options: [],
  examples: ["completion bash > ~/.local/share/bash-completion/completions/maestro", "completion fish | source"],
  detail: 'In bash and zsh: eval "$(maestro completion bash)", or zsh, in the shell\'s start-up file.',
  run: async (args, io) => {
    io.out(SCRIPTS[args.need(SHELL)](treeOf(all(), groups)));
    return EXIT.OK;
  },
});

const SCRIPTS: Readonly<Record<Shell, (root: Commander) => string>> = {
  bash: (root) => `${bashFunction(root)}\ncomplete -o filenames -F _maestro maestro`,
  zsh: (root) =>
    `autoload -Uz +X compinit bashcompinit && compinit && bashcompinit\n${bashFunction(root)}\ncomplete -o filenames -F _maestro maestro`,
  fish: fishScript,
};

/** Nodes that lead to others. */
const groupsOf = (root: Commander): readonly Commander[] => root.commands.filter((it) => it.commands.length > 0);

const leavesOf = (root: Commander): readonly Commander[] =>
  root.commands.flatMap((it) => (it.commands.length > 0 ? it.commands : [it]));

const words = (nodes: readonly Commander[]): string => nodes.map((it) => it.name()).join(" ");

/** Those with a long spelling that help shows. */
const optionsOf = (node: Commander): readonly (Option & { readonly long: string })[] =>
  node.options.filter((it): it is Option & { long: string } => it.long !== undefined && !it.hidden);

const FILE_WORDS = /<(?:FILE|DIR|PATH)>/;
const takesFile = (option: Option): boolean => FILE_WORDS.test(option.flags);
const isFile = (argument: Argument): boolean => argument.name() === "FILE";
const choicesOf = (node: Commander): readonly string[] => node.registeredArguments.flatMap((it) => it.argChoices ?? []);

function bashFunction(root: Commander): string {
  const leaves = leavesOf(root);
  const groups = groupsOf(root);
  const options = leaves.map((node) => {
    const list = [...optionsOf(node).map((it) => it.long), ...choicesOf(node)].join(" ");
    return `    "${nameOf(node)}") words="${list}"; files=${node.registeredArguments.some(isFile) ? "yes" : "no"} ;;`;
  });
  const all = new Map(leaves.flatMap(optionsOf).map((it) => [it.long, it]));
  const chosen = [...all.values()].filter((it) => it.argChoices !== undefined);
  const files = [...all.values()].filter(takesFile).map((it) => it.long);
  return [
    "_maestro() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" words="" files=no',
    '  local key="${COMP_WORDS[1]}" depth=2',
    `  case " ${words(groups)} " in *" $key "*) key="$key \${COMP_WORDS[2]}"; depth=3 ;; esac`,
    '  case "$prev" in',
    ...chosen.map(
      (it) => `    ${it.long}) COMPREPLY=($(compgen -W "${it.argChoices?.join(" ")}" -- "$cur")); return ;;`,
    ),
    `    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    "  esac",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${words(root.commands)} help"`,
    '  elif [ "$COMP_CWORD" -lt "$depth" ]; then case "${COMP_WORDS[1]}" in',
    ...groups.map((it) => `    ${it.name()}) words="${words(it.commands)}" ;;`),
    "  esac",
    '  else case "$key" in',
    ...options,
    "  esac; fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '  [ "$files" = no ] || COMPREPLY+=($(compgen -f -- "$cur"))',
    "}",
  ].join("\n");
}

function fishScript(root: Commander): string {
  const lines = ["complete -c maestro -f"];
  const offer = (where: string, node: Commander): void =>
    void lines.push(`complete -c maestro -n ${where} -a ${node.name()} -d ${quoted(node.description())}`);
  for (const node of root.commands) offer("__fish_use_subcommand", node);
  for (const group of groupsOf(root)) {
    const here = `__fish_seen_subcommand_from ${group.name()}; and not __fish_seen_subcommand_from ${words(group.commands)}`;
    for (const node of group.commands) offer(quoted(here), node);
  }
  for (const node of leavesOf(root)) lines.push(...fishOptions(node));
  return lines.join("\n");
}

function fishOptions(node: Commander): readonly string[] {
  const seen = nameOf(node)
    .split(" ")
    .map((it) => `__fish_seen_subcommand_from ${it}`);
  const here = quoted(seen.join("; and "));
  const lines = optionsOf(node).map((it) => {
    const value = !it.required ? "" : takesFile(it) ? " -r -F" : " -x";
    const choices = it.argChoices === undefined ? "" : ` -a ${quoted(it.argChoices.join(" "))}`;
    const short = it.short === undefined ? "" : ` -s ${it.short.slice(1)}`;
    return `complete -c maestro -n ${here} -l ${it.long.slice(2)}${short}${value}${choices} -d ${quoted(it.description)}`;
  });
  if (node.registeredArguments.some(isFile)) lines.push(`complete -c maestro -n ${here} -F`);
  const choices = choicesOf(node);
  if (choices.length > 0) lines.push(`complete -c maestro -n ${here} -a ${quoted(choices.join(" "))}`);
  return lines;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
