/** A named change that makes the sources wrong, and the tests that have to notice it. */
export interface Mutation {
  /** What is wrong then. */
  readonly name: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly from: string;
  readonly to: string;
  /** Files or folders of tests. One of them must fail. */
  readonly tests: readonly string[];
}

/** Mutations of one file, noticed by these tests unless they name others. */
export const inFile =
  (file: string, ...tests: readonly string[]) =>
  (name: string, from: string, to: string, ...others: readonly string[]): Mutation => ({
    ...{ name, file, from, to },
    tests: others.length > 0 ? others : tests,
  });
