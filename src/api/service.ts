/** What every handler works with. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { DefaultCatalog } from "../param/defaults.ts";
import type { Database, Sql } from "../store/connection.ts";
import type { Outage } from "../store/outage.ts";
import type { GivenUp } from "./deadline.ts";
import type { EnginePort } from "./port.ts";
import type { Reader } from "./reader.ts";
import type { Readiness } from "./readiness.ts";

export interface ApiConfig {
  /** The program's version, for `/version` and the API document. */
  readonly version: string;
  readonly limits: {
    /** Steps in one definition, nested ones included. */
    readonly steps: number;
    /** Bytes of a pushed definition, written compactly. */
    readonly definitionBytes: number;
    /** Bytes of any other request. */
    readonly bodyBytes: number;
    /** Seconds that the database may be silent before a request is given up. */
    readonly requestSeconds: number;
  };
  /** What previews of definitions merge over; default: the built-in params. */
  readonly catalog?: DefaultCatalog;
}

export interface AppOptions {
  readonly db: Database;
  readonly engine: EnginePort;
  readonly config: ApiConfig;
  readonly log: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface Services {
  readonly sql: Sql;
  readonly engine: EnginePort;
  readonly config: ApiConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly reader: Reader;
  readonly outage: Outage;
  readonly givenUp: GivenUp;
  readonly readiness: Readiness;
}
