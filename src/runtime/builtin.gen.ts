// Made by `bun scripts/list.ts`; don't edit.
/** The plugins inside the program: the folders of `plugins/`. */
export const BUILTIN_PLUGINS: readonly string[] = [];
