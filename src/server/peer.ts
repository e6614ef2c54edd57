/**
 * Hints between the nodes of one database, over HTTP: "look at these runs, their groups are yours". Best effort and
 * batched per tick; the sweep of the owner finds what a lost hint leaves behind. A new breakpoint, and that
 * job templates have changed, is told to all at once, and whoever tells waits until they know. What a job reports to a node
 * that does not own its step goes to the owner, and the job waits for what that answers.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { readJson } from "../api/body.ts";
import { CLIENT_LEFT, errorResponse, hasLeft } from "../api/error.ts";
import { badRequest, MaestroError } from "../error.ts";
import type { Node } from "../flow/membership.ts";
import type { StepRef } from "../flow/port.ts";
import type { OutputReport, RunHint } from "../flow/protocol.ts";
import { REPORT_ANSWERS, type ReportAnswer } from "../flow/reports.ts";
import { isJsonObject, type Json, stringifyJson } from "../json.ts";
import type { Logger } from "../log.ts";
import { MAX_OUTPUTS } from "../runtime/output.ts";

/** Where a node takes the hints of others. */
export const PEER_PATH = "/internal/v1/hints";

/** No run at all: groups are free for whoever wants them. */
const FREED: readonly RunHint[] = [];
const HEADER = "maestro-cluster-secret";
/** Of the node that tells: a run is taken as another program of the same version has written it. */
const VERSION = "maestro-version";
const PATIENCE = 2_000;
/** How long the owner of a step may take to store what a job reports, ms. */
const REPORT_PATIENCE = 10_000;
/** Hints in one request, and characters of the runs and step ids in them. */
const BATCH = 5_000;
const BATCH_SIZE = 200_000;
/** Hints that wait for a node that does not answer; further ones are left to the sweep. */
const MOST_WAITING = 20_000;
/** Characters of what goes with a hint; the owner reads longer ones itself. */
const LONGEST_RUN = 20_000;
/**
 * Bytes of a request: a hint without its run takes less than a hundred, a character three at most, and what a job reports
 * is the longest ({@link MAX_OUTPUTS}), with each character escaped.
 */
const BODY_LIMIT = 6 * MAX_OUTPUTS + 100_000;

/** What one request tells. */
type Message =
  | readonly RunHint[]
  | { readonly breakpoint: StepRef }
  | { readonly templates: "changed" }
  | { readonly report: OutputReport };

