import { afterAll, setDefaultTimeout } from "bun:test";
import { atEnd } from "./end.ts";

// A busy machine may be slow; and on a time-out bun kills every child process, the database too.
setDefaultTimeout(30_000);

// In a preload file: once, after the last test file.
afterAll(async () => {
  for (const action of atEnd.splice(0).reverse()) await action();
});
