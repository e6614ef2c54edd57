/** Dead letters of the executable, listed, shown and replayed from its own command line. */
import { BINARY } from "../bench/server.ts";
import { deadLetterTests } from "../server/letter.ts";

deadLetterTests([BINARY], async (server, argv) => {
  const child = Bun.spawn([BINARY, ...argv], {
    env: { PATH: process.env.PATH ?? "", MAESTRO_SERVER: server },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exit: await child.exited, out, err };
});