export interface PeersOptions {
  readonly self: string;
  readonly version: string;
  readonly secret: string;
  readonly log: Logger;
  /** Live nodes, this one included. */
  nodes(): readonly Node[];
  /** Another node has told; no hint at all means that groups are free. */
  heard(hints: readonly RunHint[]): void;
  /** Another node tells that the step has a breakpoint from now on; resolves when this node knows. */
  heardBreakpoint(step: StepRef): Promise<void>;
  /** Another node tells that job templates have changed; resolves when this node knows. */
  heardTemplates(): Promise<void>;
  /** A job has reported to another node; resolves when this one has stored it, or can't. */
  heardReport(report: OutputReport): Promise<ReportAnswer>;
  /** Who owns a group, as the database says. */
  ownerOf(groupId: number): Promise<Node | undefined>;
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
    for (const hint of hints.slice(0, MOST_WAITING - this.#waiting.length)) this.#waiting.push(short(hint));
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(() => void this.#send());
  }

  /** The other nodes are told that groups are free; resolves when they know, or cannot be reached. */
  async freed(): Promise<void> {
    await this.#postAll(FREED);
  }

  /** The step has a breakpoint from now on; resolves when the other nodes know, or cannot be reached. */
  async addBreakpoint({ internalId, stepId }: StepRef): Promise<void> {
    await this.#postAll({ breakpoint: { internalId, stepId } });
  }

  /** Job templates have changed; resolves when the other nodes know, or cannot be reached. */
  async forgetTemplates(): Promise<void> {
    await this.#postAll({ templates: "changed" });
  }

  /** To the owner of the run, and what that answers; `unknown` when it can't be reached, or is this node. */
  async report(report: OutputReport): Promise<ReportAnswer> {
    const owner = await this.#options.ownerOf(report.groupId);
    if (!owner || owner.id === this.#options.self) return "unknown";
    const response = await this.#post(owner, { report }, REPORT_PATIENCE);
    if (response?.status !== 200) return "unknown";
    const body = (await response.json().catch(() => undefined)) as { readonly answer?: ReportAnswer } | undefined;
    return REPORT_ANSWERS.find((answer) => answer === body?.answer) ?? "unknown";
  }

  /** What is asked at {@link PEER_PATH}; who doesn't know the cluster's secret is told before the body is looked at. */
  async answer(request: Request): Promise<Response> {
    try {
      if (!isSame(request.headers.get(HEADER) ?? "", this.#options.secret)) {
        throw new MaestroError("FORBIDDEN", "This path is for the nodes of the cluster.");
      }
      const body = await readJson(request, BODY_LIMIT);
      const step = isJsonObject(body) ? stepOf(body.breakpoint) : undefined;
      if (step) {
        await this.#options.heardBreakpoint(step);
        return new Response(null, { status: 204 });
      }
      if (isJsonObject(body) && body.templates === "changed") {
        await this.#options.heardTemplates();
        return new Response(null, { status: 204 });
      }
      if (isJsonObject(body) && isReport(body.report)) {
        return Response.json({ answer: await this.#options.heardReport(body.report) });
      }
      const hints = hintsOf(body);
      const isAlike = request.headers.get(VERSION) === this.#options.version;
      this.#options.heard(isAlike ? hints : hints.map(bare));
      return new Response(null, { status: 204 });
    } catch (error) {
      if (hasLeft(error, request)) return new Response(null, { status: CLIENT_LEFT });
      return errorResponse(error, PEER_PATH);
    }
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#postAll(this.#waiting.splice(0, batchOf(this.#waiting)));
    }
    this.#sending = false;
  }

  async #postAll(message: Message): Promise<void> {
    const others = this.#options.nodes().filter(({ id }) => id !== this.#options.self);
    await Promise.all(others.map((node) => this.#post(node, message)));
  }

  /** @returns undefined when the node can't be reached */
  async #post(node: Node, message: Message, patience = PATIENCE): Promise<Response | undefined> {
    try {
      return await fetch(node.url + PEER_PATH, {
        method: "POST",
        headers: {
          [HEADER]: this.#options.secret,
          [VERSION]: this.#options.version,
          "content-type": "application/json",
        },
        body: stringifyJson(message),
        signal: AbortSignal.timeout(patience),
      });
    } catch (error) {
      this.#options.log.debug("a hint did not reach a node", { node: node.id, error });
      return undefined;
    }
  }
}

/** In a time that tells nothing about the secret. */
function isSame(given: string, secret: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(secret));
}

/** @throws BAD_REQUEST */
function hintsOf(body: Json): readonly RunHint[] {
  if (Array.isArray(body) && body.every(isHint)) return body;
  throw badRequest("The body is not a list of hints", ['send a list such as [{"key": 1, "groupId": 2}]']);
}

function stepOf(value: Json | undefined): StepRef | undefined {
  if (!isJsonObject(value)) return undefined;
  const { internalId, stepId } = value;
  if (!Number.isSafeInteger(internalId) || typeof stepId !== "string") return undefined;
  return { internalId: Number(internalId), stepId };
}

const isReport = (value: unknown): value is OutputReport =>
  isJsonObject(value) &&
  Number.isSafeInteger(value.groupId) &&
  typeof value.uuid === "string" &&
  (value.workflowId === undefined || typeof value.workflowId === "string") &&
  isJsonObject(value.reported);

const isHint = (value: unknown): value is RunHint =>
  isJsonObject(value) &&
  Number.isSafeInteger(value.key) &&
  Number.isSafeInteger(value.groupId) &&
  (value.run === undefined || typeof value.run === "string") &&
  (value.child === undefined || typeof value.child === "string") &&
  (value.told === undefined || (Array.isArray(value.told) && value.told.every((id) => typeof id === "string")));

const bare = ({ key, groupId, told, child }: RunHint): RunHint => ({
  ...{ key, groupId },
  ...(told && { told }),
  ...(child !== undefined && { child: "" }),
});

const lengthOf = ({ run = "", child = "", told = [] }: RunHint): number =>
  told.reduce((sum, id) => sum + id.length, run.length + child.length);

const short = (hint: RunHint): RunHint => (lengthOf(hint) > LONGEST_RUN ? bare(hint) : hint);

/** How many of the hints fit one request: one at least. */
function batchOf(hints: readonly RunHint[]): number {
  let size = 0;
  for (const [index, hint] of hints.entries()) {
    size += lengthOf(hint);
    if (index === BATCH || (index > 0 && size > BATCH_SIZE)) return index;
  }
  return hints.length;
}
