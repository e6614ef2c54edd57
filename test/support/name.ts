/** Names that every plain object has from its prototype. */
export const INHERITED: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

/** Those of them that steps and params may have: two underscores separate a step's name from a param's. */
export const USABLE: readonly string[] = INHERITED.filter((name) => !name.includes("__"));

/** The others. */
export const UNUSABLE: readonly string[] = INHERITED.filter((name) => name.includes("__"));

/** All but the one that no request may hold as a key, since an assignment does not store it. */
export const KEYS: readonly string[] = INHERITED.filter((name) => name !== "__proto__");
