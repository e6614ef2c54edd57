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

  /** `a = relation.a, …` of all columns but the given ones. */
  assignments(relation: "t" | "excluded", ...except: readonly string[]): string {
    const names = this.#columns.map(([name]) => name).filter((name) => !except.includes(name));
    return names.map((name) => `${name} = ${relation}.${name}`).join(", ");
  }

  /** @param first number of its first parameter */
  relation(isOne: boolean, first: number): string {
    const rows = isOne
      ? `(VALUES (${this.#columns.map(([, { type }], index) => `$${first + index}::${type}`).join(", ")}))`
      : `unnest(${this.arrays(first)})`;
    return `${rows} AS t (${this.names})`;
  }

  /** An array for each column, separated by commas. @param first number of the first parameter */
  arrays(first: number): string {
    const array = ({ type, isFree }: Column<T>, index: number): string =>
      isFree ? `$${first + index}::text[]` : `string_to_array($${first + index}, E'\\x1f', '')::${type}[]`;
    return this.#columns.map(([, column], index) => array(column, index)).join(", ");
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
