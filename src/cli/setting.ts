/** Settings as command line options, and their values from wherever they are set. */
import {
  CLIENT_SETTINGS,
  type ClientConfig,
  type Config,
  loadClientConfig,
  loadConfig,
  SETTINGS,
  type Setting,
  type Surroundings,
} from "../server/config.ts";
import { type Arguments, type OptionSpec, option } from "./argument.ts";
import type { Io } from "./command.ts";

const CONFIG_OPTION = option({
  name: "--config",
  placeholder: "FILE",
  summary: "Settings file",
  otherwise: "./maestro.yaml, then ~/.config/maestro/maestro.yaml",
});

const NOWHERE: Surroundings = { env: {}, cwd: "", home: "", uid: 0, cores: 1, terminal: true };

const optionOf = ({ flag, section, option: it }: Setting): OptionSpec<string> => ({
  name: flag,
  placeholder: it.placeholder,
  summary: it.summary,
  otherwise: it.otherwise ?? String(it.fallback(NOWHERE)),
  ...(it.choices === undefined ? {} : { choices: it.choices }),
  repeat: it.repeat === true,
  advanced: section !== "",
});

/** Every setting of a server, and `--config`; those in sections are shown by `--help` only. */
export const SETTING_OPTIONS: readonly OptionSpec<string>[] = [...SETTINGS.map(optionOf), CONFIG_OPTION];

/** `--server`, `--user` and `--config`. */
export const CLIENT_SETTING_OPTIONS: readonly OptionSpec<string>[] = [...CLIENT_SETTINGS.map(optionOf), CONFIG_OPTION];

/** A command's part of {@link SETTING_OPTIONS}. */
export const settingOptions = (...names: readonly string[]): readonly OptionSpec[] =>
  SETTING_OPTIONS.filter((it) => names.includes(it.name));

/** @throws ConfigError */
export const configOf = (args: Arguments, io: Io): Config => loadConfig(args.texts, surroundings(io));

/** @throws ConfigError */
export const clientConfigOf = (args: Arguments, io: Io): ClientConfig => loadClientConfig(args.texts, surroundings(io));

function surroundings({ env, cwd, home, uid, cores, terminal }: Io): Surroundings {
  return { env, cwd, home, uid, cores, terminal: terminal.err };
}
