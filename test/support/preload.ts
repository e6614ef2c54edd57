import { afterAll } from "bun:test";
import { atEnd } from "./end.ts";

// In a preload file: once, after the last test file.
afterAll(async () => {
  for (const action of atEnd.splice(0).reverse()) await action();
});
