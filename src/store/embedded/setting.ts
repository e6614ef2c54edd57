/** The settings that the embedded Postgres always runs with; they win over its configuration file. */
import type { Layout } from "./layout.ts";

export interface Address {
  /** Undefined: sockets only. */
  readonly port: number | undefined;
}

const DURABLE = { fsync: "on", full_page_writes: "on", synchronous_commit: "on" };

/** One node, no replicas: less write-ahead log, and fewer idle processes. */
const SINGLE = {
  wal_level: "minimal",
  max_wal_senders: "0",
  max_replication_slots: "0",
  max_logical_replication_workers: "0",
  io_method: "sync",
};

/** Modest memory. Checkpoints are rare, since each makes the next writes of a page cost a whole page of log. */
const SIZE = {
  shared_buffers: "64MB",
  wal_buffers: "4MB",
  max_wal_size: "1GB",
  checkpoint_timeout: "15min",
  max_connections: "100",
  max_parallel_workers_per_gather: "0",
  jit: "off",
};

/** Errors of statements reach the client that sent them; the log keeps what concerns the server. */
const LOG = { log_min_messages: "log", log_min_error_statement: "panic", log_checkpoints: "off", log_timezone: "UTC" };

export function settingArgs(layout: Layout, address: Address, override: Readonly<Record<string, string>>): string[] {
  const settings: Record<string, string> = {
    ...DURABLE,
    ...SINGLE,
    ...SIZE,
    ...LOG,
    timezone: "UTC",
    listen_addresses: address.port === undefined ? "" : "127.0.0.1",
    port: String(address.port ?? 5432),
    unix_socket_directories: layout.childSocketDir ?? "",
    unix_socket_permissions: "0700",
    ...override,
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
