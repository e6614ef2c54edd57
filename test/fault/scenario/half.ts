/**
 * Clients that begin to send and don't go on, as many as an attacker with one machine has: a normal client must not
 * notice, and their connections must be closed.
 */
import { connect } from "node:net";
import { Client } from "../../bench/client.ts";
import { chain } from "../../bench/workflow.ts";
import type { Scenario, Stage } from "../stage.ts";

/** Connections of each kind. */
const EACH = 750;
/** Milliseconds within which the server must have closed a connection: its default of 30 s, and Bun's way of counting. */
const LIMIT = 40_000;
/** Milliseconds between two bytes of those who send slowly. */
const DRIP = 1_000;

const HEAD = "Host: localhost\r\nuser: fault\r\ncontent-type: application/json\r\n";

interface Kind {
  readonly name: string;
  readonly begin: string;
  /** Sent again and again. */
  readonly drip?: string;
}

const KINDS: readonly Kind[] = [
  { name: "half of the headers", begin: `POST /api/v3/workflows HTTP/1.1\r\n${HEAD}x-more: ` },
  { name: "headers, slowly", begin: `POST /api/v3/workflows HTTP/1.1\r\n${HEAD}x-more: `, drip: "x" },
  { name: "half of a body", begin: `POST /api/v3/workflows HTTP/1.1\r\n${HEAD}content-length: 100000\r\n\r\n{` },
  {
    name: "a body, slowly",
    begin: `POST /api/v3/workflows HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
    drip: "1\r\n \r\n",
  },
];

/** @returns milliseconds that the connection was open */
function halfSent({ begin, drip }: Kind, port: number): Promise<number> {
  const began = performance.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = connect(port, "127.0.0.1", () => socket.write(begin));
  const timer = drip === undefined ? undefined : setInterval(() => socket.write(drip), DRIP);
  const giveUp = setTimeout(() => socket.destroy(), 2 * LIMIT);
  socket.on("error", () => {});
  socket.on("data", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    clearTimeout(giveUp);
    resolve(performance.now() - began);
  });
  return promise;
}

/** Starts runs, one after the other. */
async function goOn(stage: Stage, { url }: Client, until: () => boolean): Promise<void> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", user: "fault" },
    body: JSON.stringify({ initiator: { type: "manual" } }),
  };
  while (!until()) {
    const answer = await stage.ask("starts of a normal client", `${url}/half/versions/active/actions/start`, init);
    stage.demand(answer?.status === 200, `a start was answered with ${answer?.status}`);
    await Bun.sleep(20);
  }
}

export const half: Scenario = {
  name: "half",
  summary: `${KINDS.length * EACH} requests are sent by half, while a normal client goes on`,
  async play(stage) {
    const server = await stage.serve({});
    const client = new Client(server.url);
    await client.push(chain("half", 1));
    const port = Number(new URL(server.url).port);
    let isOver = false;
    const normal = goOn(stage, client, () => isOver);
    const open = KINDS.flatMap((kind) => Array.from({ length: EACH }, () => kind)).map(async (kind) => {
      const time = await halfSent(kind, port);
      stage.count(`connections that sent ${kind.name}`, time <= LIMIT ? "closed" : "still open", time);
      stage.demand(time <= LIMIT, `a connection that sent ${kind.name} was open for ${(time / 1000).toFixed(0)} s`);
    });
    await Promise.all(open);
    isOver = true;
    await normal;
    stage.demand(!server.log().includes('"error"'), "the server took it for an error of its own");
  },
};
