/** Where a server's runtimes work, and what of an attempt that began elsewhere can be seen from there. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Place } from "../step/model.ts";

/** The place of a server with that data directory. */
export const placeOf = (dataDir: string): Place => ({ host: hostOf(), directory: join(resolve(dataDir), "attempt") });

/** Whether files and processes of `place` can be seen from `here`. An attempt without a place began here. */
export const isVisible = (place: Place | undefined, here: Place): boolean =>
  place === undefined || place.host === here.host;

/** The folder of an attempt, for its plugin alone: where it began, by this server or another one, if that can be seen from `here`. */
export const folderOf = (uuid: string, place: Place | undefined, here: Place): string =>
  join((isVisible(place, here) ? place : undefined)?.directory ?? here.directory, uuid);

let known: string | undefined;

/** The machine's name, and a part that tells it from others of that name where the system has one. */
function hostOf(): string {
  const id = machineId();
  known ??= id === undefined ? hostname() : `${hostname()}/${digest(id)}`;
  return known;
}

function machineId(): string | undefined {
  try {
    return readFileSync("/etc/machine-id", "latin1").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The id itself is not for others' eyes, says machine-id(5). */
const digest = (id: string): string => new Bun.CryptoHasher("sha256").update(`maestro ${id}`).digest("hex").slice(0, 8);
