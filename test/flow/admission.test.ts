/** Runs that a step is about to start, while the limit of its tree holds some of them back. */
import { expect, test } from "bun:test";
import { Admission, type Starting } from "../../src/flow/nested/admission.ts";
import type { Permits } from "../../src/flow/permit.ts";
import type { Write } from "../../src/flow/port.ts";

/** @param free uuids of runs that there is room for */
function step(
  free: Set<string>,
  limit: { readonly instance_step_concurrency?: number } = { instance_step_concurrency: 1 },
) {
  const rows: string[] = [];
  const asked: (readonly string[])[] = [];
  const it = { isOver: false, opened: 0 };
  const permits = {
    childEntering: (_run: unknown, _node: unknown, _attempt: unknown, uuid: string) => [
      { kind: "permits-wanted", uuid },
    ],
    admit: async (uuids: readonly string[]) => {
      asked.push(uuids);
      return new Set(uuids).intersection(free);
    },
    givenUp: () => {
      it.opened++;
    },
  } as unknown as Permits;
  const place = {
    engine: { permits },
    children: {
      write: async (_stamp: unknown, written: readonly Write[]) => {
        rows.push(...written.map((row) => `${row.kind} ${"uuid" in row ? row.uuid : ""}`));
      },
    },
    run: { key: 1, properties: limit },
    now: 5,
    get isOver() {
      return it.isOver;
    },
  } as unknown as Starting;
  return { admission: new Admission(place), rows, asked, it };
}

test("without a limit all may be started, and nothing is asked or written", async () => {
  const { admission, rows, asked } = step(new Set(), {});
  expect(await admission.admit(["a", "b"])).toEqual(new Set(["a", "b"]));
  expect([rows, asked, admission.notes]).toEqual([[], [], {}]);
});

test("a run is asked for by one row, and again until it may be started; why it waits is said once", async () => {
  const free = new Set(["a"]);
  const { admission, rows, asked } = step(free);
  expect(await admission.admit(["a", "b"])).toEqual(new Set(["a"]));
  admission.started("a");
  expect(admission.waits).toBe(true);
  expect(admission.notes.timeline?.[0]?.message).toContain("1 of the tree's runs are under way");
  free.add("b");
  expect(await admission.admit(["b"])).toEqual(new Set(["b"]));
  expect(rows).toEqual(["permits-wanted a", "permits-wanted b"]);
  expect(asked).toEqual([["a", "b"], ["b"]]);
  expect([admission.waits, admission.notes]).toEqual([false, {}]);
});

test("what is not due any more is given up, and whoever else waits is looked at", async () => {
  const { admission, rows, it } = step(new Set(["a"]));
  await admission.admit(["a", "b"]);
  expect(await admission.admit([])).toEqual(new Set());
  expect(rows.slice(2)).toEqual(["permits-released a", "permits-released b"]);
  expect([it.opened, admission.waits]).toEqual([1, false]);
});

test("nothing is asked for once the step is about to end", async () => {
  const { admission, rows, it } = step(new Set(["a"]));
  it.isOver = true;
  expect(await admission.admit(["a"])).toEqual(new Set());
  expect(rows).toEqual([]);
});
