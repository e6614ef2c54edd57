/** What has to be taken down after the last test of the process. */
export const atEnd: (() => Promise<void>)[] = [];
