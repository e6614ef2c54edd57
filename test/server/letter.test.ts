/** Dead letters of a server from sources; `test/smoke/letter.test.ts` plays the same with the executable. */
import { sourceProgram } from "../bench/server.ts";
import { run } from "../cli/harness.ts";
import { deadLetterTests } from "./letter.ts";

deadLetterTests(sourceProgram, (server, argv) => run(argv, { env: { MAESTRO_SERVER: server } }));
