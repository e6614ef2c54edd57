/**
 * Job templates as an engine thread remembers them, each with what it inherits. What is asked for and not known is read once,
 * whoever asks meanwhile, and the question is put again.
 *
 * What is remembered is true up to the moment: whoever changes templates has every thread of every node forget them before
 * the answer (as a new breakpoint is told). A node that can't be reached forgets them with its sweep.
 */
import { LRUCache } from "lru-cache";
import type { JobTemplateDefinition, TemplateRef } from "../definition/template.ts";
import { badRequest, MaestroError, toErrorData } from "../error.ts";
import { stringifyJson } from "../json.ts";
import { type Lineage, lineageOf, templateKey } from "../run/template.ts";
import { Deferred } from "./evaluation.ts";

/** Templates that are remembered, and the characters of JSON that they have together. */
const MOST_KNOWN = 1_000;
const MOST_CHARS = 20_000_000;

/** Characters of a template with what it inherits: more than the params of an attempt may have. */
const LONGEST = 1_000_000;

type Found = { readonly lineage: Lineage | undefined } | { readonly error: MaestroError };

export class Templates {
  readonly #read: (refs: readonly TemplateRef[]) => Promise<readonly JobTemplateDefinition[]>;
  readonly #known = new LRUCache<string, Found>({ max: MOST_KNOWN, maxSize: MOST_CHARS });
  #reading = new Map<string, Promise<void>>();

  /** @param read rejects with what it fails with for good */
  constructor(read: (refs: readonly TemplateRef[]) => Promise<readonly JobTemplateDefinition[]>) {
    this.#read = read;
  }

  /** @returns undefined when there is none @throws Deferred, and MaestroError for one that can't be used */
  get(ref: TemplateRef): Lineage | undefined {
    const key = templateKey(ref);
    const found = this.#known.get(key);
    if (!found) throw new Deferred(this.#reading.get(key) ?? this.#begin(key, ref));
    if ("lineage" in found) return found.lineage;
    this.#known.delete(key);
    throw found.error;
  }

  /** They have changed: what is being read does not count, and is read anew for whoever waits for it. */
  forget(): void {
    this.#known.clear();
    this.#reading = new Map();
  }

  #begin(key: string, ref: TemplateRef): Promise<void> {
    const reading = this.#reading;
    const done = this.#find(ref).then(({ found, size }) => {
      reading.delete(key);
      // Read before they changed: whoever waits asks again.
      if (reading === this.#reading) this.#known.set(key, found, { size });
    });
    reading.set(key, done);
    return done;
  }

  async #find(ref: TemplateRef): Promise<{ readonly found: Found; readonly size: number }> {
    try {
      const lineage = lineageOf(ref, await this.#read([ref]));
      const size = lineage === undefined ? 1 : stringifyJson(lineage).length;
      if (size > LONGEST) {
        const message = `The job template ${templateKey(ref)} has ${size} characters with all that it inherits; at most ${LONGEST} are allowed`;
        throw badRequest(message);
      }
      return { found: { lineage }, size };
    } catch (error) {
      return { found: { error: MaestroError.fromData(toErrorData(error)) }, size: 1 };
    }
  }
}
