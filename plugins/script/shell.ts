import { interpreterOf, shellParams } from "./params.ts";
import { scriptType } from "./type.ts";

export const shell = scriptType({
  type: "shell",
  title: "Shell script",
  description: "Runs a script with /bin/sh or another interpreter on the server's host.",
  params: shellParams,
  program: (params, { file }) => ({
    files: { script: params.script },
    command: [...interpreterOf(params), file("script")],
  }),
});
