/** The engine's figures for Prometheus, read when they are asked for. */
import type { Membership } from "../flow/membership.ts";
import type { EnginePool } from "../flow/pool.ts";
import type { EngineCounters } from "../flow/protocol.ts";
import { metrics } from "../metric.ts";

export function registerEngineMetrics(pool: EnginePool, membership: Membership): void {
  const sum = (name: Exclude<keyof EngineCounters, "index">) => (): number =>
    pool.counters.reduce((total, counters) => total + counters[name], 0);
  metrics.gauge("maestro_active_runs", "Unfinished runs that this node holds.", sum("activeRuns"));
  metrics.gauge("maestro_parked_runs", "Runs that go no further here: see their timelines.", sum("parkedRuns"));
  metrics.gauge("maestro_started_runs", "Runs that this node has let go since it began.", sum("startedRuns"));
  metrics.gauge("maestro_ended_runs", "Runs whose end this node has committed since it began.", sum("endedRuns"));
  metrics.gauge("maestro_writer_queued_rows", "Rows that wait for their commit.", sum("queuedRows"));
  metrics.gauge("maestro_groups_held", "Groups of flows that this node owns.", () => membership.held);
  metrics.gauge("maestro_live_nodes", "Nodes of this database that are alive.", () => membership.nodes.length);
}
