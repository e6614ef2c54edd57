/** Of plugins that are processes: what becomes of calls and attempts when one fails, and what is taken from one. */
import { inFile, type Mutation } from "./mutation.ts";

const PROCESS = "test/runtime/process.test.ts";
const THREAD = "test/runtime/thread.test.ts";

const plugin = inFile("src/runtime/process/plugin.ts", PROCESS);
const child = inFile("src/runtime/process/child.ts", PROCESS);
const restart = inFile("src/runtime/process/restart.ts", PROCESS);
const message = inFile("src/runtime/process/message.ts", PROCESS);
const schema = inFile("src/runtime/process/schema.ts", PROCESS);
const line = inFile("src/runtime/process/line.ts", PROCESS);
const manifest = inFile("src/runtime/manifest.ts", THREAD);
const host = inFile("src/runtime/host.ts", THREAD);

export const PROCESS_MUTATIONS: readonly Mutation[] = [
  plugin(
    "a call of a process that ended is not made again",
    "for (const call of this.#calls.values()) this.#send(state.child, call);",
    "",
  ),
  plugin("a call that no process survives is made again without end", "isOver || call.tries >= MOST_TRIES", "isOver"),
  plugin("attempts of a process that ended are not woken", "else attempt.context.wake();", ""),
  plugin("a plugin that was given up stays so", "performance.now() >= state.until", "state.until < 0"),
  plugin("the next process may serve other types", "if (missing !== undefined) throw", "if (names.size < 0) throw"),
  plugin("a process is not told that an attempt is let go", "state.child.send(encodeAbort(uuid));", "{}"),
  plugin(
    "whoever adopts an attempt does not hear its process",
    "if (known?.context.signal === signal) return known;",
    "if (known !== undefined) return known;",
  ),
  plugin(
    "a process is quoted with the secrets that it prints",
    "const reason = clean?.(why) ?? why;",
    "const reason = clean ? why : why;",
  ),
  restart("a process is replaced without end", "ends >= MOST_ENDS ? undefined : ", ""),
  child("a process that is silent is kept", "if (now - this.#heard > silentFor)", "if (now < 0)"),
  child("a process is killed while it answers", "this.#heard = performance.now();\n        for", "for"),
  child(
    "a process that writes without end has its thread",
    "if (performance.now() < turnEnd) continue;",
    "if (turnEnd > 0) continue;",
  ),
  child("a process sees the server's settings", '!name.startsWith("MAESTRO_")', "name.length > 0"),
  child("all that a process complains of is logged", "if (this.#passed++ < this.#most)", "if (this.#most > 0)"),
  child("a process that goes on at the end of its stdin is waited for", "this.#process.kill(signal);", "void signal;"),
  message(
    "a result may have keys that the contract does not know",
    "const answerSchema = z.strictObject({",
    "const answerSchema = z.looseObject({",
  ),
  message("halves of surrogate pairs come in", "? mend(value) : value", "? value : value"),
  message("a decimal as the next poll is refused", "isRawNumber(delay) ?", "isRawNumber(delay) && given === answer ?"),
  schema("large integers lose their digits in a check", 'if (typeof given === "bigint") return given;', ""),
  line("a line of stdout has no bound", "if (!this.#cut) throw new LongLineError();", ""),
  manifest(
    "a plugin made for another version is loaded",
    "apiVersion !== undefined && apiVersion !== API_VERSION",
    "apiVersion === -1",
  ),
  host("processes that don't listen outlive their thread", 'process.kill(pid, "SIGKILL");', ""),
];
