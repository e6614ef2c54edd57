/** `maestro step …`: what is done to one step of a run that is under way. */
import { INSTANCE } from "./address.ts";
import { JSON_OPTION, option, positional } from "./argument.ts";
import { clientOf, path } from "./client.ts";
import { type Command, EXIT } from "./command.ts";
import { cell, object, printJson } from "./output.ts";
import { runName } from "./progress.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { WORKFLOW } from "./workflow.ts";

export const STEP = positional({ name: "STEP", summary: "The step's id" });
const NO_WAIT = option({ name: "--no-wait", summary: "Do not wait for the step to end" });

const ended = (verb: "stop" | "kill" | "skip", summary: string, detail: string): Command => ({
  name: `step ${verb}`,
  summary,
  positionals: [WORKFLOW, INSTANCE, STEP],
  options: [NO_WAIT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: [`step ${verb} etl 7 load`],
  detail: `${detail} A step that takes more than 5 s to end is answered with exit code 6, and ends later.`,
  run: async (args, io) => {
    const [workflow, instance, step] = [args.need(WORKFLOW), args.need(INSTANCE), args.need(STEP)];
    const url = path`/workflows/${workflow}/instances/${instance}/steps/${step}/actions/${verb}`;
    const answer = await clientOf(args, io).request("PUT", args.has(NO_WAIT) ? `${url}?blocking=false` : url);
    const reply = object(answer);
    const status = cell(object(reply.step_runtime_state), "status");
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(`${runName(reply)} step ${step}: ${args.has(NO_WAIT) ? `asked to ${verb}` : status}`);
    return EXIT.OK;
  },
});

export const STEP_COMMANDS: readonly Command[] = [
  ended("stop", "Stop a step", "It ends STOPPED, and what follows it does not begin."),
  ended("kill", "Kill a step", "It ends FATALLY_FAILED; its failure mode says what becomes of the run."),
  ended("skip", "Skip a step", "It ends SKIPPED, and what follows it decides by its conditions."),
];
