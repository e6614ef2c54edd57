/** `maestro version` */
import { VERSION } from "../version.ts";
import { JSON_OPTION } from "./argument.ts";
import { type Command, EXIT } from "./command.ts";
import { printJson } from "./output.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version",
  positionals: [],
  options: [{ ...JSON_OPTION, summary: "Print JSON" }],
  examples: ["version", "version --json"],
  run: async (args, io) => {
    const { platform, arch } = process;
    if (args.has(JSON_OPTION)) printJson(io, { version: VERSION, bun: Bun.version, platform, arch });
    else io.out(`maestro ${VERSION} (Bun ${Bun.version}, ${platform} ${arch})`);
    return EXIT.OK;
  },
};
