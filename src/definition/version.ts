/** How a version of a definition is named. */

/** What is said of a text that names none. */
export const VERSION_RULE = "must be active, latest, default or a number from 1";

export type VersionName = "active" | "latest" | "default" | number;

/** In any case. @returns undefined for a text that names no version */
export function versionOf(text: string): VersionName | undefined {
  const name = text.toLowerCase();
  if (name === "active" || name === "latest" || name === "default") return name;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return number >= 1 ? number : undefined;
}
