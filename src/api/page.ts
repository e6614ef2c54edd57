/**
 * Pages over a dense range of ids, as upstream counts them: `first` walks from the newest id down, `last` from the
 * oldest up, `cursor` is an id and exclusive. A page is a window of ids, however many of them still exist.
 */
import { badRequest } from "../error.ts";
import { MAX_PAGE } from "./limit.ts";
import { integer, type QueryValues, text } from "./parameter.ts";

const SIZE = { min: 1, max: MAX_PAGE };

export const pageQuery = {
  first: integer("Page size, from the newest down", SIZE),
  last: integer("Page size, from the oldest up", SIZE),
  cursor: integer("Id to start beyond, exclusive", { min: 0 }),
};

/** Of a list that goes on at `next_cursor`. */
export const listQuery = {
  search: text("Part of an id or name, in any case"),
  cursor: text("The previous page's next_cursor"),
  limit: integer("Page size", SIZE, 50),
};

/** Both ends included. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface PageQuery {
  readonly direction: "first" | "last";
  readonly size: number;
  readonly cursor: number | undefined;
}

export interface Page<T> {
  readonly page_info: {
    readonly start_cursor: string | null;
    readonly end_cursor: string | null;
    readonly has_previous_page: boolean;
    readonly has_next_page: boolean;
    readonly start_index: number | null;
  };
  readonly total_count: number;
  readonly elements: readonly T[];
}

/** @throws BAD_REQUEST unless there is exactly one of `first` and `last` */
export function readPage({ first, last, cursor }: QueryValues<typeof pageQuery>): PageQuery {
  if ((first === undefined) === (last === undefined)) {
    throw badRequest("A page needs exactly one of the query parameters first and last", [
      `first or last: a number from 1 to ${MAX_PAGE}`,
    ]);
  }
  return first === undefined
    ? { direction: "last", size: last ?? 0, cursor }
    : { direction: "first", size: first, cursor };
}

/** The window of ids; undefined when it is empty. @param all undefined when nothing exists */
export function windowOf({ direction, size, cursor }: PageQuery, all: Range | undefined): Range | undefined {
  if (all === undefined) return undefined;
  const [low, high] =
    direction === "first"
      ? [(cursor ?? all.high + 1) - size, (cursor ?? all.high + 1) - 1]
      : [(cursor ?? all.low - 1) + 1, (cursor ?? all.low - 1) + size];
  const window = { low: Math.max(low, all.low), high: Math.min(high, all.high) };
  return window.low > window.high ? undefined : window;
}

export function pageOf<T>(elements: readonly T[], window: Range | undefined, all: Range | undefined): Page<T> {
  if (window === undefined || all === undefined) {
    const none = { start_cursor: null, end_cursor: null, has_previous_page: false, has_next_page: false };
    return { page_info: { ...none, start_index: null }, total_count: all?.high ?? 0, elements: [] };
  }
  return {
    page_info: {
      start_cursor: String(window.high),
      end_cursor: String(window.low),
      has_previous_page: window.high < all.high,
      has_next_page: window.low > all.low,
      start_index: all.high + 1 - window.high,
    },
    total_count: all.high - all.low + 1,
    elements,
  };
}
