/**
 * Integers of 64 bits that a rule may trip over: on both sides of every power of two and ten, so that even, odd and
 * round ones are among them, those that a double holds exactly and their neighbours that it rounds.
 */
const NEAR = [-3n, -2n, -1n, 0n, 1n, 2n, 3n] as const;

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

function powers(base: bigint): readonly bigint[] {
  const found: bigint[] = [];
  for (let power = 1n; power <= 2n ** 64n; power *= base) found.push(power);
  return found;
}

const around = [...powers(2n), ...powers(10n)].flatMap((power) => NEAR.map((step) => power + step));
/** Not powers: those in which it was seen, and one that prints as its double does without being it. */
const FURTHER = [
  10_000_000_000_000_002n,
  1_700_000_000_000_000_000n,
  4_611_686_018_427_388_000n,
  2n ** 62n + 2n ** 10n,
];
const all = [...new Set([...around, ...FURTHER].flatMap((value) => [value, -value]))];

/** Those that are LONGs. */
export const LONGS: readonly bigint[] = all.filter((value) => value >= MIN && value <= MAX);

/** Those that 64 bits don't hold any more. */
export const BEYOND: readonly bigint[] = all.filter((value) => value < MIN || value > MAX);
