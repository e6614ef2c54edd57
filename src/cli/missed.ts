/** Attempts that began and ended between two looks: a look has the newest attempt at each step alone. */
import type { JsonObject } from "../json.ts";
import { type RunAddress, runPath } from "./address.ts";
import { attemptsOf, isStepEnd } from "./attempt.ts";
import { type Client, path } from "./client.ts";
import { cell, object } from "./output.ts";
import type { Snapshot } from "./progress.ts";

interface Seen {
  readonly attempt: number;
  readonly ended: boolean;
}

export class Missed {
  readonly #client: Client;
  readonly #seen = new Map<string, Seen>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The snapshot with the ends of attempts that were not seen, before the attempts that followed them. */
  async fill(address: RunAddress, snapshot: Snapshot, signal?: AbortSignal): Promise<Snapshot> {
    const steps: JsonObject[] = [];
    for (const step of snapshot.steps) {
      const { number } = attemptsOf(step);
      const id = String(step.step_id);
      const seen = this.#seen.get(id);
      const from = seen === undefined ? number : seen.attempt + (seen.ended ? 1 : 0);
      for (let attempt = from; attempt < number; attempt++) {
        const url = `${runPath(address)}${path`/steps/${id}/attempts/${attempt}`}`;
        steps.push(object(await this.#client.request("GET", url, { query: { enriched: false }, signal })));
      }
      this.#seen.set(id, { attempt: number, ended: isStepEnd(cell(object(step.runtime_state), "status")) });
      steps.push(step);
    }
    return { ...snapshot, steps };
  }
}
