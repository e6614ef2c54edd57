/** Workflows drawn at random end as they ended upstream. */
import { expect, test } from "bun:test";
import { isPresent, runScript } from "./server.ts";

test.skipIf(!isPresent)(
  "all 99 workflows of plain steps end as upstream",
  async () => {
    const out = await runScript("outcomes/check.mjs", "--needs", "step");
    expect(out.trim()).toBe("99 of 99 outcomes as upstream");
  },
  180_000,
);
