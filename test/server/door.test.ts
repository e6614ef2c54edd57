/** Which requests of a browser, or of what looks like one, are let in. */
import { describe, expect, test } from "bun:test";
import { doorOf } from "../../src/server/door.ts";

const OWN = "127.0.0.1:8080";
const BASE = { host: "127.0.0.1", allowedHost: [] };

/** @returns the reason of the refusal, or "in" */
function ask(options: Parameters<typeof doorOf>[0], headers: Record<string, string>, method = "POST"): string {
  // What the server hands on: the headers as they came, whatever the URL was made from.
  const request = { headers: new Headers(headers), method } as Request;
  return doorOf(options)(request)?.reason ?? "in";
}

describe("on a loopback address", () => {
  test.each([
    ...["127.0.0.1", OWN, "127.1.2.3:1", "127.255.255.255", "localhost", "localhost:9", "LOCALHOST:9", "localhost."],
    ...["localhost.:80", "localhost:", "[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]:80"],
  ])("Host %s is this server", (host) => {
    for (const listening of ["127.0.0.1", "::1", "localhost", "127.0.0.2"]) {
      expect(ask({ ...BASE, host: listening }, { host })).toBe("in");
    }
  });

  test.each([
    ...["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.256"],
    ...["127.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "10.0.0.1", "[::]", "[::2]:80", "[::ffff:127.0.0.1]"],
    ...["", " ", ":80", ".", "localhost..", "a@127.0.0.1", "127.0.0.1@a", "127.0.0.1/a", "127.0.0.1, evil.example"],
    ...["evil.example, 127.0.0.1", "[::1", "::1", "127.0.0.1:80:80", "127.0.0.1:x", "127.0.0.1#", "127.0.0.1?"],
  ])("Host %p is another's", (host) => {
    expect(ask(BASE, { host })).toBe("host");
    expect(ask(BASE, { host }, "GET")).toBe("host");
  });

  test("a request without Host is refused", () => expect(ask(BASE, {})).toBe("host"));

  test("names that were given are this server's as well, at any port", () => {
    const options = { ...BASE, allowedHost: ["maestro.example", "[2001:db8::1]"] };
    for (const host of ["maestro.example", "Maestro.Example.:99", "[2001:DB8:0::1]:1", OWN]) {
      expect(ask(options, { host })).toBe("in");
    }
    for (const host of ["a.maestro.example", "maestro.example.evil", "[2001:db8::2]"]) {
      expect(ask(options, { host })).toBe("host");
    }
  });

  test.each([
    ["http://127.0.0.1:8080", OWN],
    ["HTTP://LOCALHOST:8080", "localhost:8080"],
    ["http://localhost", "localhost"],
    ["http://localhost", "localhost:80"],
    ["http://[::1]:8080", "[::1]:8080"],
  ])("Origin %s is that of Host %s", (origin, host) => expect(ask(BASE, { host, origin })).toBe("in"));

  test.each([
    ...["http://evil.example", "https://127.0.0.1:8080", "http://127.0.0.1", "http://127.0.0.1:8081", "null", ""],
    ...["http://localhost:8080", "http://127.0.0.1:8080, http://evil.example", "http://127.0.0.1:8080/", "file://"],
  ])("Origin %p is another's", (origin) => {
    for (const method of ["POST", "PUT", "DELETE", "GET", "OPTIONS"]) {
      expect(ask(BASE, { host: OWN, origin }, method)).toBe("origin");
    }
  });

  test("a page of another site may lead here, and not write", () => {
    const headers = (site: string) => ({ host: OWN, "sec-fetch-site": site });
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      expect(ask(BASE, headers("cross-site"), method)).toBe("site");
      expect(ask(BASE, headers("Cross-Site"), method)).toBe("site");
      for (const site of ["same-origin", "none"]) expect(ask(BASE, headers(site), method)).toBe("in");
    }
    for (const method of ["GET", "HEAD"]) expect(ask(BASE, headers("cross-site"), method)).toBe("in");
  });

  test("what proxies say of the original request changes nothing", () => {
    const said = { "x-forwarded-host": OWN, "x-forwarded-proto": "https", forwarded: `host=${OWN}` };
    expect(ask(BASE, { host: "evil.example", ...said })).toBe("host");
    expect(ask(BASE, { host: OWN, origin: "https://127.0.0.1:8080", ...said })).toBe("origin");
  });
});

describe("on another address", () => {
  const open = { host: "0.0.0.0", allowedHost: [] };
  const named = { host: "0.0.0.0", allowedHost: ["maestro.example"] };

  test("any Host is right, unless names were given", () => {
    expect([ask(open, { host: "any.example" }), ask(open, {})]).toEqual(["in", "in"]);
    expect([ask(named, { host: "any.example" }), ask(named, {})]).toEqual(["host", "host"]);
    expect([ask(named, { host: "maestro.example" }), ask(named, { host: OWN })]).toEqual(["in", "in"]);
  });

  test("Origin must be that of Host, in front of which may be a proxy that speaks HTTPS", () => {
    const host = "maestro.example";
    for (const origin of [`http://${host}`, `https://${host}`]) expect(ask(open, { host, origin })).toBe("in");
    for (const origin of ["https://evil.example", `https://${host}:444`, "null"]) {
      expect(ask(open, { host, origin })).toBe("origin");
    }
    expect(ask(open, { origin: "http://evil.example" })).toBe("origin");
  });
});

test("a refusal says what would be right, and repeats no more than the start of what was sent", () => {
  const door = doorOf({ host: "127.0.0.1", allowedHost: ["maestro.example"] });
  const problem = (headers: Record<string, string>) =>
    door({ headers: new Headers(headers), method: "POST" } as Request)?.problem;
  expect(problem({ host: "evil.example" })).toMatchObject({
    status: 403,
    message:
      'The header Host is "evil.example", and must be one of a loopback address such as 127.0.0.1, localhost, ' +
      "maestro.example; if evil.example is a name of this server, start it with --allowed-host evil.example.",
  });
  expect(problem({ host: OWN, origin: `http://${"x".repeat(9_000)}` })?.message.length).toBeLessThan(400);
  expect(problem({ host: "x".repeat(9_000) })?.message.length).toBeLessThan(400);
});
