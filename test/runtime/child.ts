/**
 * A process of its own that hosts runtime threads: argument 1 is JSON `{ dataDir, plugin, context }`. It prints a line
 * of JSON for the answer to `start`, each line of a plugin, and the attempt's end.
 */

import { RuntimeHost } from "../../src/runtime/host.ts";
import { decodeContext } from "../../src/runtime/protocol.ts";
import { Driver } from "./harness.ts";

const { dataDir, plugin, context: text } = JSON.parse(process.argv[2] ?? "") as Record<string, string>;
const context = decodeContext(text ?? "");
const print = (value: unknown): void => console.log(JSON.stringify(value));

const host = new RuntimeHost({
  threads: 1,
  dataDir: dataDir ?? "",
  logBytes: 100_000_000,
  plugins: [{ name: "plugin", path: plugin ?? "" }],
  send: (_engine, frame) => driver.client.receive(frame),
  onLine: ({ message }) => print({ line: message }),
});
const driver = new Driver(1, (frame) => host.deliver(0, frame));
await host.start();
const first = await driver.client.start(context);
print(first);
print(await driver.finish(context, first));
driver.client.close();
await host.stop();
