/**
 * A runtime thread's inside: step types by name, and for each engine thread a channel with its attempts.
 *
 * It does not load plugins, nor does it know that it runs in a worker: `worker.ts` does. A plugin's throw ends in a
 * result; an engine thread that was replaced takes its attempts with it (their jobs live on, and are adopted).
 */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { KEEP_FILE, type StepType } from "@maestro/sdk";
import type { Place } from "../step/model.ts";
import { Attempt, type AttemptPort } from "./attempt.ts";
import { Channel } from "./channel.ts";
import { Ticker } from "./follow.ts";
import { folderOf, isVisible, placeOf } from "./place.ts";
import { decodeContext, encodeResult, type ToEngine, type ToRuntime } from "./protocol.ts";
import { failure } from "./result.ts";
import type { Secrets } from "./secret.ts";
import type { AttemptContext } from "./type.ts";

/** Bytes of logs on the way to an engine thread's commits above which files are not read further. */
const MOST_UNSTORED = 512 * 1024;

export interface RuntimeThreadOptions {
  readonly session: string;
  readonly dataDir: string;
  readonly types: readonly StepType[];
  /** Bytes of an attempt's output that are kept. */
  readonly logBytes: number;
  readonly secrets: Secrets;
  send(engine: number, frame: string): void;
  readonly line: AttemptPort["line"];
  now(): number;
}

interface Peer {
  readonly channel: Channel<ToRuntime, ToEngine>;
  readonly attempts: Map<string, Attempt>;
  readonly port: AttemptPort;
  /** Grows when the engine thread was replaced. */
  generation: number;
  /** Bytes of logs that have been sent and not been said to be stored. */
  unstored: number;
}

export class RuntimeThread {
  readonly #options: RuntimeThreadOptions;
  readonly #types: ReadonlyMap<string, StepType>;
  readonly #peers = new Map<number, Peer>();
  readonly #ticker = new Ticker();
  readonly #place: Place;

  constructor(options: RuntimeThreadOptions) {
    this.#options = options;
    this.#place = placeOf(options.dataDir);
    this.#types = new Map(options.types.map((type) => [type.type.toLowerCase(), type]));
  }

  deliver(engine: number, frame: string): void {
    let peer = this.#peers.get(engine);
    if (peer === undefined) {
      peer = this.#open(engine);
      this.#peers.set(engine, peer);
    }
    peer.channel.accept(frame);
  }

  /** Lets go of every attempt; the jobs live on. */
  stop(): void {
    for (const { channel, attempts } of this.#peers.values()) {
      channel.close();
      for (const attempt of attempts.values()) attempt.release();
    }
    this.#peers.clear();
  }

  #open(engine: number): Peer {
    const attempts = new Map<string, Attempt>();
    const { session, dataDir, logBytes, secrets, line, now } = this.#options;
    const channel: Channel<ToRuntime, ToEngine> = new Channel<ToRuntime, ToEngine>({
      session,
      initiator: false,
      send: (frame) => this.#options.send(engine, frame),
      receive: (message) => this.#receive(engine, message),
      onReset: () => {
        for (const attempt of attempts.values()) attempt.release();
        attempts.clear();
        peer.generation++;
        peer.unstored = 0;
      },
    });
    const port: AttemptPort = {
      dataDir,
      place: this.#place,
      ticker: this.#ticker,
      now,
      wake: (uuid) => channel.post({ type: "wake", uuid }),
      logBytes,
      secrets,
      log(chunk) {
        peer.unstored += chunk.length;
        channel.post({ type: "log", chunk });
      },
      canLog: () => peer.unstored < MOST_UNSTORED,
      line,
    };
    const peer: Peer = { channel, attempts, port, generation: 0, unstored: 0 };
    return peer;
  }

  #receive(engine: number, message: ToRuntime): void {
    const peer = this.#peers.get(engine);
    if (peer === undefined) return;
    switch (message.type) {
      case "call":
        this.#call(peer, message);
        return;
      case "forget":
        this.#forget(peer, message);
        return;
      case "stored":
        peer.unstored = Math.max(0, peer.unstored - message.bytes);
        peer.attempts.get(message.uuid)?.stored(message.bytes);
    }
  }

  #call(peer: Peer, { id, op, context: text }: Extract<ToRuntime, { type: "call" }>): void {
    const context = decodeContext(text);
    const attempt = peer.attempts.get(context.uuid) ?? this.#adopt(peer, context);
    if (attempt === undefined) {
      const result = failure("FATAL_ERROR", `Step type [${context.stepType}] is not loaded`, this.#options.now());
      peer.channel.post({ type: "result", id, result: encodeResult(result) });
      return;
    }
    const { generation } = peer;
    void attempt.call(op, context).then((result) => {
      if (generation !== peer.generation) return; // the engine thread's successor asks anew
      peer.channel.post({ type: "result", id, result: encodeResult(result) });
    });
  }

  #adopt(peer: Peer, context: AttemptContext): Attempt | undefined {
    const type = this.#types.get(context.stepType.toLowerCase());
    if (type === undefined) return undefined;
    const attempt = new Attempt(type, context, peer.port);
    peer.attempts.set(context.uuid, attempt);
    return attempt;
  }

  #forget(peer: Peer, { uuid, place }: Extract<ToRuntime, { type: "forget" }>): void {
    peer.attempts.get(uuid)?.release();
    peer.attempts.delete(uuid);
    if (!/^[\w-]+$/.test(uuid)) return; // never outside the attempts' folder
    if (!isVisible(place, this.#place)) return;
    const folder = folderOf(uuid, place, this.#place);
    if (existsSync(join(folder, KEEP_FILE))) return;
    void rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      console.error(`maestro: the files of attempt ${uuid} can't be removed: ${error}`);
    });
  }
}
