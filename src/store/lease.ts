/**
 * Which node runs which flows: nodes, and the groups of flows that they own for as long as they send heartbeats. All times are the
 * database's own, so nodes may disagree about theirs.
 *
 * Claiming locks a group for update without waiting: a group that a batch of its late owner is being written for
 * is left to a later claim. So a batch either commits before the change of owner, or is refused (D4).
 */
import { type Heartbeat, LEASE, type LeaseStore, type Node } from "../flow/membership.ts";
import type { GroupStamp } from "../flow/port.ts";
import type { Sql } from "./connection.ts";

/** Rows of nodes that were silent for so long are swept. */
const FORGOTTEN = "1 hour";
const SECRET_KEY = "cluster_secret";

export class Leases implements LeaseStore {
  readonly #sql: Sql;
  readonly #lease: string;

  /** @param lease milliseconds; another than {@link LEASE} is for tests */
  constructor(sql: Sql, lease: number = LEASE) {
    this.#sql = sql;
    this.#lease = `${lease} milliseconds`;
  }

  async register(node: Node): Promise<void> {
    const { id, url, version } = node;
    await this.#sql`WITH swept AS (
        DELETE FROM node WHERE heartbeat < now() - ${FORGOTTEN}::interval AND id <> ${id}
      )
      INSERT INTO node (id, url, version) VALUES (${id}, ${url}, ${version})
      ON CONFLICT (id) DO UPDATE SET url = excluded.url, version = excluded.version, started_at = now(), heartbeat = now()`;
  }

  /** One statement for the node and all its groups. */
  async heartbeat(nodeId: string): Promise<Heartbeat> {
    const rows = await this.#sql<HeartbeatRow[]>`WITH beat AS (
        UPDATE node SET heartbeat = now() WHERE id = ${nodeId} RETURNING id, url, version
      ), held AS (
        UPDATE flow_group SET heartbeat = now() WHERE node = ${nodeId} RETURNING id, generation
      )
      SELECT 'node' AS kind, id, url, version, 0 AS group_id, 0 AS generation, 0::float8 AS age FROM beat
      UNION ALL
      SELECT 'node', id, url, version, 0, 0, extract(epoch FROM now() - heartbeat) * 1000 FROM node
        WHERE heartbeat > now() - ${this.#lease}::interval AND id <> ${nodeId}
      UNION ALL
      SELECT 'group', '', '', '', id, generation, 0 FROM held
      ORDER BY kind, id, group_id`;
    const nodes = rows.filter((row) => row.kind === "node");
    return {
      owned: rows.filter((row) => row.kind === "group").map(stampOf),
      nodes: nodes.map(({ id, url, version, age }) => ({ id, url, version, age })),
      registered: nodes.some((row) => row.id === nodeId),
    };
  }

  async liveNodes(): Promise<readonly Node[]> {
    const rows = await this.#sql<Node[]>`SELECT id, url, version FROM node
      WHERE heartbeat > now() - ${this.#lease}::interval ORDER BY id`;
    return [...rows];
  }

  /** The node that owns the group; undefined: none, or one that is silent. */
  async ownerOf(groupId: number): Promise<Node | undefined> {
    const [row] = await this.#sql<Node[]>`SELECT n.id, n.url, n.version FROM flow_group g JOIN node n ON n.id = g.node
      WHERE g.id = ${groupId} AND g.heartbeat > now() - ${this.#lease}::interval`;
    return row;
  }

  /** Takes up to `limit` groups without an owner, or whose owner is silent; each gets a new generation. */
  async claim(nodeId: string, limit: number): Promise<readonly GroupStamp[]> {
    const rows = await this.#sql<GroupRow[]>`WITH free AS (
        SELECT id FROM flow_group WHERE node IS NULL OR heartbeat < now() - ${this.#lease}::interval
        ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED
      )
      UPDATE flow_group g SET node = ${nodeId}, generation = g.generation + 1, heartbeat = now()
      FROM free WHERE g.id = free.id
      RETURNING g.id AS group_id, g.generation`;
    return rows.map(stampOf).sort((a, b) => a.groupId - b.groupId);
  }

  /** Lets go of groups, whose flows are to be at rest by then. Those that another node owns by now stay as they are. */
  async giveBack(nodeId: string, groups: readonly number[]): Promise<void> {
    await this.#sql`UPDATE flow_group SET node = NULL WHERE node = ${nodeId} AND id = ANY(${[...groups]}::integer[])`;
  }

  /** Lets go of everything, and leaves. */
  async releaseAll(nodeId: string): Promise<void> {
    await this.#sql`WITH gone AS (DELETE FROM node WHERE id = ${nodeId})
      UPDATE flow_group SET node = NULL WHERE node = ${nodeId}`;
  }

  /** Takes the groups of all former nodes: for a database that no other node can be using. */
  async releaseEverything(): Promise<void> {
    await this.#sql`WITH gone AS (DELETE FROM node) UPDATE flow_group SET node = NULL WHERE node IS NOT NULL`;
  }

  /** Makes groups 0 to `count` − 1 exist. @returns how many there are: never fewer than before */
  async ensureGroups(count: number): Promise<number> {
    await this
      .#sql`INSERT INTO flow_group (id) SELECT generate_series(0, ${count - 1}::integer) ON CONFLICT DO NOTHING`;
    const [row] = await this.#sql<{ count: number }[]>`SELECT count(*) AS count FROM flow_group`;
    return row?.count ?? 0;
  }

  /** What the nodes of this database prove themselves to each other with, and jobs to them; made by the first one that asks. */
  async secret(): Promise<string> {
    const fresh = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    await this.#sql`INSERT INTO setting (key, value) VALUES (${SECRET_KEY}, ${fresh}) ON CONFLICT DO NOTHING`;
    const [row] = await this.#sql<{ value: string }[]>`SELECT value FROM setting WHERE key = ${SECRET_KEY}`;
    return row?.value ?? fresh;
  }
}

interface GroupRow {
  readonly group_id: number;
  readonly generation: number;
}

interface HeartbeatRow extends GroupRow, Node {
  readonly age: number;
  readonly kind: "node" | "group";
}

const stampOf = ({ group_id, generation }: GroupRow): GroupStamp => ({ groupId: group_id, generation });
