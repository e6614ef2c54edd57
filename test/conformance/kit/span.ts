/** From when to when something was under way, ms. */
export interface Span {
  readonly start: unknown;
  readonly end: unknown;
}

/** The most that were under way at one instant. */
export function mostAtOnce(spans: readonly Span[]): number {
  const changes = spans.flatMap(({ start, end }) => [
    { at: Number(start), by: 1 },
    { at: Number(end), by: -1 },
  ]);
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
