/** How many items a list shows. */
import { MAX_PAGE } from "../api/limit.ts";
import { option, wholeNumber } from "./argument.ts";

export const DEFAULT_PAGE = 20;

export const LIMIT = option({
  name: "--limit",
  placeholder: "N",
  summary: `How many, at most ${MAX_PAGE}`,
  otherwise: String(DEFAULT_PAGE),
  read: wholeNumber(1, MAX_PAGE),
});
