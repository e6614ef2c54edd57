/** `maestro serve` */

import { type Command, EXIT } from "./command.ts";
import { serverLog } from "./serverlog.ts";
import { configOf, SETTING_OPTIONS } from "./setting.ts";
import { aborted, firstSignal } from "./signal.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "Start a server",
  positionals: [],
  options: SETTING_OPTIONS,
  examples: [
    "serve",
    "serve --port 9000 --data-dir ./data",
    "serve --database-url postgres://user@db/maestro --host 0.0.0.0",
    "serve --plugin ./plugins/greet/index.ts",
  ],
  detail: [
    "Every option is also a variable (--data-dir: MAESTRO_DATA_DIR) and a key of the settings file (data_dir;",
    "--limits-steps: limits.steps). Flags win over variables, variables over the file. MAESTRO_DATABASE_URL_FILE names",
    "a file that holds the URL.",
    "",
    'When it is ready it prints one line, "ready URL", on stdout; its log goes to stderr. The first SIGTERM, SIGINT',
    "or SIGHUP drains it; another one, more than half a second later, ends it at once.",
  ].join("\n"),
  run: async (args, io) => {
    const config = configOf(args, io);
    const colour = io.terminal.err && !io.env.NO_COLOR;
    const log = serverLog(io, { format: config.logFormat, level: config.logLevel, colour });
    const signal = firstSignal(io);
    const { serve } = await import("../server/serve.ts");
    const failed = Promise.withResolvers<string>();
    const server = await serve(config, { log, fatal: failed.resolve, giveUp: signal }).catch((error) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (server === undefined) {
      log.info("given up before it was ready");
      return EXIT.OK;
    }
    io.out(`ready ${server.url}`);
    const failure = await Promise.race([aborted(signal).then(() => undefined), failed.promise]);
    if (failure === undefined) log.info("draining; a second signal ends the server at once");
    else log.error("the server cannot go on", { reason: failure });
    await server.stop();
    return failure === undefined ? EXIT.OK : EXIT.FAILURE;
  },
};
