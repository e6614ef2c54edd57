/** Of the command line: what is shown of a run. */
import { inFile, type Mutation } from "./mutation.ts";

const nested = inFile("src/cli/nested.ts", "test/cli/nested.test.ts");

export const CLI_MUTATIONS: readonly Mutation[] = [
  nested("runs that have ended are read again and again", "if (known && isOver) return known;", ""),
  nested(
    "runs below are shown one level too deep",
    "this.#fill(run, depth - 1, signal)",
    "this.#fill(run, depth, signal)",
  ),
  nested("all iterations are shown, however many", "left > 0; id++", "left > -99; id++"),
];
