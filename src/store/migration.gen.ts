// Made by `bun scripts/list.ts`; don't edit.
import sql0 from "../../drizzle/0000_initial.sql" with { type: "text" };
import sql1 from "../../drizzle/0001_storage.sql" with { type: "text" };
import sql2 from "../../drizzle/0002_fence.sql" with { type: "text" };

export const MIGRATIONS: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
  { id: 0, name: "0000_initial", sql: sql0 },
  { id: 1, name: "0001_storage", sql: sql1 },
  { id: 2, name: "0002_fence", sql: sql2 },
];
