/** `maestro dead-letter …`: work that was announced and given up. */
import type { JsonObject } from "../json.ts";
import { JSON_OPTION, option, positional, UsageError, wholeNumber } from "./argument.ts";
import { clientOf, path } from "./client.ts";
import { type Command, EXIT } from "./command.ts";
import { cell, instant, object, objects, printJson, table, timeText } from "./output.ts";
import { DEFAULT_PAGE, LIMIT } from "./page.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";

const LETTER = positional({ name: "LETTER", summary: "The letter's number", read: wholeNumber(1) });
const LETTERS = positional({
  name: "LETTER",
  summary: "The letter's number",
  optional: true,
  repeat: true,
  read: wholeNumber(1),
});
const TOPIC = option({ name: "--topic", placeholder: "TOPIC", summary: "Only those of this topic" });
const ALL = option({ name: "--all", summary: "All of them, or all of --topic" });
const BEFORE = option({
  name: "--cursor",
  placeholder: "LETTER",
  summary: "Only letters before this one",
  read: wholeNumber(1),
});

const listCommand: Command = {
  name: "dead-letter list",
  summary: "List dead letters, newest first",
  positionals: [],
  options: [TOPIC, LIMIT, BEFORE, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["dead-letter list", "dead-letter list --topic dequeue --json"],
  run: async (args, io) => {
    const query = { topic: args.get(TOPIC), limit: args.get(LIMIT) ?? DEFAULT_PAGE, cursor: args.get(BEFORE) };
    const answer = object(await clientOf(args, io).request("GET", "/dead-letters", { query }));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(table(["LETTER", "TOPIC", "KEY", "DIED", "ERROR"], objects(answer.elements).map(letterRow)));
    if (answer.next_cursor !== undefined) io.err(`More: --cursor ${cell(answer, "next_cursor")}`);
    return EXIT.OK;
  },
};

const letterRow = (letter: JsonObject): readonly string[] => [
  ...["id", "topic", "key"].map((name) => cell(letter, name)),
  timeText(instant(letter, "dead_time")),
  cell(letter, "error"),
];

const getCommand: Command = {
  name: "dead-letter get",
  summary: "Print a dead letter as JSON",
  positionals: [LETTER],
  options: [{ ...JSON_OPTION, summary: "Nothing else: a letter is always printed as JSON" }, ...CLIENT_SETTING_OPTIONS],
  examples: ["dead-letter get 7"],
  run: async (args, io) => {
    printJson(io, await clientOf(args, io).request("GET", path`/dead-letters/${args.need(LETTER)}`), 2);
    return EXIT.OK;
  },
};

const replayCommand: Command = {
  name: "dead-letter replay",
  summary: "Try again what dead letters announce",
  positionals: [LETTERS],
  options: [ALL, TOPIC, JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["dead-letter replay 7 8", "dead-letter replay --all --topic dequeue"],
  detail: [
    "What fails again is a dead letter again. A letter of topic refused-run tells of a run that has failed since the database",
    "refused its rows: nothing can be replayed there, the answer says what to do, and --all leaves it out.",
  ].join("\n"),
  run: async (args, io) => {
    const [letters, isAll] = [args.all(LETTERS), args.has(ALL)];
    if (isAll === letters.length > 0) throw new UsageError("name letters, or give --all, alone or with --topic");
    if (args.has(TOPIC) && !isAll) throw new UsageError("--topic is for --all");
    const client = clientOf(args, io);
    let replayed = 0;
    if (isAll) {
      const query = { topic: args.get(TOPIC) };
      replayed = Number(object(await client.request("POST", "/dead-letters/actions/replay", { query })).replayed);
    }
    for (const letter of letters) {
      await client.request("POST", path`/dead-letters/${letter}/actions/replay`);
      replayed++;
    }
    if (args.has(JSON_OPTION)) printJson(io, { replayed }, 2);
    else io.out(`replayed: ${replayed}`);
    return EXIT.OK;
  },
};

const deleteCommand: Command = {
  name: "dead-letter delete",
  summary: "Delete a dead letter: what it announces is never done",
  positionals: [LETTER],
  options: [JSON_OPTION, ...CLIENT_SETTING_OPTIONS],
  examples: ["dead-letter delete 7"],
  run: async (args, io) => {
    const answer = object(await clientOf(args, io).request("DELETE", path`/dead-letters/${args.need(LETTER)}`));
    if (args.has(JSON_OPTION)) printJson(io, answer, 2);
    else io.out(`deleted: ${cell(answer, "id")} ${cell(answer, "topic")} ${cell(answer, "key")}`);
    return EXIT.OK;
  },
};

export const LETTER_COMMANDS: readonly Command[] = [listCommand, getCommand, replayCommand, deleteCommand];
