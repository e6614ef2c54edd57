/** `maestro version` */
import manifest from "../../package.json" with { type: "json" };
import { stringifyJson } from "../json.ts";
import { type Command, EXIT } from "./command.ts";

export const VERSION: string = manifest.version;

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
