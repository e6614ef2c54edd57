import { afterAll, beforeAll, expect, test } from "bun:test";
import { listTemplates, loadLineages, loadTemplate, putTemplate, removeTemplates } from "../../src/store/template.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

let db: FreshDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.close());

const put = (job_type: string, version: string, inherit_from?: Readonly<Record<string, string>>, time = 1) =>
  putTemplate(db.sql, {
    metadata: { owner: "ann", version_author: "ann", status: "s", support: "s", create_time: time },
    definition: { job_type, version, step_type: "NoOp", ...(inherit_from && { inherit_from }) },
  });

test("a version is replaced, read, listed and removed", async () => {
  await put("b", "v");
  await put("a", "v");
  await put("a", "w");
  await put("a", "v", undefined, 2);
  expect((await listTemplates(db.sql, "v", "a")).map((it) => it.definition.job_type)).toEqual(["b"]);
  expect(await listTemplates(db.sql, "v", "b")).toEqual([]);
  expect((await loadTemplate(db.sql, { jobType: "a", version: "v" }))?.metadata.create_time).toBe(2);
  expect((await listTemplates(db.sql, "v")).map((it) => it.definition.job_type)).toEqual(["a", "b"]);
  expect(await removeTemplates(db.sql, "a", "v")).toBe(1);
  expect(await removeTemplates(db.sql, "a", "v")).toBe(0);
  expect(await loadTemplate(db.sql, { jobType: "a", version: "v" })).toBeUndefined();
  await put("a", "v");
  expect(await removeTemplates(db.sql, "a", undefined)).toBe(2);
});

test("lineages have each ancestor once, end in a cycle, and leave out what is not there", async () => {
  await put("root", "v", { left: "v", right: "v", none: "v" });
  await put("left", "v", { top: "v" });
  await put("right", "v", { top: "v", root: "v" });
  await put("top", "v");
  await put("top", "w");
  const found = await loadLineages(db.sql, [
    { jobType: "root", version: "v" },
    { jobType: "gone", version: 'odd "\\,{}' },
  ]);
  expect(found.map((it) => `${it.job_type} ${it.version}`).sort()).toEqual(["left v", "right v", "root v", "top v"]);
  expect(await loadLineages(db.sql, [])).toEqual([]);
});

test("what is too long to be read at a time is refused, and lists go on in pages", async () => {
  const long = { p: { type: "STRING", value: "x".repeat(3_000_000) } } as const;
  for (const n of [1, 2, 3, 4, 5, 6]) {
    await putTemplate(db.sql, {
      metadata: { owner: "ann", version_author: "ann", status: "s", support: "s", create_time: 1 },
      definition: {
        ...{ job_type: `long${n}`, version: "long", step_type: "NoOp", params: long },
        ...(n > 1 && { inherit_from: { [`long${n - 1}`]: "long" } }),
      },
    });
  }
  expect(await loadLineages(db.sql, [{ jobType: "long2", version: "long" }])).toHaveLength(2);
  const three = loadLineages(db.sql, [{ jobType: "long3", version: "long" }]);
  expect(three).rejects.toThrow("at most 8000000 are allowed");
  expect(await listTemplates(db.sql, "long")).toHaveLength(5);
  expect(await listTemplates(db.sql, "long", "long5")).toHaveLength(1);
});
