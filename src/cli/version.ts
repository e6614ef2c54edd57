/** `maestro version` */
import { stringifyJson } from "../json.ts";
import { VERSION } from "../version.ts";
import { type Command, EXIT } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version",
  positionals: [],
  options: [{ name: "--json", summary: "Print JSON" }],
  examples: ["version", "version --json"],
  run: async (args, io) => {
    const { platform, arch } = process;
    if (args.has("--json")) io.out(stringifyJson({ version: VERSION, bun: Bun.version, platform, arch }));
    else io.out(`maestro ${VERSION} (Bun ${Bun.version}, ${platform} ${arch})`);
    return EXIT.OK;
  },
};
