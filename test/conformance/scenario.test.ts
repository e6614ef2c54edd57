/**
 * What a Maestro server does, as a client sees it: scenarios over HTTP alone, all at the same time, each on workflows of
 * its own. `MAESTRO_CONFORMANCE_URL=http://host:port bun test test/conformance/scenario` plays them on that server.
 */
import { afterAll, setDefaultTimeout, test } from "bun:test";
import { tidy } from "./kit/workflow.ts";
import { SCENARIOS } from "./scenario.ts";

/** A scenario waits half a minute for one thing, and for few. */
setDefaultTimeout(90_000);

afterAll(tidy);

test.concurrent.each(Object.entries(SCENARIOS))("%s", (_, play) => play());
