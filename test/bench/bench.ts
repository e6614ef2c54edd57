/** What a benchmark is given. */
import type { Sql } from "../../src/store/connection.ts";
import type { Baseline } from "./baseline.ts";
import type { Client } from "./client.ts";
import type { Figure } from "./report.ts";
import type { Program, Server } from "./server.ts";

export interface Surroundings {
  readonly program: Program;
  readonly quick: boolean;
  /** A fresh, empty folder, removed at the end. */
  folder(): string;
}

export interface Subject extends Surroundings {
  readonly server: Server;
  readonly client: Client;
  /** The server's database. */
  readonly sql: Sql;
  readonly baseline: Baseline;
}

export type Bench =
  /** Runs against the server that all of these share, which has nothing else to do. */
  | { readonly name: string; readonly on: "server"; run(subject: Subject): Promise<readonly Figure[]> }
  /** Runs against a server of its own: it is measured what that one needs in memory, or much is left in its database. */
  | {
      readonly name: string;
      readonly on: "fresh";
      /** Further ones of `serve`. */
      readonly args?: readonly string[];
      run(subject: Subject): Promise<readonly Figure[]>;
    }
  /** Starts what it needs. */
  | { readonly name: string; readonly on: "nothing"; run(around: Surroundings): Promise<readonly Figure[]> };
