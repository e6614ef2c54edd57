import { describe, expect, test } from "bun:test";
import { MetricRegistry } from "../src/metric.ts";

describe("the metric registry", () => {
  test("prints counters by label, with quotes and newlines escaped", () => {
    const registry = new MetricRegistry();
    const counter = registry.counter("maestro_requests_total", "Requests.");
    counter.add(1, { path: 'a"b\n' });
    counter.add(2, { path: 'a"b\n' });
    expect(registry.print()).toBe(
      '# HELP maestro_requests_total Requests.\n# TYPE maestro_requests_total counter\nmaestro_requests_total{path="a\\"b\\n"} 3\n',
    );
  });

  test("prints histogram buckets cumulatively, a value on a bound within it", () => {
    const registry = new MetricRegistry();
    const histogram = registry.histogram("wait_seconds", "Wait.", [1, 2]);
    for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
    expect(registry.print().split("\n").slice(2, -1)).toEqual([
      'wait_seconds_bucket{le="1"} 2',
      'wait_seconds_bucket{le="2"} 3',
      'wait_seconds_bucket{le="+Inf"} 4',
      "wait_seconds_sum 12",
      "wait_seconds_count 4",
    ]);
  });

  test("reads a gauge that is given as a function when it is printed", () => {
    const registry = new MetricRegistry();
    let depth = 1;
    registry.gauge("depth", "Depth.", () => depth);
    depth = 7;
    expect(registry.print()).toContain("\ndepth 7\n");
  });

  test("gives the same family for the same name, and refuses another kind", () => {
    const registry = new MetricRegistry();
    registry.counter("n", "N.").add();
    registry.counter("n", "N.").add();
    expect(registry.print()).toContain("\nn 2\n");
    expect(() => registry.gauge("n", "N.")).toThrow("metric n is a counter");
  });
});
