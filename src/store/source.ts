/**
 * Rows of one table as the relation `t` of a statement: `SELECT … FROM <relation>`.
 *
 * Many rows travel as one parameter per column, so that the text is the same for any number of them (see `column.ts`).
 * A few travel as plain values, in a text for their number: cutting up the texts of columns costs Postgres more than they do.
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

  /** How many parameters the relation takes. @param plain number of rows that travel as plain values; 0: any, by column */
  width(plain: number): number {
    return this.#columns.length * Math.max(1, plain);
  }

  /** `a, b`. */
  get names(): string {
    return this.#columns.map(([name]) => name).join(", ");
  }

  /** `a = relation.a, …` of all columns but the given ones. */
  assignments(relation: "t" | "excluded", ...except: readonly string[]): string {
    const names = this.#columns.map(([name]) => name).filter((name) => !except.includes(name));
    return names.map((name) => `${name} = ${relation}.${name}`).join(", ");
  }

  /** @param plain as in {@link width} @param first number of its first parameter */
  relation(plain: number, first: number): string {
    const row = (_: unknown, index: number): string => {
      const from = first + index * this.#columns.length;
      return `(${this.#columns.map(([, { type }], column) => `$${from + column}::${type}`).join(", ")})`;
    };
    const rows =
      plain > 0 ? `(VALUES ${Array.from({ length: plain }, row).join(", ")})` : `unnest(${this.arrays(first)})`;
    return `${rows} AS t (${this.names})`;
  }

  /** An array for each column, separated by commas. @param first number of the first parameter */
  arrays(first: number): string {
    const array = ({ type, isFree }: Column<T>, index: number): string =>
      isFree ? `$${first + index}::text[]` : `string_to_array($${first + index}, E'\\x1f', '')::${type}[]`;
    return this.#columns.map(([, column], index) => array(column, index)).join(", ");
  }

  /** @param isPlain the text was made for so many rows */
  parameters(rows: readonly T[], isPlain: boolean): Cell[] {
    if (isPlain) return rows.flatMap((row) => this.#columns.map(([, { isFree, cell }]) => value(cell(row), isFree)));
    return this.#columns.map(([, { isFree, cell }]) =>
      isFree ? arrayLiteral(rows.map((row) => cell(row) as string | null)) : separated(rows.map(cell)),
    );
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
