/**
 * The workflow's built-in params that follow from a few inputs (the start's time, time zones, the initiator). They are
 * computed here instead of by the expression evaluator: nothing is stored but {@link DefaultInputs}, and a param that
 * nobody reads costs nothing. Each `expression` says the same in SEL; a test holds both together.
 */
import { type Json, jsonToLong } from "../json.ts";
import type { Parameter, ParamMode, ParamSource, ParamType } from "./type.ts";
import { dateText, hourText, instantOf, plusDays } from "./zone.ts";

/** From these, and from default params that were overridden, every untouched one follows. Plain JSON. */
export interface DefaultInputs {
  /** RUN_TS: epoch milliseconds. */
  readonly run_ts: number;
  /** Time zone of the workflow's first time trigger. */
  readonly trigger_timezone?: string | undefined;
  /** Time zone of the time trigger that started the run. */
  readonly initiator_timezone?: string | undefined;
  readonly owner: string;
  readonly workflow_id: string;
  /** `evaluated_time` of all of them. */
  readonly time: number;
  /** A parent passed them down as literals with this source; absent: the run made them itself. */
  readonly source?: ParamSource | undefined;
  /** Built-in names that the configuration took away or replaced. */
  readonly omit?: readonly string[] | undefined;
}

/** Evaluated result of another default param, whether overridden or not. */
type Lookup = (name: string) => Json;

interface Default {
  readonly param: Parameter;
  readonly derive: (inputs: DefaultInputs, get: Lookup) => Json;
}

const HOUR = 3_600_000;
const PACIFIC = "America/Los_Angeles";

function declare(
  expression: string,
  derive: Default["derive"],
  type: ParamType = "STRING",
  mode: ParamMode = "MUTABLE_ON_START",
): Default {
  const reserved = mode === "CONSTANT" ? ({ internal_mode: "RESERVED" } as const) : {};
  return { param: { expression, type, tags: [], mode, source: "SYSTEM_DEFAULT", ...reserved }, derive };
}

function millisOf(get: Lookup, name: string): number {
  const value = get(name);
  return Number.isSafeInteger(value) ? (value as number) : Number(jsonToLong(value) ?? 0n);
}

const runTs = (get: Lookup): number => millisOf(get, "RUN_TS");
const derivedTs = (get: Lookup): number => millisOf(get, "DERIVED_RUN_TS");
const cronZone = (get: Lookup): string => String(get("WORKFLOW_CRON_TIMEZONE"));

function inZone(ts: string, zone: string, change: string, pattern: string): string {
  return `new DateTime(${ts}).withZone(DateTimeZone.forID(${zone}))${change}.toString('${pattern}');`;
}

function derivedDate(zone: string, change: string, days: number, hours = 0): Default {
  return declare(inZone("DERIVED_RUN_TS", `'${zone}'`, change, "yyyyMMdd"), (_inputs, get) =>
    dateText(plusDays(derivedTs(get) + hours * HOUR, days, zone), zone),
  );
}

function derivedHour(zone: string, change: string, hours: number): Default {
  return declare(inZone("DERIVED_RUN_TS", `'${zone}'`, change, "HH"), (_inputs, get) =>
    hourText(derivedTs(get) + hours * HOUR, zone),
  );
}

function runDate(change: string, days: number): Default {
  return declare(inZone("RUN_TS", "'UTC'", change, "yyyyMMdd"), (_inputs, get) =>
    dateText(plusDays(runTs(get), days, "UTC"), "UTC"),
  );
}

const fallback = (field: string, other: string): string =>
  `zone = params.getFromInstance('${field}'); return zone.isEmpty() ? ${other} : zone;`;

const parseHour =
  "DateTimeFormat.forPattern('yyyyMMddHH').withZone(DateTimeZone.forID(WORKFLOW_CRON_TIMEZONE))" +
  ".parseDateTime(TARGET_RUN_DATE + TARGET_RUN_HOUR).getMillis();";

