/** Rules of params. */
import { type Row, shown, untried } from "./row.ts";

export const PARAM_ROWS: readonly Row[] = [
  shown("7.2", "what a start may change, by mode", "params: a start may change what is mutable then, and nothing else"),
  shown("7.3", "an equal value is no change, of another type either", "params: an equal value is no change"),
  shown("7.3", "a mode is never loosened", "params: a mode may be made stricter, never looser"),
  shown(
    "7.3",
    "maps are merged, the rest is replaced; a map and a text do not mix",
    "params: maps are merged name by name, arrays are replaced",
  ),
  shown("7.3", "a param has a value or an expression", "params: a param has a value or an expression"),
  shown("7.3", "users set no source, and no name of the server", "params: names that belong to the server are refused"),
  shown(
    "7.5",
    "names may be added at a start, and the definition refers to them",
    "params: a start may add names, which the definition's own may refer to",
  ),
  shown("7.6", "the server's own params", "params: every run and every step has the server's own"),
  shown(
    "7.7",
    "lazy and recursive; a circle is an error",
    "params: expressions refer to others in any order, and not in a circle",
  ),
  shown("7.7", "interpolation and its escape", "params: texts take in params by name, and two dollars are one"),
  shown(
    "7.7",
    "unknown names are errors",
    "params: an unknown name fails the step internally, and at a workflow's param the push",
  ),
  shown(
    "7.7",
    "params of steps that have ended, of no others",
    "params: a step reads those of steps that have ended",
    "params: a step does not read those of a step that has not ended",
  ),
  shown(
    "7.7",
    "a step's own param wins (decision 8)",
    "params: a step's own wins over the workflow's; inside its definition the name means the workflow's",
  ),
  shown("7.7", "evaluated values are data (decision 9)", "params: evaluated values are data, not interpolated again"),
  shown(
    "7.8",
    "getFromInstance, getFromStep",
    "params: expressions are told of their run, their step and how it was started",
  ),
  shown(
    "7.8",
    "getFromForeach",
    "fetch: getFromForeach gives a param of each iteration, in order, gaps as nothing",
    "fetch: getFromForeach of an empty loop is an empty array",
  ),
  shown(
    "7.8",
    "getFromSubworkflow",
    "fetch: getFromSubworkflow gives a param of the child's step",
    "fetch: the server's own params of a child's step are there, too",
  ),
  shown("7.8", "what is not there is an error", "fetch: what is not there fails the step that asks"),
  untried("7.8", "getFromSignal and its kin", "upstream starts no run by a signal without SQS"),
  shown("7.9", "conversions between types", "params: a value of another type is converted to the definition's"),
  shown(
    "7.10",
    "a push evaluates the workflow's params",
    "params: an unknown name fails the step internally, and at a workflow's param the push",
  ),
  shown(
    "13",
    "CONSTANT and IMMUTABLE cannot be overridden at a start",
    "params: a start may change what is mutable then, and nothing else",
  ),
];
