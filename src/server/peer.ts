/**
 * Hints between the nodes of one database, over HTTP: "look at these runs, their groups are yours". Best effort and
 * batched per tick; the sweep of the owner finds what a lost hint leaves behind.
 */

import type { Node } from "../flow/membership.ts";
import type { RunHint } from "../flow/protocol.ts";
import { isJsonObject, parseJson, stringifyJson } from "../json.ts";
import type { Logger } from "../log.ts";

/** Where a node takes the hints of others. */
export const PEER_PATH = "/internal/v1/hints";

/** No run at all: groups are free for whoever wants them. */
const FREED: readonly RunHint[] = [];
const HEADER = "maestro-cluster-secret";
const PATIENCE = 2_000;

export interface PeersOptions {
  readonly self: string;
  readonly secret: string;
  readonly log: Logger;
  /** Live nodes, this one included. */
  nodes(): readonly Node[];
}

export class Peers {
  readonly #options: PeersOptions;
  #waiting: RunHint[] = [];
  #sending = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Every other node is told; the owner acts on it. */
  tell(hints: readonly RunHint[]): void {
    this.#waiting.push(...hints);
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(() => void this.#send());
  }

  /** The other nodes are told that groups are free; resolves when they know, or cannot be reached. */
  async freed(): Promise<void> {
    await this.#postAll(FREED);
  }

  /** The hints of a request of another node, none for "groups are free"; undefined when it may not ask. */
  async read(request: Request): Promise<readonly RunHint[] | undefined> {
    if (request.headers.get(HEADER) !== this.#options.secret) return undefined;
    const body = parseJson(await request.text());
    return Array.isArray(body) ? body.filter(isHint) : [];
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const hints = this.#waiting;
      this.#waiting = [];
      await this.#postAll(hints);
    }
    this.#sending = false;
  }

  async #postAll(hints: readonly RunHint[]): Promise<void> {
    const others = this.#options.nodes().filter(({ id }) => id !== this.#options.self);
    await Promise.all(others.map((node) => this.#post(node, hints)));
  }

  async #post(node: Node, hints: readonly RunHint[]): Promise<void> {
    try {
      await fetch(node.url + PEER_PATH, {
        method: "POST",
        headers: { [HEADER]: this.#options.secret, "content-type": "application/json" },
        body: stringifyJson(hints),
        signal: AbortSignal.timeout(PATIENCE),
      });
    } catch (error) {
      this.#options.log.debug("a hint did not reach a node", { node: node.id, error });
    }
  }
}

const isHint = (value: unknown): value is RunHint =>
  isJsonObject(value) && typeof value.key === "number" && typeof value.groupId === "number";
