/** Recorded conversations with upstream's server, held with the executable. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { CONVERSATIONS } from "./list.ts";
import { isPresent, runScript } from "./server.ts";

/** Conversations wait for what they expect; one that waits in vain takes a minute and more. */
setDefaultTimeout(240_000);

/** So many conversations are held at a time. */
const AT_ONCE = 6;

interface Report {
  readonly report: readonly { readonly file: string; readonly differences: readonly unknown[] }[];
}

/** Each replay holds its conversations one after the other. Dealt like cards, the neighbours that take long part. */
const batches = Array.from({ length: AT_ONCE }, (_, batch) =>
  CONVERSATIONS.filter((_, index) => index % AT_ONCE === batch),
);
const replays = new Map<readonly string[], Promise<Report>>();

/** The first to ask starts them all. */
function replayOf(file: string): Promise<Report> | undefined {
  if (replays.size === 0) for (const batch of batches) replays.set(batch, replay(batch));
  const batch = batches.find((it) => it.includes(file));
  return batch && replays.get(batch);
}

async function replay(files: readonly string[]): Promise<Report> {
  return JSON.parse(await runScript("golden/replay.mjs", "--json", ...files)) as Report;
}

test.skipIf(!isPresent).each(CONVERSATIONS)("%s", async (file) => {
  const played = (await replayOf(file))?.report.find((it) => it.file === file);
  expect(played?.differences).toEqual([]);
});

test("no conversation is listed twice", () => {
  expect(new Set(CONVERSATIONS).size).toBe(CONVERSATIONS.length);
});
