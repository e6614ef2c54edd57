/** What the other scenarios are held against: a server that has all it needs. */
import { Client } from "../../bench/client.ts";
import { chain } from "../../bench/workflow.ts";
import type { Scenario } from "../stage.ts";

const RUNS = 200;

export const quiet: Scenario = {
  name: "quiet",
  summary: `nothing happens: ${RUNS} short runs`,
  async play(stage) {
    const { url } = await stage.serve({});
    const client = new Client(url);
    await client.push(chain("quiet", 3));
    for (let run = 0; run < RUNS; run++) {
      const body = JSON.stringify({ initiator: { type: "manual" } });
      const headers = { "content-type": "application/json", user: "fault" };
      const start = `${client.url}/quiet/versions/active/actions/start`;
      const answer = await stage.ask("starts", start, { method: "POST", headers, body });
      stage.demand(answer?.status === 200, `a start was answered with ${answer?.status}`);
    }
  },
};
