/** Permits in memory, as `store/permit.ts` keeps them: granted by the model, as far as a call looks. */
import type { PermitAnswer, PermitLook, PermitNeed, PermitState } from "../../src/flow/port.ts";
import { assign, holders, type PermitRequest, type Want } from "../../src/run/permit.ts";

interface Row extends PermitNeed, PermitRequest {
  /** What it was found to lack when it was looked at last; undefined: it was not. */
  readonly blockedBy: string | undefined;
}

export class SimPermits {
  readonly limits = new Map<string, number>();
  /** In the order of arrival. */
  readonly rows = new Map<string, Row>();
  /** How often it was asked. */
  calls = 0;
  /** Attempts that a call looks at. */
  looks = Number.POSITIVE_INFINITY;
  /** Calls throw. */
  fails = false;

  want(need: PermitNeed): void {
    if (!this.rows.has(need.uuid)) this.rows.set(need.uuid, { ...need, granted: false, blockedBy: undefined });
  }

  release(uuid: string): void {
    this.rows.delete(uuid);
  }

  /** Of an attempt that has started runs. */
  leave(attempt: string): void {
    for (const { uuid, starter } of this.rows.values()) if (starter === attempt) this.rows.delete(uuid);
  }

  /** As users do. @param limit undefined: it is taken away */
  allow(tag: string, limit: number | undefined): readonly PermitState[] {
    if (limit === undefined) this.limits.delete(tag);
    else this.limits.set(tag, limit);
    return this.assign({ opened: [tag], asked: [], sweeps: false }).states;
  }

  /** Those that it does not look at stay as they are, though they may be free. */
  assign({ opened, asked, sweeps }: PermitLook): PermitAnswer {
    this.calls++;
    if (this.fails) throw new Error("no connection");
    const isSeen = ({ blockedBy }: Row): boolean => sweeps || blockedBy === undefined || opened.includes(blockedBy);
    const held = [...this.rows.values()].filter(({ granted }) => granted);
    const open = [...this.rows.values()].filter((row) => !row.granted && isSeen(row));
    const seen = [...held, ...open.slice(0, this.looks)];
    const { requests } = assign({ limits: this.limits, requests: seen });
    const fresh = new Set<string>();
    for (const [index, { uuid, granted }] of requests.entries()) {
      const row = seen[index] as Row;
      if (granted && !row.granted) fresh.add(uuid);
      this.rows.set(uuid, { ...row, granted });
    }
    for (const { uuid } of seen) this.#block(uuid);
    const states = [...this.rows.values()]
      .filter(({ uuid, granted, blockedBy }) => fresh.has(uuid) || (asked.includes(uuid) && (granted || blockedBy)))
      .map(({ uuid, runKey, groupId, stepId, granted, blockedBy }) => ({
        ...{ uuid, runKey, groupId, stepId },
        blockedBy: granted ? undefined : blockedBy,
      }));
    return { states, isMore: open.length > this.looks };
  }

  isFull({ tag, limit }: Want): boolean {
    const held = holders(this.rows.values()).get(tag) ?? 0;
    return held >= (this.limits.get(tag) ?? limit ?? Number.POSITIVE_INFINITY);
  }

  #block(uuid: string): void {
    const row = this.rows.get(uuid) as Row;
    if (!row.granted) this.rows.set(uuid, { ...row, blockedBy: row.wants.find((want) => this.isFull(want))?.tag });
  }
}
