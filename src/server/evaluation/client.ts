/** The asking side of the evaluation thread: on main, and on each engine thread. */
import { internalError, MaestroError } from "../../error.ts";
import { ExtensionRequest } from "../../sel/index.ts";
import { type Answer, decode, encode, type Question } from "./protocol.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class EvaluationClient {
  readonly #send: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** @throws MaestroError, ExtensionRequest as the evaluation did */
  ask(question: Question): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#waiting.set(id, { resolve, reject });
    this.#send(encode(id, question));
    return promise;
  }

  receive(text: string): void {
    const { id, message } = decode<Answer>(text);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ("request" in message) waiting?.reject(new ExtensionRequest(message.request.method, message.request.args));
    else if ("error" in message) waiting?.reject(MaestroError.fromData(message.error));
    else waiting?.resolve(message.value);
  }

  close(): void {
    for (const { reject } of this.#waiting.values()) reject(internalError("The server is stopping"));
    this.#waiting.clear();
  }
}
