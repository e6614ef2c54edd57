/** A paused workflow's queue over a restart of a server from sources; `test/smoke/pause.test.ts` kills the executable. */
import { sourceProgram } from "../bench/server.ts";
import { pausedQueueTests } from "./pause.ts";

await pausedQueueTests(sourceProgram, "stop");
