/**
 * Counters, gauges and histograms of this process, printed in Prometheus' text format. A registry is a plain map of
 * families: declaring one twice gives the same family, so that several parts may count under one name.
 *
 * Which values are counted is decided by their owners. A gauge whose value its owner has at hand is given as a function,
 * called on print.
 */

export type Labels = Readonly<Record<string, string | number>>;

export interface Counter {
  add(amount?: number, labels?: Labels): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  /** @param value in the unit that the name ends in, seconds by convention. */
  observe(value: number, labels?: Labels): void;
}

type Kind = "counter" | "gauge" | "histogram";

interface Series {
  readonly labels: string;
  value: number;
  /** Histograms: counts by bucket (not cumulative), the last one beyond every bound. */
  readonly counts: number[];
  count: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
  read: (() => number) | undefined;
}

/** Seconds, from half a millisecond to half a minute. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(",");

const sample = (name: string, labels: string, value: number): string =>
  labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`;

export class MetricRegistry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const family = this.#family(name, help, "counter");
    return {
      add(amount = 1, labels) {
        series(family, labels).value += amount;
      },
    };
  }

  gauge(name: string, help: string, read?: () => number): Gauge {
    const family = this.#family(name, help, "gauge");
    if (read !== undefined) family.read = read;
    return {
      set(value, labels) {
        series(family, labels).value = value;
      },
    };
  }

  histogram(name: string, help: string, bounds: readonly number[] = DURATIONS): Histogram {
    const family = this.#family(name, help, "histogram", bounds);
    return {
      observe(value, labels) {
        const line = series(family, labels);
        let bucket = 0;
        while (bucket < family.bounds.length && value > (family.bounds[bucket] as number)) bucket++;
        line.counts[bucket] = (line.counts[bucket] ?? 0) + 1;
        line.count++;
        line.value += value;
      },
    };
  }

  /** Prometheus' text format 0.0.4. */
  print(): string {
    const lines: string[] = [];
    for (const family of this.#families.values()) {
      lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.kind}`);
      if (family.read !== undefined) lines.push(sample(family.name, "", family.read()));
      for (const line of family.series.values()) {
        if (family.kind === "histogram") printHistogram(lines, family, line);
        else lines.push(sample(family.name, line.labels, line.value));
      }
    }
    return `${lines.join("\n")}\n`;
  }

  #family(name: string, help: string, kind: Kind, bounds: readonly number[] = []): Family {
    const known = this.#families.get(name);
    if (known !== undefined) {
      if (known.kind !== kind) throw new Error(`metric ${name} is a ${known.kind}, not a ${kind}`);
      return known;
    }
    const family: Family = { name, help, kind, bounds, series: new Map(), read: undefined };
    this.#families.set(name, family);
    return family;
  }
}

/** Found without the text that is printed: most requests count something. */
function series(family: Family, labels: Labels = {}): Series {
  let key = "";
  for (const name in labels) key += `${name}\0${labels[name]}\0`;
  let line = family.series.get(key);
  if (line === undefined) {
    line = { labels: labelText(labels), value: 0, counts: [], count: 0 };
    family.series.set(key, line);
  }
  return line;
}

function printHistogram(lines: string[], family: Family, line: Series): void {
  const prefix = line.labels === "" ? "" : `${line.labels},`;
  let total = 0;
  family.bounds.forEach((bound, index) => {
    total += line.counts[index] ?? 0;
    lines.push(sample(`${family.name}_bucket`, `${prefix}le="${bound}"`, total));
  });
  lines.push(
    sample(`${family.name}_bucket`, `${prefix}le="+Inf"`, line.count),
    sample(`${family.name}_sum`, line.labels, line.value),
    sample(`${family.name}_count`, line.labels, line.count),
  );
}

/** The process's own registry. */
export const metrics = new MetricRegistry();
