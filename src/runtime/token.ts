/**
 * Tokens with which the job of an attempt proves itself to the API: the attempt, and an HMAC of it under a key that all
 * nodes of a database share. Any node can tell a good one without a look at the database.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Which attempt, and who owns its run. */
export interface TokenRef {
  readonly groupId: number;
  readonly runKey: number;
  readonly uuid: string;
}

/** What the key is used for, so that no MAC under it means two things. */
const PURPOSE = "maestro step token 1";

const FORM = /^mst1_(\d{1,9})\.(\d{1,15})\.([\da-f-]{36})\.([\w-]{43})$/;

/** @param key a secret of the database */
export function issueToken(key: string, attempt: TokenRef): string {
  const { groupId, runKey, uuid } = attempt;
  return `mst1_${groupId}.${runKey}.${uuid}.${macOf(key, attempt).toString("base64url")}`;
}

/** In a time that tells nothing about the key. @returns undefined when no server of this database has issued it */
export function readToken(key: string, token: string): TokenRef | undefined {
  const [, groupId, runKey, uuid = "", mac = ""] = FORM.exec(token) ?? [];
  if (mac === "") return undefined;
  const attempt = { groupId: Number(groupId), runKey: Number(runKey), uuid };
  const given = Buffer.from(mac, "base64url");
  const right = macOf(key, attempt);
  return given.length === right.length && timingSafeEqual(given, right) ? attempt : undefined;
}

const macOf = (key: string, { groupId, runKey, uuid }: TokenRef): Buffer =>
  createHmac("sha256", key).update(`${PURPOSE}\n${groupId}.${runKey}.${uuid}`).digest();
