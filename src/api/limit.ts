/** Limits of requests that clients should know, too. */

/** Items of a page. */
export const MAX_PAGE = 200;
/** Seconds that a request may wait for the end of a run. */
export const MAX_WAIT_S = 300;
/** Characters of the name of who asks. */
export const MAX_USER = 256;
