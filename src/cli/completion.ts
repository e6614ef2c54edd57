/** `maestro completion SHELL`: scripts made from the command tables. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the scripts hold shell variables.
import type { OptionSpec } from "./argument.ts";
import { type Command, EXIT } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

type Groups = Readonly<Record<string, string>>;

/**
 * @param all every command, this one included
 * @param groups what the commands of a group are for
 */
export const completionCommand = (all: () => readonly Command[], groups: Groups): Command => ({
  name: "completion",
  summary: "Print a shell's completion script",
  positionals: [{ name: "SHELL", summary: "The shell", choices: SHELLS }],
  options: [],
  examples: ["completion bash > ~/.local/share/bash-completion/completions/maestro", "completion fish | source"],
  detail: 'In bash and zsh: eval "$(maestro completion bash)", or zsh, in the shell\'s start-up file.',
  run: async (args, io) => {
    io.out(SCRIPTS[args.at(0) as Shell](all(), groups));
    return EXIT.OK;
  },
});

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Command[], groups: Groups) => string>> = {
  bash: (commands) => `${bashFunction(commands)}\ncomplete -o filenames -F _maestro maestro`,
  zsh: (commands) =>
    `autoload -Uz +X compinit bashcompinit && compinit && bashcompinit\n${bashFunction(commands)}\ncomplete -o filenames -F _maestro maestro`,
  fish: fishScript,
};

const groupsOf = (commands: readonly Command[]): readonly string[] => [
  ...new Set(commands.filter((it) => it.name.includes(" ")).map((it) => it.name.split(" ")[0] ?? "")),
];

/** What may come first: groups and commands of one word. */
const firstWords = (commands: readonly Command[]): readonly string[] => [
  ...new Set(commands.map((it) => it.name.split(" ")[0] ?? "")),
];

const verbsOf = (commands: readonly Command[], group: string): readonly string[] =>
  commands.filter((it) => it.name.startsWith(`${group} `)).map((it) => it.name.slice(group.length + 1));

function bashFunction(commands: readonly Command[]): string {
  const groups = groupsOf(commands);
  const verbs = groups.map((group) => `    ${group}) words="${verbsOf(commands, group).join(" ")}" ;;`);
  const options = commands.map((it) => {
    const words = [...it.options.map((option) => option.name), "--help", ...choicesOf(it)];
    const files = it.positionals.some((positional) => positional.file === true);
    return `    "${it.name}") words="${words.join(" ")}"; files=${files ? "yes" : "no"} ;;`;
  });
  const all = uniqueOptions(commands);
  const chosen = all.filter((it) => it.choices !== undefined);
  const withFile = all.filter((it) => it.file === true).map((it) => it.name);
  return [
    "_maestro() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" words="" files=no',
    '  local key="${COMP_WORDS[1]}" depth=2',
    `  case " ${groups.join(" ")} " in *" $key "*) key="$key \${COMP_WORDS[2]}"; depth=3 ;; esac`,
    '  case "$prev" in',
    ...chosen.map((it) => `    ${it.name}) COMPREPLY=($(compgen -W "${it.choices?.join(" ")}" -- "$cur")); return ;;`),
    `    ${withFile.join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    "  esac",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${firstWords(commands).join(" ")} help"`,
    '  elif [ "$COMP_CWORD" -lt "$depth" ]; then case "${COMP_WORDS[1]}" in',
    ...verbs,
    "  esac",
    '  else case "$key" in',
    ...options,
    "  esac; fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '  [ "$files" = no ] || COMPREPLY+=($(compgen -f -- "$cur"))',
    "}",
  ].join("\n");
}

const choicesOf = (command: Command): readonly string[] => command.positionals.flatMap((it) => it.choices ?? []);

function uniqueOptions(commands: readonly Command[]): readonly OptionSpec[] {
  const byName = new Map(commands.flatMap((it) => it.options).map((it) => [it.name, it]));
  return [...byName.values()];
}

function fishScript(commands: readonly Command[], titles: Groups): string {
  const groups = groupsOf(commands);
  const lines = ["complete -c maestro -f"];
  for (const word of firstWords(commands)) {
    const summary = commands.find((it) => it.name === word)?.summary ?? titles[word] ?? word;
    lines.push(`complete -c maestro -n __fish_use_subcommand -a ${word} -d ${quoted(summary)}`);
  }
  for (const group of groups) {
    const verbs = verbsOf(commands, group).join(" ");
    const here = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${verbs}`;
    for (const it of commands.filter((command) => command.name.startsWith(`${group} `))) {
      const verb = it.name.slice(group.length + 1);
      lines.push(`complete -c maestro -n ${quoted(here)} -a ${verb} -d ${quoted(it.summary)}`);
    }
  }
  for (const command of commands) lines.push(...fishOptions(command));
  return lines.join("\n");
}

function fishOptions(command: Command): readonly string[] {
  const here = quoted(
    command.name
      .split(" ")
      .map((it) => `__fish_seen_subcommand_from ${it}`)
      .join("; and "),
  );
  const lines = command.options.map((it) => {
    const value = it.placeholder === undefined ? "" : it.file === true ? " -r -F" : " -x";
    const choices = it.choices === undefined ? "" : ` -a ${quoted(it.choices.join(" "))}`;
    const short = it.short === undefined ? "" : ` -s ${it.short.slice(1)}`;
    return `complete -c maestro -n ${here} -l ${it.name.slice(2)}${short}${value}${choices} -d ${quoted(it.summary)}`;
  });
  if (command.positionals.some((it) => it.file === true)) lines.push(`complete -c maestro -n ${here} -F`);
  const choices = choicesOf(command);
  if (choices.length > 0) lines.push(`complete -c maestro -n ${here} -a ${quoted(choices.join(" "))}`);
  return lines;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
