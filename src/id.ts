/** Identifiers and hashes that several parts must derive alike. */
/** The 32-bit polynomial string hash (base 31, UTF-16 units) that spreads runs over groups. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The group of a run: stable, known to every node without a look-up. 0 when there are no groups. */
export function groupOf(workflowId: string, instanceId: number, runId: number, groupInfo: number): number {
  if (groupInfo <= 0) return 0;
  return ((stringHash(`[${workflowId}][${instanceId}][${runId}]`) % groupInfo) + groupInfo) % groupInfo;
}
