/**
 * Rows of one table as the relation `t` of a statement: `SELECT … FROM <relation>`.
 *
 * Many rows travel as one parameter per column, so that the text is the same for any number of them (see `column.ts`).
 * A row alone travels as plain values: for one row, cutting up the texts costs Postgres more than everything else.
 */
import type postgres from "postgres";
import { arrayLiteral, type Cell, integer, separated, storable } from "./column.ts";
import type { Sql } from "./connection.ts";

export interface Column<T> {
  readonly type: "bigint" | "integer" | "json" | "text";
  /** May hold anything that a text can; otherwise there is no control character in it, and the empty text is NULL. */
  readonly isFree: boolean;
  cell(row: T): Cell;
}

export type Columns<T> = Readonly<Record<string, Column<T>>>;

export const bigint = <T>(cell: (row: T) => number | undefined): Column<T> => whole("bigint", cell);
export const int = <T>(cell: (row: T) => number | undefined): Column<T> => whole("integer", cell);
/** Of a JSON text. */
export const json = <T>(cell: (row: T) => string | null): Column<T> => ({ type: "json", isFree: false, cell });
/** Of our own making: a status, a stream's name. */
export const word = <T>(cell: (row: T) => string): Column<T> => ({ type: "text", isFree: false, cell });
export const text = <T>(cell: (row: T) => string | undefined): Column<T> => ({ type: "text", isFree: true, cell });

const whole = <T>(type: "bigint" | "integer", cell: (row: T) => number | undefined): Column<T> => ({
  type,
  isFree: false,
  cell: (row) => integer(cell(row)),
});

export class Source<T> {
  readonly #columns: readonly (readonly [name: string, column: Column<T>])[];

  /** @param columns by name, as SQL writes it */
  constructor(columns: Columns<T>) {
    this.#columns = Object.entries(columns);
  }

  /** How many parameters a relation takes. */
  get width(): number {
    return this.#columns.length;
  }

  /** `a, b`. */
  get names(): string {
    return this.#columns.map(([name]) => name).join(", ");
  }

  /** `t.a::bigint, t.b`, in the order of the names. */
  get cells(): string {
    return this.#columns.map(([name]) => this.cell(name)).join(", ");
  }

  /** `t.a::bigint`. */
  cell(name: string): string {
    const column = this.#columns.find((it) => it[0] === name)?.[1];
    return column?.type === "text" ? `t.${name}` : `t.${name}::${column?.type}`;
  }

  /** `a = t.a::bigint, …` of all columns but the given ones. */
  assignments(...except: readonly string[]): string {
    return this.#rest(except, (name) => this.cell(name));
  }

  /** `a = excluded.a, …` of all columns but the given ones. */
  excluded(...except: readonly string[]): string {
    return this.#rest(except, (name) => `excluded.${name}`);
  }

  #rest(except: readonly string[], value: (name: string) => string): string {
    const names = this.#columns.map(([name]) => name).filter((name) => !except.includes(name));
    return names.map((name) => `${name} = ${value(name)}`).join(", ");
  }

  /** @param first number of its first parameter */
  relation(isOne: boolean, first: number): string {
    const given = this.#columns.map(([, { type, isFree }], index) => {
      const parameter = `$${first + index}`;
      if (isOne) return `${parameter}::${type}`;
      return isFree ? `${parameter}::text[]` : `string_to_array(${parameter}, E'\\x1f', '')`;
    });
    const rows = isOne ? `(VALUES (${given.join(", ")}))` : `unnest(${given.join(", ")})`;
    return `${rows} AS t (${this.names})`;
  }

  /** @param isOne there is one row, and the text was made for one */
  parameters(rows: readonly T[], isOne: boolean): Cell[] {
    const [only] = rows;
    return this.#columns.map(([, { isFree, cell }]) => {
      if (isOne && only !== undefined) return value(cell(only), isFree);
      return isFree ? arrayLiteral(rows.map((row) => cell(row) as string | null)) : separated(rows.map(cell));
    });
  }
}

function value(cell: Cell, isFree: boolean): Cell {
  if (cell === undefined) return null;
  return isFree ? storable(cell as string) : cell;
}

/** Sends a text, which each connection prepares once. */
export const send = <Row extends object = postgres.Row>(
  line: Pick<Sql, "unsafe">,
  statement: string,
  parameters: readonly Cell[],
) => line.unsafe<(Row & Iterable<Row>)[]>(statement, parameters as (string | number | null)[], { prepare: true });
