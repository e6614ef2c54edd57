/** Starts the embedded Postgres in the directory given as argument, says so, and waits to be killed. */
import { startEmbedded } from "../../src/store/embedded/embedded.ts";

const [dataDir = "", programDir = "", scratch] = process.argv.slice(2);
await startEmbedded({ dataDir, programDir, scratch, log: console });
console.log("ready");
await new Promise(() => setInterval(() => {}, 60_000));
