/** Identifiers and hashes that several parts must derive alike. */
import { createHash } from "node:crypto";

/** Any version, variant and case. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** The 32-bit polynomial string hash (base 31, UTF-16 units) that spreads runs over groups. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** What the database makes groups of a workflow's runs from: the hash of how their identities begin, unsigned. */
export const groupSeed = (workflowId: string): number => stringHash(`[${workflowId}][`) >>> 0;

/** The group of a run: stable, known to every node without a look-up. `run_group` of the database is the same. 0 when there are no groups. */
export function groupOf(workflowId: string, instanceId: number, runId: number, groupInfo: number): number {
  if (groupInfo <= 0) return 0;
  return ((stringHash(`[${workflowId}][${instanceId}][${runId}]`) % groupInfo) + groupInfo) % groupInfo;
}

/** Lower-case hex. */
export const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** The name-based uuid (version 3, of no namespace) of a text: the same text, the same uuid, on every node. */
export function nameUuid(name: string): string {
  const hash = md5(name);
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-3${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20)}`;
}
