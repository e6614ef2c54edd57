/** A paused workflow's queue outlives `kill -9` of the executable, and goes on in its order. */
import { BINARY } from "../bench/server.ts";
import { pausedQueueTests } from "../server/pause.ts";

await pausedQueueTests([BINARY], "kill");
