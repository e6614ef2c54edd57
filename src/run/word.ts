/** What may be said to a run: true by its row, whether the run's owner has heard of it or not. */
export const WORDS = ["STOP", "KILL"] as const;

export interface Word {
  readonly kind: (typeof WORDS)[number];
  /** Who says it. */
  readonly user: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly createTime: number;
}
