import { afterAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { readText } from "../../src/api/body.ts";
import { errorResponse } from "../../src/api/error.ts";

const LIMIT = 10;
const CHUNKED = "Transfer-Encoding: chunked";

/** What became of each body that the server was asked to read. */
const outcomes: (string | Error)[] = [];
let reading = Promise.withResolvers<void>();
let read = Promise.withResolvers<void>();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    reading.resolve();
    try {
      const text = await readText(request, LIMIT);
      outcomes.push(text);
      return new Response(`[${text}]`);
    } catch (error) {
      outcomes.push(error as Error);
      return errorResponse(error, "/");
    } finally {
      read.resolve();
    }
  },
});
afterAll(() => server.stop(true));

const head = (...headers: string[]): string => `POST / HTTP/1.1\r\nHost: test\r\n${headers.join("\r\n")}\r\n\r\n`;

function begin(text: string) {
  outcomes.length = 0;
  reading = Promise.withResolvers();
  read = Promise.withResolvers();
  const socket = connect(server.port as number, "127.0.0.1");
  socket.on("error", () => {}); // the server may hang up on what it refuses
  socket.write(text);
  return socket;
}

/** Sends bytes as they are. @returns the whole answer, once the server has closed the connection */
async function exchange(text: string): Promise<string> {
  const socket = begin(text);
  let answer = "";
  socket.on("data", (data) => {
    answer += data;
  });
  await once(socket, "close");
  return answer;
}

const CLOSE = "Connection: close";
const announced = (length: string | number, body: string): string => head(CLOSE, `Content-Length: ${length}`) + body;
const chunked = (...chunks: string[]): string =>
  head(CLOSE, CHUNKED) + [...chunks, ""].map((it) => `${it.length.toString(16)}\r\n${it}\r\n`).join("");

describe("a body of announced length", () => {
  test("is read up to the limit", async () => {
    expect(await exchange(announced(LIMIT, "0123456789"))).toEndWith("\r\n\r\n[0123456789]");
    expect(await exchange(announced(0, ""))).toEndWith("\r\n\r\n[]");
  });

  test("beyond the limit is refused before any of it has come", async () => {
    const answer = await exchange(head("Content-Length: 11"));
    expect(answer).toStartWith("HTTP/1.1 413 ");
    expect(answer.toLowerCase()).toContain("\r\nconnection: close\r\n");
  });

  test("ends where it was announced to, whatever is sent behind it", async () => {
    const answer = await exchange(`${head("Content-Length: 5")}first${announced(6, "second")}`);
    expect(answer).toMatch(/\[first\]HTTP[\s\S]*\[second\]$/);
    expect(outcomes).toEqual(["first", "second"]);
  });

  test("that the client does not send to its end is not taken for a whole one", async () => {
    const socket = begin(`${head("Content-Length: 9")}half`);
    await reading.promise;
    socket.destroy();
    await read.promise;
    expect(outcomes).toEqual([expect.any(Error)]);
  });

  test("that is announced twice alike is held to the limit too", async () => {
    const twice = (length: number) => head(CLOSE, `Content-Length: ${length}`, `Content-Length: ${length}`);
    expect(await exchange(`${twice(5)}12345`)).toEndWith("\r\n\r\n[12345]");
    expect(await exchange(`${twice(11)}12345678901`)).toStartWith("HTTP/1.1 413 ");
  });

  test("is not read when the announcement is no length, or the body is sent in chunks as well", async () => {
    for (const length of ["-1", "1e1", "0x5", "five", "", "5, 6"]) {
      const answer = await exchange(announced(length, "12345"));
      expect([length, answer, ...outcomes]).toEqual([length, expect.stringMatching(/^\S+ 400 /)]);
    }
    const both = head("Content-Length: 5", CHUNKED);
    expect(await exchange(`${both}f\r\n123456789012345\r\n0\r\n\r\n`)).toMatch(/^\S+ 400 /);
    expect(outcomes).toEqual([]);
  });

  test("is held to the limit also where nobody else has checked the announcement", async () => {
    const request = new Request("http://test/", {
      method: "POST",
      headers: { "content-length": "5" },
      body: "12345678901",
    });
    await expect(readText(request, LIMIT)).rejects.toMatchObject({ status: 413 });
  });
});

describe("a body of unknown length", () => {
  test("is read up to the limit", async () => {
    expect(await exchange(chunked("01234", "56789"))).toEndWith("\r\n\r\n[0123456789]");
    expect(await exchange(chunked())).toEndWith("\r\n\r\n[]");
    expect(await exchange(head(CLOSE))).toEndWith("\r\n\r\n[]");
  });

  test("is refused as soon as it exceeds the limit, though its end has not come", async () => {
    const answer = await exchange(`${head(CHUNKED)}b\r\n01234567890\r\n`);
    expect(answer).toStartWith("HTTP/1.1 413 ");
  });
});

describe("the text of a body", () => {
  const post = (body: Uint8Array, headers = {}) =>
    readText(new Request("http://test/", { method: "POST", body, headers }), LIMIT);
  const bytes = (...codes: number[]) => new Uint8Array(codes);

  test("is UTF-8 or refused, and one that was refused leaves no trace in the next", async () => {
    for (const headers of [{}, { "content-length": "3" }]) {
      await expect(post(bytes(0x61, 0x62, 0xc3), headers)).rejects.toMatchObject({ code: "BAD_REQUEST" });
      expect(await post(bytes(0xc3, 0xa4, 0x21), headers)).toBe("ä!");
    }
  });

  test("comes without its byte order mark", async () => {
    expect(await post(bytes(0xef, 0xbb, 0xbf, 0x31), { "content-length": "4" })).toBe("1");
  });
});
