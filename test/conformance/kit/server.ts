import { sharedServer } from "../../support/executable.ts";

/** Another server to play on. */
const named = process.env.MAESTRO_CONFORMANCE_URL;

export const isOurs = named === undefined;

/** Of the server that `MAESTRO_CONFORMANCE_URL` names, else of the executable on a data directory of its own. */
export async function serverUrl(): Promise<string> {
  return named ?? (await sharedServer()).url;
}
