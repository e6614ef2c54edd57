/** A point on the time line or on a local one: whole days since 1970-01-01 and milliseconds of the day. Covers 64 bits of milliseconds. */
export interface Moment {
  readonly day: number;
  /** 0 … 86,399,999. */
  readonly ms: number;
}

export interface Zone {
  readonly id: string;
  /** The offset from UTC in milliseconds at an instant. */
  readonly offsetAt: (instant: Moment) => number;
  /** True when the offset never changes. */
  readonly fixed: boolean;
}

/** An instant (`day`, `ms`, in UTC) and the zone in which its fields are read. */
export interface DateTime extends Moment {
  readonly zone: Zone;
}

export type Part =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "number";
      readonly field: string;
      readonly min: number;
      readonly max: number;
      readonly signed: boolean;
    }
  | { readonly kind: "twoDigits"; readonly field: string; readonly lenient: boolean }
  | { readonly kind: "text"; readonly field: string; readonly short: boolean }
  | { readonly kind: "fraction"; readonly digits: number }
  | { readonly kind: "zoneName"; readonly short: boolean }
  | { readonly kind: "zoneOffset"; readonly separated: boolean }
  | { readonly kind: "zoneId" };

export interface Formatter {
  readonly parts: readonly Part[];
  readonly zone: Zone | null;
}