/** Built-in workflow params by name. */
export const WORKFLOW_DEFAULTS: ReadonlyMap<string, Default> = new Map<string, Default>([
  ["DSL_DEFAULT_TZ", declare(fallback("FIRST_TIME_TRIGGER_TIMEZONE", "'UTC'"), (i) => i.trigger_timezone || "UTC")],
  [
    "WORKFLOW_CRON_TIMEZONE",
    declare(
      fallback("INITIATOR_TIMEZONE", "DSL_DEFAULT_TZ"),
      (inputs, get) => inputs.initiator_timezone || get("DSL_DEFAULT_TZ"),
    ),
  ],
  ["RUN_TS", declare("System.currentTimeMillis();", (inputs) => inputs.run_ts, "LONG")],
  [
    "TARGET_RUN_DATE",
    declare(inZone("RUN_TS", "WORKFLOW_CRON_TIMEZONE", "", "yyyyMMdd"), (_i, get) =>
      dateText(runTs(get), cronZone(get)),
    ),
  ],
  [
    "TARGET_RUN_HOUR",
    declare(inZone("RUN_TS", "WORKFLOW_CRON_TIMEZONE", "", "HH"), (_i, get) => hourText(runTs(get), cronZone(get))),
  ],
  [
    "DERIVED_RUN_TS",
    declare(
      parseHour,
      (_i, get) => instantOf(String(get("TARGET_RUN_DATE")), String(get("TARGET_RUN_HOUR")), cronZone(get)),
      "LONG",
    ),
  ],
  ["DERIVED_RUN_DATE_US_PACIFIC", derivedDate(PACIFIC, "", 0)],
  ["DERIVED_RUN_DATE_US_PACIFIC_MINUS_ONE", derivedDate(PACIFIC, ".minusDays(1)", -1)],
  ["DERIVED_RUN_DATE_UTC", derivedDate("UTC", "", 0)],
  ["DERIVED_RUN_DATE_UTC_MINUS_ONE", derivedDate("UTC", ".minusDays(1)", -1)],
  ["DERIVED_RUN_DATE_UTC_PLUS_ONE", derivedDate("UTC", ".plusDays(1)", 1)],
  ["DERIVED_RUN_DATE_UTC_MINUS_ONE_HOUR", derivedDate("UTC", ".minusHours(1)", 0, -1)],
  ["DERIVED_RUN_DATE_UTC_PLUS_ONE_HOUR", derivedDate("UTC", ".plusHours(1)", 0, 1)],
  ["DERIVED_RUN_HOUR_US_PACIFIC", derivedHour(PACIFIC, "", 0)],
  ["DERIVED_RUN_HOUR_UTC", derivedHour("UTC", "", 0)],
  ["DERIVED_RUN_HOUR_UTC_MINUS_ONE_HOUR", derivedHour("UTC", ".minusHours(1)", -1)],
  ["DERIVED_RUN_HOUR_UTC_PLUS_ONE_HOUR", derivedHour("UTC", ".plusHours(1)", 1)],
  [
    "LOCAL_RUN_DATE",
    declare(inZone("RUN_TS", "WORKFLOW_CRON_TIMEZONE", "", "yyyyMMdd"), (_i, get) =>
      dateText(runTs(get), cronZone(get)),
    ),
  ],
  ["RUN_DATE", runDate("", 0)],
  ["RUN_DATE_MINUS_1", runDate(".minusDays(1)", -1)],
  ["RUN_DATE_MINUS_7", runDate(".minusDays(7)", -7)],
  ["owner", declare("params.getFromInstance('owner');", (inputs) => inputs.owner, "STRING", "CONSTANT")],
  ["workflow_id", declare("params.getFromInstance('workflow_id');", (i) => i.workflow_id, "STRING", "CONSTANT")],
]);

/** Default params that others are derived from. */
export const DEFAULT_ROOTS: readonly string[] = [
  "DSL_DEFAULT_TZ",
  "WORKFLOW_CRON_TIMEZONE",
  "RUN_TS",
  "TARGET_RUN_DATE",
  "TARGET_RUN_HOUR",
  "DERIVED_RUN_TS",
];

/** Never taken over from a parent: a child's own hold. */
export const OWN_DEFAULTS: ReadonlySet<string> = new Set(["owner", "workflow_id"]);

/**
 * An untouched default param in its full wire shape; undefined for a name that is none.
 * @param get evaluated result of another default param, overridden or not.
 */
export function deriveDefault(name: string, inputs: DefaultInputs, get: Lookup): Parameter | undefined {
  const entry = WORKFLOW_DEFAULTS.get(name);
  if (!entry || inputs.omit?.includes(name)) return undefined;
  const { expression, type, tags, mode, source } = entry.param;
  const evaluated_result = entry.derive(inputs, get);
  const evaluated_time = inputs.time;
  if (inputs.source === undefined || OWN_DEFAULTS.has(name)) {
    return { expression, type, tags, mode, source, evaluated_result, evaluated_time };
  }
  const value = evaluated_result as string | number;
  return { value, type, tags, mode, source: inputs.source, evaluated_result, evaluated_time };
}
