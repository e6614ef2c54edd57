/** `maestro permit …`: how many steps with a tag may run at a time. */

import { RANGE } from "../definition/range.ts";
import { MaestroError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { JSON_OPTION, notEmpty, option, positional, wholeNumber } from "./argument.ts";
import { type Client, clientOf, path } from "./client.ts";
import { type Command, EXIT } from "./command.ts";
import { cell, instant, object, objects, printJson, table, timeText } from "./output.ts";
import { DEFAULT_PAGE, LIMIT } from "./page.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";

const TAG = positional({ name: "TAG", summary: "The tag's name", read: notEmpty });
const MOST = positional({
  name: "NUMBER",
  summary: "Steps with the tag that may run at a time; 0: none",
  read: wholeNumber(RANGE.permits.min, RANGE.permits.max),
});
const TEXT = positional({ name: "TEXT", summary: "Only tags with this in them", optional: true });
const AFTER = option({ name: "--cursor", placeholder: "TAG", summary: "Only tags after this one" });

const setCommand: Command = {
  name: "permit set",
  summary: "Set how many steps with a tag may run at a time",
  positionals: [TAG, MOST],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["permit set warehouse 3", "permit set warehouse 0"],
  detail: "A higher number lets waiting steps go at once; a lower one takes nothing away from steps that run.",
  run: async (args, io) => {
    const [tag, most] = [args.need(TAG), args.need(MOST)];
    await clientOf(args, io).tell("POST", "/tag-permits", { body: { tag, max_allowed: most } });
    if (args.has(JSON_OPTION)) printJson(io, { tag, max_allowed: most }, 2);
    else io.out(`${tag}: at most ${most} at a time`);
    return EXIT.OK;
  },
};

const getCommand: Command = {
  name: "permit get",
  summary: "Show a tag's limit, and the first steps that run and wait under it",
  positionals: [TAG],
  options: [LIMIT, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["permit get warehouse", "permit get maestro_etl"],
  detail: "The steps of a workflow with a step_concurrency have the tag maestro_ and the workflow's id.",
  run: async (args, io) => {
    const tag = args.need(TAG);
    const client = clientOf(args, io);
    const steps = (state: string) => stepsOf(client, tag, state, args.get(LIMIT) ?? DEFAULT_PAGE);
    const [held, waiting] = [await steps("HELD"), await steps("WAITING")];
    const permit = await permitOf(client, tag, held.total_count !== 0 || waiting.total_count !== 0);
    if (args.has(JSON_OPTION)) printJson(io, { ...permit, held, waiting }, 2);
    else {
      const limit = permit === undefined ? "no limit of its own" : `at most ${cell(permit, "max_allowed")} at a time`;
      io.out(`${tag}: ${limit}, ${cell(held, "total_count")} held, ${cell(waiting, "total_count")} waiting`);
      const rows = [...objects(held.elements), ...objects(waiting.elements)].map(stepRow);
      if (rows.length > 0) io.out(table(["STATE", "WORKFLOW", "INSTANCE", "RUN", "STEP", "ATTEMPT", "SINCE"], rows));
    }
    return EXIT.OK;
  },
};

const stepsOf = async (client: Client, tag: string, state: string, limit: number): Promise<JsonObject> =>
  object(await client.request("GET", path`/tag-permits/${tag}/steps`, { query: { state, limit } }));

/** @param isUsed a tag that has no limit is no error */
async function permitOf(client: Client, tag: string, isUsed: boolean): Promise<JsonObject | undefined> {
  try {
    return object(await client.request("GET", path`/tag-permits/${tag}`));
  } catch (error) {
    if (isUsed && error instanceof MaestroError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

function stepRow(it: JsonObject): readonly string[] {
  const columns = ["state", "workflow_id", "workflow_instance_id", "workflow_run_id", "step_id", "step_attempt_id"];
  return [...columns.map((name) => cell(it, name)), timeText(instant(it, "grant_time") ?? instant(it, "wait_time"))];
}

const listCommand: Command = {
  name: "permit list",
  summary: "List the tags that have a limit",
  positionals: [TEXT],
  options: [LIMIT, AFTER, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["permit list", "permit list ware --json"],
  run: async (args, io) => {
    const query = { search: args.get(TEXT), limit: args.get(LIMIT) ?? DEFAULT_PAGE, cursor: args.get(AFTER) };
    const answer = object(await clientOf(args, io).request("GET", "/tag-permits", { query }));
    const columns = ["tag", "max_allowed", "held", "waiting"];
    const rows = objects(answer.elements).map((it) => columns.map((name) => cell(it, name)));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(table(["TAG", "LIMIT", "HELD", "WAITING"], rows));
    if (answer.next_cursor !== undefined) io.err(`More: --cursor ${cell(answer, "next_cursor")}`);
    return EXIT.OK;
  },
};

const removeCommand: Command = {
  name: "permit rm",
  summary: "Take the limit of a tag away",
  positionals: [TAG],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["permit rm warehouse"],
  detail: "Steps that it holds up go.",
  run: async (args, io) => {
    const tag = args.need(TAG);
    await clientOf(args, io).tell("DELETE", path`/tag-permits/${tag}`);
    if (args.has(JSON_OPTION)) printJson(io, { tag }, 2);
    else io.out(`${tag}: no limit`);
    return EXIT.OK;
  },
};

export const PERMIT_COMMANDS: readonly Command[] = [setCommand, getCommand, listCommand, removeCommand];
