/** A copy of the sources, in which one mutation at a time is tried. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "./mutation.ts";

export const ROOT = join(import.meta.dir, "..", "..");
const COPIED = [
  "src",
  "plugins",
  "drizzle",
  "openapi",
  "test",
  "examples",
  "package.json",
  "tsconfig.json",
  "bunfig.toml",
];
/** How long the tests of a mutation may take, ms. Those of an endless loop are given up: that is noticed, too. */
const PATIENCE = 60_000;
/** How long all tests that any mutation names may take without one, ms. */
const WHOLE_PATIENCE = 600_000;

/** The file's text with the mutation. @throws Error unless `from` stands in it once */
export function mutated({ name, file, from, to }: Mutation): string {
  const parts = readFileSync(join(ROOT, file), "utf8").split(from);
  if (parts.length !== 2) throw new Error(`${name}: what it changes stands ${parts.length - 1} times in ${file}`);
  return parts.join(to);
}

/** How long clusters are simulated for a mutation, ms. */
const SIMULATION = 15_000;

export class Copy {
  readonly #folder = mkdtempSync(join(tmpdir(), "maestro-mutation-"));

  constructor() {
    for (const path of COPIED) cpSync(join(ROOT, path), join(this.#folder, path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"));
  }

  /** Whether the tests pass, with the mutation or without any. */
  async passes(tests: readonly string[], mutation?: Mutation): Promise<boolean> {
    if (mutation) writeFileSync(join(this.#folder, mutation.file), mutated(mutation));
    try {
      const child = Bun.spawn([process.execPath, "test", "--bail", "--timeout=8000", ...tests.map((it) => `./${it}`)], {
        cwd: this.#folder,
        env: { ...process.env, MAESTRO_SIMULATION_MS: `${SIMULATION}` },
        stdio: ["ignore", "ignore", "ignore"],
        timeout: mutation ? PATIENCE : WHOLE_PATIENCE,
        killSignal: "SIGKILL",
      });
      return (await child.exited) === 0;
    } finally {
      if (mutation) cpSync(join(ROOT, mutation.file), join(this.#folder, mutation.file));
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
