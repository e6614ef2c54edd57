/** `maestro template …`: params and tags that steps share by naming a job template. */
import { DEFAULT_TEMPLATE_VERSION, jobTemplateCreateRequestSchema } from "../definition/template.ts";
import { MaestroError } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { JSON_OPTION, notEmpty, option, positional } from "./argument.ts";
import { type Client, clientOf, path } from "./client.ts";
import { type Command, EXIT, exitOf, Failure } from "./command.ts";
import { cell, object, objects, printJson, table } from "./output.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { locate, readSource, type Source } from "./source.ts";

const FILES = positional({ name: "FILE", summary: "A template, JSON or YAML; - for stdin", repeat: true });
const NAME = positional({ name: "NAME", summary: "The template's name, its job_type", read: notEmpty });
const VERSION = option({
  name: "--version",
  placeholder: "NAME",
  summary: "A version; default: default",
  read: notEmpty,
});

const pushCommand: Command = {
  name: "template push",
  summary: "Store job templates: each replaces its version, if there is one",
  positionals: [FILES],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["template push nap.json", "template push templates/*.yaml"],
  detail: [
    "A file holds { owner, status, support, definition: { job_type, step_type, version, params } }. Every file is read",
    "before the first one is stored. Steps that begin from then on use it.",
  ].join("\n"),
  run: async (args, io) => {
    const client = clientOf(args, io);
    const sources: Source[] = [];
    for (const file of args.all(FILES)) sources.push(await readSource(file, io, jobTemplateCreateRequestSchema));
    const answers: JsonObject[] = [];
    for (const source of sources) {
      const answer = await push(client, source);
      answers.push(answer);
      const definition = object(answer.definition);
      if (!args.has(JSON_OPTION)) io.out(`${cell(definition, "job_type")} version ${cell(definition, "version")}`);
    }
    if (args.has(JSON_OPTION)) printJson(io, answers, 2);
    return EXIT.OK;
  },
};

/** @throws Failure with the findings at their places in the file */
async function push(client: Client, source: Source): Promise<JsonObject> {
  try {
    return object(await client.request("POST", "/job-templates", { body: source.value }));
  } catch (error) {
    if (!(error instanceof MaestroError) || error.details.length === 0) throw error;
    const details = error.details.map((line) => locate(source, line).shown);
    throw new Failure(`${source.file} was refused: ${error.message}`, exitOf(error.code), details);
  }
}

const getCommand: Command = {
  name: "template get",
  summary: "Print a version of a job template as JSON",
  positionals: [NAME],
  options: [
    VERSION,
    { ...JSON_OPTION, summary: "Nothing else: a template is always printed as JSON" },
    ...CLIENT_SETTING_OPTIONS,
  ],
  examples: ["template get nap", "template get nap --version v2"],
  run: async (args, io) => {
    const query = { version: args.get(VERSION) };
    printJson(io, await clientOf(args, io).request("GET", path`/job-templates/${args.need(NAME)}`, { query }), 2);
    return EXIT.OK;
  },
};

const listCommand: Command = {
  name: "template list",
  summary: "List the job templates that have a version",
  positionals: [],
  options: [VERSION, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["template list", "template list --version v2 --json"],
  run: async (args, io) => {
    const version = args.get(VERSION) ?? DEFAULT_TEMPLATE_VERSION;
    const client = clientOf(args, io);
    const answer: JsonObject[] = [];
    for (let cursor: string | undefined; ; cursor = cell(object(answer.at(-1)?.definition), "job_type")) {
      const page = objects(await client.request("GET", "/job-templates", { query: { version, cursor } }));
      answer.push(...page);
      if (page.length === 0) break;
    }
    const rows = answer.map((it) => templateRow(object(it.definition), object(it.metadata)));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(table(["TEMPLATE", "VERSION", "STEP TYPE", "STATUS", "DESCRIPTION"], rows));
    return EXIT.OK;
  },
};

const templateRow = (definition: JsonObject, metadata: JsonObject): readonly string[] => [
  ...["job_type", "version", "step_type"].map((name) => cell(definition, name)),
  cell(metadata, "status"),
  cell(definition, "description"),
];

const removeCommand: Command = {
  name: "template rm",
  summary: "Remove a version of a job template",
  positionals: [NAME],
  options: [VERSION, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["template rm nap", "template rm nap --version v2"],
  detail:
    "Steps that have begun keep what they have; the others go without it, or fail if they have their type from it.",
  run: async (args, io) => {
    const [name, version] = [args.need(NAME), args.get(VERSION) ?? DEFAULT_TEMPLATE_VERSION];
    const client = clientOf(args, io);
    const answer = await client.textOf("DELETE", path`/job-templates/${name}`, { query: { version } });
    const [, count] = /^Removed \[(\d+)\]/.exec(answer) ?? [];
    if (count === undefined) throw new Failure(`${client.server} did not answer as a maestro server does: is it one?`);
    if (count === "0") throw new Failure(`There is no job template ${name} version ${version}.`, EXIT.NOT_FOUND);
    if (args.has(JSON_OPTION)) printJson(io, { job_type: name, version }, 2);
    else io.out(`${name} version ${version}: removed`);
    return EXIT.OK;
  },
};

export const TEMPLATE_COMMANDS: readonly Command[] = [pushCommand, getCommand, listCommand, removeCommand];
