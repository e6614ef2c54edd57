/** What a benchmark yields, and how it is shown. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value must not exceed, or with `atLeast` must reach. */
  readonly budget?: number;
  readonly atLeast?: boolean;
  /** What the bare database does on the same machine in the same run. */
  readonly raw?: { readonly what: string; readonly value: number };
  readonly note?: string;
}

export type Verdict = "met" | "missed" | "-";

export function verdictOf({ value, budget, atLeast = false }: Figure): Verdict {
  if (budget === undefined) return "-";
  return (atLeast ? value >= budget : value <= budget) ? "met" : "missed";
}

const HEAD = ["figure", "measured", "budget", "raw baseline", "ratio", "verdict", "note"];

export function table(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cells(figure: Figure): string[] {
  const { name, value, unit, budget, atLeast = false, raw, note = "" } = figure;
  return [
    name,
    `${shown(value)} ${unit}`,
    budget === undefined ? "" : `${atLeast ? "≥" : "≤"} ${shown(budget)}`,
    raw === undefined ? "" : `${shown(raw.value)} (${raw.what})`,
    raw === undefined ? "" : `${shown(value / raw.value)}×`,
    verdictOf(figure),
    note,
  ];
}

function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
