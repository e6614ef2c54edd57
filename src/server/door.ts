/**
 * Which requests a browser may bring. There is no authentication, so on a loopback address the browser of a user must
 * not become the way in for other sites: neither under a name that somebody else has pointed at this host (`Host`), nor
 * from another site's page (`Origin`, `Sec-Fetch-Site`). Whatever is no browser sends neither of the latter two.
 *
 * Not here: `X-Forwarded-*` and `Forwarded`, which anybody can send, are ignored.
 */
import { Problem } from "../api/error.ts";
import { isLoopback, nameOf } from "./authority.ts";

export interface DoorOptions {
  /** The address that the server listens on. */
  readonly host: string;
  /** Names that are the server's own, besides the loopback ones; see {@link nameOf}. */
  readonly allowedHost: readonly string[];
  /** Where others reach the server: its name is the server's own, too. */
  readonly advertiseUrl?: string | undefined;
}

export interface Refusal {
  readonly reason: "host" | "origin" | "site";
  readonly problem: Problem;
}

/** Characters of a header that a message repeats. */
const SHOWN = 100;

/**
 * `Host` is held to the known names on a loopback address, and wherever names are given; `Origin`, when sent, and
 * `Sec-Fetch-Site` on writes hold everywhere.
 *
 * @returns looks at a request; undefined: let it in
 */
export function doorOf({
  host,
  allowedHost,
  advertiseUrl = "",
}: DoorOptions): (request: Request) => Refusal | undefined {
  const listening = nameOf(host.includes(":") ? `[${host}]` : host) ?? "";
  const isHeld = isLoopback(listening) || allowedHost.length > 0;
  const allowed = new Set([...allowedHost, nameOf(URL.parse(advertiseUrl)?.host ?? "") ?? ""]);
  /** The last one that was let in: nearly all requests of a server name it alike. */
  let known: string | undefined;
  return ({ headers, method }) => {
    const authority = headers.get("host") ?? "";
    if (isHeld && authority !== known) {
      const name = nameOf(authority);
      if (name === undefined || !(isLoopback(name) || allowed.has(name))) {
        return { reason: "host", problem: foreignHost(authority, name, allowedHost) };
      }
      known = authority;
    }
    const origin = headers.get("origin");
    if (origin !== null && !isOwn(origin, authority, nameOf(authority))) {
      return { reason: "origin", problem: foreignOrigin(origin, authority) };
    }
    if (headers.get("sec-fetch-site")?.toLowerCase() === "cross-site" && !isRead(method)) {
      return { reason: "site", problem: foreignSite(method) };
    }
    return undefined;
  };
}

const isRead = (method: string): boolean => method === "GET" || method === "HEAD" || method === "OPTIONS";

/** The server speaks HTTP; before a name that is not of the loopback kind, a proxy may speak HTTPS for it. */
function isOwn(origin: string, authority: string, name: string | undefined): boolean {
  if (name === undefined) return false;
  const schemes = isLoopback(name) ? ["http"] : ["http", "https"];
  return schemes.some((scheme) => URL.parse(`${scheme}://${authority}`)?.origin === origin.toLowerCase());
}

const shown = (header: string): string => JSON.stringify(header.length > SHOWN ? `${header.slice(0, SHOWN)}…` : header);

/** What may stand in a command that a message proposes. */
const PROPOSABLE = /^[\w.-]{1,100}$|^\[[\da-f:.]+\]$/;

function foreignHost(authority: string, name: string | undefined, allowed: readonly string[]): Problem {
  const right = ["a loopback address such as 127.0.0.1", "localhost", ...allowed].join(", ");
  const isProposable = name !== undefined && PROPOSABLE.test(name);
  const advice = isProposable ? `; if ${name} is a name of this server, start it with --allowed-host ${name}` : "";
  return new Problem(403, `The header Host is ${shown(authority)}, and must be one of ${right}${advice}.`);
}

const foreignOrigin = (origin: string, authority: string): Problem =>
  new Problem(
    403,
    `The header Origin is ${shown(origin)}, and must be the server's own (its Host is ${shown(authority)}): pages of other sites may not use this server.`,
  );

const foreignSite = (method: string): Problem =>
  new Problem(
    403,
    `The header Sec-Fetch-Site is "cross-site": a page of another site may not send ${method} to this server.`,
  );
