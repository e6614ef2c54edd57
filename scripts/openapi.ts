/** Writes the documents in `openapi/` from the endpoints. A test fails when one is stale. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createApp } from "../src/api/app.ts";
import type { AppOptions } from "../src/api/service.ts";
import { stringifyJson } from "../src/json.ts";

/** Nothing is called while the routes describe themselves. */
const unused = {} as AppOptions;
const config = {
  version: "0.0.0",
  limits: { steps: 1000, definitionBytes: 262_144, bodyBytes: 4_194_304, requestSeconds: 10 },
};

const app = createApp({ ...unused, db: { ...unused.db, sql: undefined as never }, config });
const folder = join(import.meta.dir, "../openapi");
await mkdir(folder, { recursive: true });
for (const name of ["openapi.json", "openapi-3.0.json"]) {
  const document: unknown = await (await app.request(`/${name}`)).json();
  await Bun.write(join(folder, name), `${stringifyJson(document, 2)}\n`);
}
