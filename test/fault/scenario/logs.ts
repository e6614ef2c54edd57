/**
 * Many steps print much at once: the server's memory stays bounded, it goes on answering, and what is stored of each log
 * has its beginning and its end.
 */
import { Client } from "../../bench/client.ts";
import type { Scenario } from "../stage.ts";

const STEPS = 30;
const MEGABYTES = 100;
/** Milliseconds until the run must be over. */
const PATIENCE = 600_000;

/** Lines of 64 bytes, the last of which says that it is the last. */
const SCRIPT = `
yes 'a line of a log, as long as such lines are when all goes well..' | head -c $((${MEGABYTES} * 1000000 - 9))
printf '\\nthe end\\n'
`;

export const logs: Scenario = {
  name: "logs",
  summary: `${STEPS} steps print ${MEGABYTES} MB each, all at once`,
  async play(stage) {
    const server = await stage.serve({});
    const steps = Array.from({ length: STEPS }, (_, index) => ({
      step: {
        id: `s${index}`,
        type: "shell",
        params: {
          shell: { type: "MAP", value: { script: { type: "STRING", value: SCRIPT } } },
        },
      },
    }));
    await new Client(server.url).push({ properties: { owner: "fault" }, workflow: { id: "logs", steps } });
    const headers = { "content-type": "application/json", user: "fault" };
    const begin = performance.now();
    await fetch(`${server.url}/api/v3/workflows/logs/versions/active/actions/start`, {
      ...{ method: "POST", headers },
      body: JSON.stringify({ initiator: { type: "manual" } }),
    });
    const path = `${server.url}/api/v3/workflows/logs/instances/1/runs/1`;
    let status = "";
    while (!/SUCCEEDED|FAILED|STOPPED|TIMED_OUT/.test(status) && performance.now() - begin < PATIENCE) {
      status = ((await (await fetch(`${path}?wait=60`)).json()) as { readonly status: string }).status;
    }
    const seconds = (performance.now() - begin) / 1000;
    stage.demand(status === "SUCCEEDED", `the run is ${status}`);
    stage.figure(
      `${STEPS * MEGABYTES} MB in ${seconds.toFixed(0)} s, ${((STEPS * MEGABYTES) / seconds).toFixed(0)} MB/s`,
    );
    for (let index = 0; index < STEPS; index++) {
      const response = await fetch(`${path}/steps/s${index}/attempts/1/logs`, { signal: AbortSignal.timeout(120_000) });
      let bytes = 0;
      let tail = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        bytes += chunk.length;
        tail = (tail + decoder.decode(chunk, { stream: true })).slice(-200);
      }
      stage.demand(bytes > 0.9 * MEGABYTES * 1e6, `the log of step ${index} has ${bytes} bytes`);
      stage.demand(
        tail.endsWith("\nthe end\n"),
        `the log of step ${index} ends with ${JSON.stringify(tail.slice(-40))}`,
      );
    }
    stage.figure(`${STEPS} logs were read, each to its end`);
  },
};
