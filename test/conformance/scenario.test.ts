/**
 * What a Maestro server does, as a client sees it: scenarios over HTTP alone, all at the same time, each on workflows of
 * its own. `MAESTRO_CONFORMANCE_URL=http://host:port bun test test/conformance/scenario` plays them on that server.
 */
import { afterAll, setDefaultTimeout, test } from "bun:test";
import { send } from "./kit/client.ts";
import { isOurs } from "./kit/server.ts";
import { tidy } from "./kit/workflow.ts";
import { REPORT } from "./scenario/report.ts";
import { SCRIPT } from "./scenario/script.ts";
import { SCENARIOS } from "./scenario.ts";

/** A scenario waits half a minute for one thing, and for few. */
setDefaultTimeout(90_000);

afterAll(tidy);

/** Another server may have no step type `shell`. */
const runsScripts = isOurs || (await send("GET", "/step-types")).text.includes('"shell"');
const scripts = { ...SCRIPT, ...REPORT };
const played = Object.entries(SCENARIOS).filter(([name]) => runsScripts || !Object.hasOwn(scripts, name));

test.concurrent.each(played)("%s", (_, play) => play());
