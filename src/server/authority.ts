/** Names of hosts as requests give them. */

/** A name or IPv4 address, or an IPv6 address in brackets; then perhaps a port. No user, no path, one authority. */
const AUTHORITY = /^(\[[\da-f:.]+\]|[^\s:/?#@\\,[\]"]+)(?::\d{0,5})?$/;
const IPV4_LOOPBACK = /^127(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$/;

/**
 * @param authority what a `Host` header holds
 * @returns its name without the port and without the dot that ends an absolute one, in lower case, IPv6 in its short
 * form and in brackets; undefined when it is no authority
 */
export function nameOf(authority: string): string | undefined {
  const name = AUTHORITY.exec(authority.toLowerCase())?.[1];
  if (name === undefined) return undefined;
  return name.startsWith("[") ? URL.parse(`http://${name}`)?.hostname : name.replace(/(?<=.)\.$/, "");
}

/** @param name as {@link nameOf} gives it */
export const isLoopback = (name: string): boolean =>
  name === "localhost" || name === "[::1]" || IPV4_LOOPBACK.test(name);
