/**
 * One end of a reliable, ordered, batched message stream over a transport of strings that may lose or repeat them.
 *
 * It does not open the transport and knows nothing of what messages mean.
 *
 * Invariants
 * - C1 A message is handed to `receive` once and in order, while both ends live.
 * - C2 What is not acknowledged is kept and sent again.
 * - C3 An end that was replaced is noticed by the session in its first frame, or told by `reset`. What was sent to the
 *   old one and not acknowledged is dropped; `onReset` may post it again. Numbers then start at 1 in both directions;
 *   a frame names the session that it is meant for, so that a late one does no harm.
 */

import { type Clock, systemClock, type Timer } from "../clock.ts";

export interface ChannelOptions<In> {
  /** Unique for this end's life. */
  readonly session: string;
  /** This end speaks first, and takes a new session when the other end was replaced. True on exactly one end. */
  readonly initiator: boolean;
  send(frame: string): void;
  receive(message: In): void;
  /** The other end was replaced. */
  onReset?(): void;
  readonly clock?: Clock | undefined;
  /** Milliseconds until unacknowledged messages are sent again, doubled up to 16 times. Default 500. */
  readonly resendAfter?: number | undefined;
}

/** s: sender's session, p: receiver's session as known, a: received so far, n: number of the first message. */
interface Frame<In> {
  readonly s: string;
  readonly p: string | null;
  readonly a: number;
  readonly n: number;
  readonly m: readonly In[];
}

/** Messages sent before an acknowledgement must come back; bounds what a re-send repeats. */
const WINDOW = 1000;
/** An acknowledgement waits so long for a message that it can ride on, ms: far less than a re-send does. */
const ACK_DELAY = 50;
/** Received messages after which it waits no longer. */
const ACK_AT_LATEST = WINDOW / 4;

export class Channel<In, Out> {
  readonly #options: ChannelOptions<In>;
  readonly #clock: Clock;
  #epoch = 0;
  #peer: string | null = null;
  readonly #dead = new Set<string>();
  #received = 0;
  /** JSON texts of messages not acknowledged yet; the first has number `#base + 1`. */
  #out: string[] = [];
  #base = 0;
  /** How many of `#out` were sent at least once. */
  #sent = 0;
  #size = 0;
  #ackDue = false;
  /** Received since the last acknowledgement. */
  #unacknowledged = 0;
  #ackTimer: Timer | undefined;
  /** Re-sends since the last acknowledgement. */
  #tries = 0;
  #flushTimer: Timer | undefined;
  #resendTimer: Timer | undefined;
  #closed = false;

  constructor(options: ChannelOptions<In>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Characters of messages that the other end has not acknowledged: for back-pressure. */
  get pendingSize(): number {
    return this.#size;
  }

  get peer(): string | null {
    return this.#peer;
  }

  post(message: Out): void {
    if (this.#closed) return;
    const text = JSON.stringify(message);
    this.#out.push(text);
    this.#size += text.length;
    this.#flushSoon();
  }

  accept(text: string): void {
    if (this.#closed) return;
    const frame = JSON.parse(text) as Frame<In>;
    if (this.#dead.has(frame.s)) return;
    const forPredecessor = frame.p !== null && frame.p !== this.#session;
    if (forPredecessor) {
      this.#acknowledge(true); // so that the sender learns of me
      return;
    }
    if (frame.s !== this.#peer) this.#meet(frame.s);
    if (frame.p !== null) this.#acknowledged(frame.a);
    this.#take(frame);
  }

  /**
   * The other end is known to be gone: start afresh with whoever comes.
   * @param successor session of the new end; nothing happens when it has been met already.
   */
  reset(successor?: string): void {
    if (this.#closed || (successor !== undefined && this.#peer?.startsWith(`${successor}.`))) return;
    this.#peer = null;
    this.#epoch++;
    this.#restart();
  }

  close(): void {
    this.#closed = true;
    this.#flushTimer?.cancel();
    this.#resendTimer?.cancel();
    this.#ackTimer?.cancel();
  }

  get #session(): string {
    return `${this.#options.session}.${this.#epoch}`;
  }

  #meet(session: string): void {
    const replaced = this.#peer;
    this.#peer = session;
    this.#received = 0;
    if (replaced === null) return;
    this.#dead.add(replaced);
    if (this.#options.initiator) this.#epoch++;
    this.#restart();
  }

  #restart(): void {
    this.#out = [];
    this.#tries = 0;
    this.#base = 0;
    this.#sent = 0;
    this.#size = 0;
    this.#received = 0;
    this.#options.onReset?.();
  }

  #acknowledged(upTo: number): void {
    const count = upTo - this.#base;
    if (count <= 0) return;
    for (const text of this.#out.splice(0, count)) this.#size -= text.length;
    this.#base = upTo;
    this.#tries = 0;
    this.#sent = Math.max(0, this.#sent - count);
    this.#resendTimer?.cancel();
    this.#resendTimer = undefined;
    if (this.#sent < this.#out.length) this.#flushSoon();
    else if (this.#sent > 0) this.#resendLater();
  }

  #take(frame: Frame<In>): void {
    if (frame.m.length === 0) return;
    const skip = this.#received + 1 - frame.n;
    const session = this.#session;
    this.#unacknowledged += frame.m.length;
    if (skip >= 0) {
      for (const message of frame.m.slice(skip)) {
        this.#received++;
        this.#options.receive(message);
        if (this.#closed || session !== this.#session) return;
      }
    }
    // What came before or too early was sent again or lost: the sender waits for word.
    this.#acknowledge(skip !== 0 || this.#unacknowledged >= ACK_AT_LATEST);
  }

  #acknowledge(soon: boolean): void {
    this.#ackDue = true;
    if (soon) return this.#flushSoon();
    this.#ackTimer ??= this.#clock.after(ACK_DELAY, () => {
      this.#ackTimer = undefined;
      if (this.#ackDue) this.#flush(this.#sent);
    });
  }

  #flushSoon(): void {
    this.#flushTimer ??= this.#clock.soon(() => {
      this.#flushTimer = undefined;
      this.#flush(this.#sent);
    });
  }

  #flush(from: number): void {
    const texts = this.#out.slice(from, WINDOW);
    if (texts.length === 0 && !this.#ackDue) return;
    this.#ackDue = false;
    this.#unacknowledged = 0;
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    this.#sent = Math.max(this.#sent, from + texts.length);
    if (this.#sent > 0) this.#resendLater();
    const head = `{"s":${JSON.stringify(this.#session)},"p":${JSON.stringify(this.#peer)}`;
    this.#options.send(`${head},"a":${this.#received},"n":${this.#base + from + 1},"m":[${texts.join(",")}]}`);
  }

  #resendLater(): void {
    const delay = (this.#options.resendAfter ?? 500) * 2 ** Math.min(this.#tries, 4);
    this.#resendTimer ??= this.#clock.after(delay, () => {
      this.#resendTimer = undefined;
      this.#tries++;
      if (this.#out.length > 0) this.#flush(0);
    });
  }
}
