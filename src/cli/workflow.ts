/** `maestro workflow …`: definitions and their versions. */
import { MaestroError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { JSON_OPTION, notEmpty, option, positional, UsageError, version, wholeNumber } from "./argument.ts";
import { type Client, clientOf, path } from "./client.ts";
import { type Command, EXIT, exitOf, Failure, type Io } from "./command.ts";
import { cell, instant, object, objects, printJson, table, timeText } from "./output.ts";
import { DEFAULT_PAGE, LIMIT } from "./page.ts";
import { builtinTypes } from "./plugin.ts";
import { referenceWarnings } from "./reference.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { locate, readDefinition, type Source } from "./source.ts";

export const WORKFLOW = positional({ name: "WORKFLOW", summary: "The workflow's id", read: notEmpty });
const FILES = positional({ name: "FILE", summary: "A definition in JSON or YAML; - for stdin", repeat: true });
const TEXT = positional({ name: "TEXT", summary: "Only those with this in their id, name or owner", optional: true });
const VERSION = option({
  name: "--version",
  placeholder: "V",
  summary: "active, latest, default or a number",
  otherwise: "default",
  read: version,
});
const AFTER = option({ name: "--cursor", placeholder: "WORKFLOW", summary: "Only workflows after this one" });
const BEFORE = option({
  name: "--cursor",
  placeholder: "VERSION",
  summary: "Only versions before this one",
  read: wholeNumber(1),
});
const YES = option({ name: "--yes", short: "-y", summary: "Don't ask" });

const pushCommand: Command = {
  name: "workflow push",
  summary: "Push definitions: each becomes a new version",
  positionals: [FILES],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["workflow push etl.json", "workflow push workflows/*.yaml --server http://node:8080"],
  detail: [
    "A file holds { properties, workflow }; the first version needs properties.owner. Every file is read before the",
    "first one is pushed, so that a file that can't be read pushes nothing.",
  ].join("\n"),
  run: async (args, io) => {
    const client = clientOf(args, io);
    const sources: Source[] = [];
    for (const file of args.all(FILES)) sources.push(await readDefinition(file, io));
    const answers: JsonObject[] = [];
    for (const source of sources) {
      const answer = await push(client, source);
      answers.push(answer);
      for (const { shown } of referenceWarnings(source, await builtinTypes())) io.err(shown);
      const { metadata, is_active } = object(answer.workflow_definition);
      const version = `${cell(object(metadata), "workflow_id")} version ${cell(object(metadata), "workflow_version_id")}`;
      if (!args.has(JSON_OPTION)) io.out(`${version}${is_active === true ? "" : " (not active)"}`);
    }
    if (args.has(JSON_OPTION)) printJson(io, answers, 2);
    return EXIT.OK;
  },
};

/** @throws Failure with the findings at their places in the file */
async function push(client: Client, source: Source): Promise<JsonObject> {
  try {
    return object(await client.request("POST", "/workflows", { body: source.value }));
  } catch (error) {
    if (!(error instanceof MaestroError) || error.details.length === 0) throw error;
    const details = error.details.map((line) => locate(source, line).shown);
    throw new Failure(`${source.file} was refused: ${error.message}`, exitOf(error.code), details);
  }
}

const getCommand: Command = {
  name: "workflow get",
  summary: "Print a version of a definition as JSON",
  positionals: [WORKFLOW],
  options: [
    VERSION,
    { ...JSON_OPTION, summary: "Nothing else: a definition is always printed as JSON" },
    ...CLIENT_SETTING_OPTIONS,
  ],
  examples: ["workflow get etl", "workflow get etl --version 3"],
  run: async (args, io) => {
    const version = args.get(VERSION) ?? "default";
    const answer = await clientOf(args, io).request("GET", path`/workflows/${args.need(WORKFLOW)}/versions/${version}`);
    printJson(io, answer, 2);
    return EXIT.OK;
  },
};

const listCommand: Command = {
  name: "workflow list",
  summary: "List workflows",
  positionals: [TEXT],
  options: [LIMIT, AFTER, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["workflow list", "workflow list etl --json"],
  run: async (args, io) => {
    const query = {
      search: args.get(TEXT),
      limit: args.get(LIMIT) ?? DEFAULT_PAGE,
      cursor: args.get(AFTER),
    };
    const answer = object(await clientOf(args, io).request("GET", "/workflows", { query }));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else
      io.out(table(["WORKFLOW", "ACTIVE", "LATEST", "OWNER", "LATEST RUN"], objects(answer.elements).map(workflowRow)));
    if (answer.next_cursor !== undefined) io.err(`More: --cursor ${cell(answer, "next_cursor")}`);
    return EXIT.OK;
  },
};

function workflowRow(it: JsonObject): readonly string[] {
  const run = object(it.latest_run);
  const latest = it.latest_run === undefined ? "-" : `${cell(run, "workflow_instance_id")} ${cell(run, "status")}`;
  const active = `${cell(it, "active_version_id")}${it.paused === true ? " (paused)" : ""}`;
  return [cell(it, "workflow_id"), active, cell(it, "latest_version_id"), cell(it, "owner"), latest];
}

const versionsCommand: Command = {
  name: "workflow versions",
  summary: "List a workflow's versions, newest first",
  positionals: [WORKFLOW],
  options: [LIMIT, BEFORE, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["workflow versions etl"],
  run: async (args, io) => {
    const query = { first: args.get(LIMIT) ?? DEFAULT_PAGE, cursor: args.get(BEFORE) };
    const url = path`/workflows/${args.need(WORKFLOW)}/versions/pagination`;
    const answer = object(await clientOf(args, io).request("GET", url, { query }));
    // A workflow that does not exist has an empty page, too.
    if (objects(answer.elements).length === 0 && query.cursor === undefined) {
      throw new Failure(`there is no workflow ${args.need(WORKFLOW)}`, EXIT.NOT_FOUND);
    }
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(table(["VERSION", "ACTIVE", "AUTHOR", "CREATED"], objects(answer.elements).map(versionRow)));
    const page = object(answer.page_info);
    if (page.has_next_page === true) io.err(`More: --cursor ${cell(page, "end_cursor")}`);
    return EXIT.OK;
  },
};

function versionRow(it: JsonObject): readonly string[] {
  const metadata = object(it.metadata);
  return [
    cell(metadata, "workflow_version_id"),
    it.is_active === true ? "yes" : "-",
    cell(metadata, "version_author"),
    timeText(instant(metadata, "create_time")),
  ];
}

const pauseCommand = (action: "pause" | "resume", summary: string, detail: string): Command => ({
  name: `workflow ${action}`,
  summary,
  positionals: [WORKFLOW],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: [`workflow ${action} etl`],
  detail,
  run: async (args, io) => {
    const answer = object(
      await clientOf(args, io).request("PUT", path`/workflows/${args.need(WORKFLOW)}/actions/${action}`),
    );
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(cell(object(answer.timeline_event), "message"));
    return EXIT.OK;
  },
});

const deleteCommand: Command = {
  name: "workflow delete",
  summary: "Delete a workflow with all its versions and runs",
  positionals: [WORKFLOW],
  options: [YES, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["workflow delete etl", "workflow delete etl --yes"],
  run: async (args, io) => {
    const client = clientOf(args, io);
    const workflow = args.need(WORKFLOW);
    if (!args.has(YES) && !(await confirm(workflow, client, io))) return EXIT.FAILURE;
    const answer = object(await client.request("DELETE", path`/workflows/${workflow}`));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(cell(answer, "message"));
    return EXIT.OK;
  },
};

async function confirm(workflow: string, client: Client, io: Io): Promise<boolean> {
  if (!io.terminal.in) throw new UsageError("nobody can be asked here: give --yes to delete it");
  const answer = await io.ask(`Delete ${workflow} at ${client.server} with all its versions and runs? Type its id: `);
  if (answer.trim() === workflow) return true;
  io.err("Nothing was deleted.");
  return false;
}

export const WORKFLOW_COMMANDS: readonly Command[] = [
  pushCommand,
  getCommand,
  listCommand,
  versionsCommand,
  pauseCommand(
    "pause",
    "Let no more runs of a workflow go until it is resumed",
    "Runs under way go on; those that wait, and new ones, wait. Under FIRST_ONLY and LAST_ONLY a start is refused.",
  ),
  pauseCommand("resume", "Let runs of a paused workflow go again", "Those that have waited go in their order."),
  deleteCommand,
];
