/** Writes `openapi/openapi.json` from the endpoints. A test fails when the file is stale. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createApp } from "../src/api/app.ts";
import type { AppOptions } from "../src/api/service.ts";
import { stringifyJson } from "../src/json.ts";

/** Nothing is called while the routes describe themselves. */
const unused = {} as AppOptions;
const config = { version: "0.0.0", limits: { steps: 1000, definitionBytes: 262_144, bodyBytes: 4_194_304 } };

const app = createApp({ ...unused, db: { ...unused.db, sql: undefined as never }, config });
const folder = join(import.meta.dir, "../openapi");
await mkdir(folder, { recursive: true });
const document: unknown = await (await app.request("/openapi.json")).json();
await Bun.write(join(folder, "openapi.json"), `${stringifyJson(document, 2)}\n`);
