/** Identifiers and hashes that several parts must derive alike. */
import { createHash } from "node:crypto";

/** The 32-bit polynomial string hash (base 31, UTF-16 units) that spreads runs over groups. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The group of a run: stable, known to every node without a look-up. 0 when there are no groups. */
export function groupOf(workflowId: string, instanceId: number, runId: number, groupInfo: number): number {
  if (groupInfo <= 0) return 0;
  const remainder = stringHash(`[${workflowId}][${instanceId}][${runId}]`) % groupInfo;
  return remainder < 0 ? remainder + groupInfo : remainder;
}

/** A name-based UUID (version 3, MD5 of the text's UTF-8 bytes): the same text gives the same id everywhere. */
export function nameUuid(text: string): string {
  const bytes = createHash("md5").update(text, "utf8").digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x30;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
