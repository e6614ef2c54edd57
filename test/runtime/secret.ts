/** Values of secrets as people have them: long and random, short and repetitive, with signs that programs escape. */
import fc from "fast-check";

const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."abcABC0189") },
  { weight: 2, arbitrary: fc.constantFrom(..."'\"\\ $%&+/=:{}\n\t") },
  { weight: 1, arbitrary: fc.constantFrom("é", "ü", "漢", "😀") },
);

export const secretValue = fc
  .array(unit, { minLength: 6, maxLength: 40 })
  .map((units) => units.join(""))
  // A line's end at the end is not part of what a file says.
  .filter((value) => !value.endsWith("\n"));
