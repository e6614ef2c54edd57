// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parts of sources
/** Of secrets: who is given one, what counts as naming one, and that nothing shows one. */
import { inFile, type Mutation } from "./mutation.ts";

const reference = inFile("src/param/evaluate.ts", "test/param/secret.test.ts");
const place = inFile("src/param/secret.ts", "test/param/secret.test.ts");
const grant = inFile("src/runtime/secret.ts", "test/runtime/secret.test.ts");
const redact = inFile("src/runtime/redact.ts", "test/runtime/redact.test.ts");
const veil = inFile("src/runtime/veil.ts", "test/runtime/secret.test.ts");
const attempt = inFile("src/runtime/attempt.ts", "test/runtime/secret.test.ts");
const follow = inFile("src/runtime/follow.ts", "test/runtime/secret.test.ts");
const restart = inFile("src/flow/restart.ts", "test/server/secret.test.ts");
const user = inFile("src/flow/start.ts", "test/server/secret.test.ts");

export const SECRET_MUTATIONS: readonly Mutation[] = [
  reference(
    "data may look like a secret beside one",
    'if (named.length === 0 || secretsIn(text).join(" ") === named.join(" ")) return text;',
    "if (named.length >= 0) return text;",
  ),
  reference(
    "a param that names a secret may be used elsewhere",
    "if (!namesSecret(param)) return;",
    "if (param) return;",
  ),
  reference(
    "workflow params may name secrets",
    "if (maySecret) return secretReference(secret);",
    "return secretReference(secret);",
  ),
  place("an escaped reference is one", "if (dollars.length % 2 === 0) return [];", ""),
  place(
    "what an expression makes is a reference",
    "if (expression !== undefined) return;",
    "if (expression !== undefined) return note(expression, path, places);",
  ),
  grant(
    "a secret is for everybody",
    "if (setting === undefined || !isGranted(setting, user))",
    "if (setting === undefined)",
  ),
  grant(
    "a secret is for every step type",
    "(types.length === 0 || types.includes(stepType.toLowerCase()))",
    "types.length >= 0",
  ),
  grant("a value may be as short as it likes", "if ([...value].length < LEAST_SECRET)", "if (value.length < 0)"),
  grant("a line's end belongs to the value", '.replace(/\\r?\\n$/, "")', ""),
  redact("values are shown in JSON", "    json,\n", ""),
  redact("values are shown in base64", "...[0, 1, 2].map((before) => base64Within(value, before)),", ""),
  redact(
    "values that overlap are masked one by one",
    "return ranges.length > 1 ? merged(ranges) : ranges;",
    "return ranges.slice(0, 1);",
  ),
  redact("a chunk may end within a value", "if (beginning === 0) return ready;", "return text.length;"),
  redact(
    "a chunk may end between a value and one that lies over it",
    "return this.#find(text).find(([from, to]) => from < ready && ready < to)?.[0] ?? ready;",
    "return ready;",
  ),
  redact(
    "what was left out may end within a value",
    "const least = isCut ? 1 : LEAST_SECRET;",
    "const least = LEAST_SECRET;",
  ),
  redact("numbers show values", "return clean === text ? value : clean;", "return value;"),
  veil(
    "a file that changes changes the value of an attempt",
    "this.#values.get(name) ?? this.#secrets.value(name, user)",
    "this.#secrets.value(name, user)",
  ),
  veil("what an attempt says whose values are unknown is shown", "this.#isBlind = true;", "this.#isBlind = false;"),
  attempt(
    "an answer shows values",
    "takeResult(this.#type, this.#clean(answer), this.#port.now())",
    "takeResult(this.#type, answer, this.#port.now())",
  ),
  attempt(
    "an error shows values",
    "thrown(type, this.#veil.text(toErrorData(error).message), this.#port.now())",
    "thrown(type, toErrorData(error).message, this.#port.now())",
    "test/runtime/secret.test.ts",
  ),
  attempt(
    "the server's log shows values",
    "this.#port.line(level, this.#veil.text(message), context)",
    "this.#port.line(level, message, context)",
  ),
  attempt(
    "a log that a plugin hands over shows values",
    "const ready = this.#veil.ready(bytes);",
    "const ready = bytes.length;",
  ),
  attempt("what was held back is lost", "if (held !== undefined) this.#emit(stream, this.#offsets[stream], held);", ""),
  attempt(
    "what is kept of a log's end may begin within a value",
    "        this.#gaps.add(stream);\n      },",
    "      },",
  ),
  follow(
    "a file's chunk may end within a value",
    "this.#options.whole(buffer.subarray(0, wholeCharacters(buffer, read)))",
    "wholeCharacters(buffer, read)",
  ),
  user("steps always run as the owner", 'snapshot.run_as === "CALLER" && {', "snapshot.run_as === undefined && {"),
  restart(
    "who restarts a run is not its caller",
    'properties.run_as === "CALLER" ?',
    "properties.run_as === undefined ?",
  ),
  user("a child is called by nobody", "if (request.child) return request.child.parent.user;", ""),
];
