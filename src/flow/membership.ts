/**
 * This node's place in the cluster: beats, claims its fair share of the groups, hands surplus back, drops what it has
 * lost. The database's clock decides; a node that slept through its lease finds out at its next beat, and until then
 * its writes are refused (D4).
 */
import { type Clock, systemClock, type Timer } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { GroupStamp } from "./port.ts";

/** Milliseconds between beats, and until a silent node's groups may be claimed by others. */
export const BEAT_INTERVAL = 2_000;
export const LEASE = 10_000;
/** Milliseconds after which a beat that is not answered counts as failed. */
const PATIENCE = LEASE / 2;
/** Failures between two lines of the log. */
const LOG_EVERY = 30;

export interface Node {
  readonly id: string;
  /** Where other nodes reach it. */
  readonly url: string;
  readonly version: string;
}

export interface Heartbeat {
  readonly owned: readonly GroupStamp[];
  /** Live nodes, with the milliseconds since each one's last beat. */
  readonly nodes: readonly (Node & { readonly age: number })[];
  /** False: the node's row is gone, and it has to register again. */
  readonly registered: boolean;
}

export interface LeaseStore {
  register(node: Node): Promise<void>;
  /** Beats the node's row and all its groups in one statement. */
  heartbeat(nodeId: string): Promise<Heartbeat>;
  /** Free or expired groups, each with a raised generation. */
  claim(nodeId: string, limit: number): Promise<readonly GroupStamp[]>;
  giveBack(nodeId: string, groups: readonly number[]): Promise<void>;
  /** Frees all groups and removes the node's row. */
  releaseAll(nodeId: string): Promise<void>;
}

export interface MembershipOptions {
  readonly node: Node;
  readonly groups: number;
  readonly store: LeaseStore;
  readonly log: Logger;
  readonly clock?: Clock;
  own(stamps: readonly GroupStamp[]): void;
  /** Resolves when nothing of these groups is on its way to the database any more. */
  disown(groups: readonly number[]): Promise<void>;
  /** Groups are free now: the other nodes should beat at once. */
  freed(): Promise<void>;
}

export class Membership {
  readonly #options: MembershipOptions;
  #held = new Map<number, number>();
  #nodes: Heartbeat["nodes"] = [];
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #beating: Promise<void> = Promise.resolve();
  /** The beat that the database has still to answer: no other one is sent until then. */
  #unanswered: Promise<void> | undefined;
  #stopped = false;
  #failures = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Live nodes at the last beat, this one included. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get held(): number {
    return this.#held.size;
  }

  /** The last beats went through. */
  get healthy(): boolean {
    return this.#failures < 3;
  }

  async start(): Promise<void> {
    await this.#options.store.register(this.#options.node);
    await this.#beatOnce();
    this.#arm();
  }

  /** Beats at once: after a refused write, or when another node says that something has changed. */
  refresh(): Promise<void> {
    this.#beating = this.#beating.then(() => (this.#stopped ? undefined : this.#tryBeat()));
    return this.#beating;
  }

  /** Gives everything up, so that others can take over without waiting for the lease. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#beating;
    await this.#options.disown([...this.#held.keys()]);
    this.#held.clear();
    await this.#options.store.releaseAll(this.#options.node.id);
    await this.#options.freed();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.after(this.#untilNextBeat(), () => void this.refresh().then(() => this.#arm()));
  }

  /** The interval, or less: a node that falls silent is noticed when its lease ends, not at the beat after that. */
  #untilNextBeat(): number {
    const others = this.#nodes.filter(({ id, age }) => id !== this.#options.node.id && age > BEAT_INTERVAL * 2);
    return Math.min(BEAT_INTERVAL, ...others.map(({ age }) => Math.max(50, LEASE - age + 50)));
  }

  async #tryBeat(): Promise<void> {
    try {
      await within(this.#clock, PATIENCE, this.#beatOnce());
      if (this.#failures > 0) this.#options.log.info("the heartbeat goes through again");
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ % LOG_EVERY === 0) this.#options.log.warn("the heartbeat failed", { error });
    }
  }

  /** Two at a time would each act on what the other one changes. */
  #beatOnce(): Promise<void> {
    this.#unanswered ??= this.#beat().finally(() => {
      this.#unanswered = undefined;
    });
    return this.#unanswered;
  }

  async #beat(): Promise<void> {
    const { store, node } = this.#options;
    const { owned, nodes, registered } = await store.heartbeat(node.id);
    if (!registered) await store.register(node);
    this.#nodes = registered ? nodes : [...nodes, { ...node, age: 0 }];
    await this.#dropLost(owned);
    this.#takeUp(owned);
    await this.#balance();
  }

  async #dropLost(owned: readonly GroupStamp[]): Promise<void> {
    const still = new Map(owned.map(({ groupId, generation }) => [groupId, generation]));
    const lost = [...this.#held].filter(([id, generation]) => still.get(id) !== generation).map(([id]) => id);
    if (lost.length === 0) return;
    this.#options.log.warn("another node has taken over groups of this one; their runs go on there", {
      groups: lost.length,
      lost: lost.join(","),
    });
    for (const id of lost) this.#held.delete(id);
    await this.#options.disown(lost);
  }

  /** Groups that are this node's, though it has not heard of having claimed them, or they could not be given back. */
  #takeUp(owned: readonly GroupStamp[]): void {
    this.#own(owned.filter(({ groupId }) => !this.#held.has(groupId)));
  }

  #own(stamps: readonly GroupStamp[]): void {
    if (stamps.length === 0) return;
    for (const { groupId, generation } of stamps) this.#held.set(groupId, generation);
    this.#options.log.info("groups claimed", { groups: stamps.length, held: this.#held.size });
    this.#options.own(stamps);
  }

  async #balance(): Promise<void> {
    const { store, node, groups } = this.#options;
    const share = Math.ceil(groups / Math.max(1, this.#nodes.length));
    if (this.#held.size > share) return this.#giveBack([...this.#held.keys()].slice(share));
    if (this.#held.size === share) return;
    this.#own(await store.claim(node.id, share - this.#held.size));
  }

  async #giveBack(surplus: readonly number[]): Promise<void> {
    for (const id of surplus) this.#held.delete(id);
    await this.#options.disown(surplus);
    await this.#options.store.giveBack(this.#options.node.id, surplus);
    await this.#options.freed();
    this.#options.log.info("groups handed back for other nodes", { groups: surplus.length, held: this.#held.size });
  }
}

/** @throws Error when the work is not done by then; it goes on */
async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(ms, () => late.reject(new Error(`the database has not answered within ${ms} ms`)));
  try {
    await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
