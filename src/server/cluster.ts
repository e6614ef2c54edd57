/** The part of a node that shares the groups of flows with other nodes of the database, and exchanges hints with them. */
import { Membership, type Node } from "../flow/membership.ts";
import type { EnginePool } from "../flow/pool.ts";
import type { Logger } from "../log.ts";
import { Leases } from "../store/lease.ts";
import type { OpenedDatabase } from "./database.ts";
import type { Part } from "./part.ts";
import { Peers } from "./peer.ts";

export interface Cluster extends Part {
  readonly membership: Membership;
  readonly peers: Peers;
  /** From now on groups are claimed, and their runs go on here. */
  start(): Promise<void>;
}

export function openCluster(
  node: Node,
  { store, pool, secret, log }: { store: OpenedDatabase; pool: EnginePool; secret: string; log: Logger },
): Cluster {
  const leases = new Leases(store.db.sql);
  // The membership tells the peers which groups are free; the peers ask the membership which nodes there are.
  const membership: Membership = new Membership({
    ...{ node, log },
    groups: store.groups,
    store: leases,
    own: (stamps) => pool.own(stamps),
    disown: (groups) => pool.disown(groups),
    freed: () => peers.freed(),
  });
  const peers: Peers = new Peers({
    ...{ self: node.id, version: node.version, secret, log },
    nodes: () => membership.nodes,
    heard(hints) {
      if (hints.length === 0) void membership.refresh();
      pool.look(hints.filter(({ groupId }) => pool.owned.has(groupId)));
    },
    heardBreakpoint: (step) => pool.addBreakpoint(step),
    heardTemplates: () => pool.forgetTemplates(),
    heardReport: (report) => pool.report(report),
    ownerOf: (groupId) => leases.ownerOf(groupId),
  });
  return {
    ...{ membership, peers },
    start: () => membership.start(),
    stop: () => membership.stop(),
  };
}
