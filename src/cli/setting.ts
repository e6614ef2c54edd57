/** The server's settings as command line options, and their values from wherever they are set. */
import { type Config, loadConfig, SETTINGS } from "../server/config.ts";
import type { Arguments, OptionSpec } from "./argument.ts";
import type { Io } from "./command.ts";

/** `--config`, and every setting as an option; those in sections are shown by `--help` only. */
export const SETTING_OPTIONS: readonly OptionSpec[] = [
  ...SETTINGS.map(({ flag, section, option }) => ({
    name: flag,
    placeholder: option.placeholder,
    summary: option.summary,
    otherwise:
      option.otherwise ?? String(option.fallback({ env: {}, cwd: "", home: "", uid: 0, cores: 1, terminal: true })),
    ...(option.choices === undefined ? {} : { choices: option.choices }),
    repeat: option.repeat === true,
    file: option.path === true,
    advanced: section !== "",
  })),
  {
    name: "--config",
    placeholder: "FILE",
    summary: "Settings file",
    otherwise: "./maestro.yaml, then ~/.config/maestro/maestro.yaml",
    file: true,
  },
];

/** A command's part of {@link SETTING_OPTIONS}. */
export const settingOptions = (...names: readonly string[]): readonly OptionSpec[] =>
  SETTING_OPTIONS.filter((it) => names.includes(it.name));

/** @throws ConfigError */
export function configOf(args: Arguments, io: Io): Config {
  const { env, cwd, home, uid, cores } = io;
  return loadConfig(args.options, { env, cwd, home, uid, cores, terminal: io.terminal.err });
}
