import { describe, expect, test } from "bun:test";
import { textOf } from "../../src/bytes.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition } from "./fixture.ts";

const { call, send, engine, read, write, log } = await apiFixture();
const BASE = "/api/v3/workflows";

async function running(id: string) {
  await call("POST", BASE, definition(id));
  await call("POST", `${BASE}/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });
  const run = await read(id);
  const uuid = `uuid-${id}`;
  await write(run, [attempt("a", 1, { uuid, status: "RUNNING" })]);
  const path = `${BASE}/${id}/instances/1/runs/1/steps/a/attempts/latest/logs`;
  const end = () => write(run, [attempt("a", 1, { uuid, status: "SUCCEEDED" })]);
  return { run, uuid, path, end, print: (offset: number, text: string) => log(run, uuid, offset, text) };
}

/** Reads events until one of that name has come. */
async function until(
  response: Response,
  name: string,
): Promise<{ event: string; id: string | undefined; data: string }[]> {
  const events: { event: string; id: string | undefined; data: string }[] = [];
  let buffered = "";
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    buffered += decoder.decode(piece, { stream: true });
    for (let cut = buffered.indexOf("\n\n"); cut >= 0; cut = buffered.indexOf("\n\n")) {
      const lines = buffered.slice(0, cut).split("\n");
      buffered = buffered.slice(cut + 2);
      const field = (key: string) => lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2);
      const event = field("event");
      if (event !== undefined) events.push({ event, id: field("id"), data: field("data") ?? "" });
      if (event === name) return events;
    }
  }
  return events;
}

describe("logs of an attempt", () => {
  test("are its text, whole or after a chunk", async () => {
    const { path, print } = await running("text");
    await print(0, "one\n");
    await print(4, "two\n");
    const { text, headers } = await call("GET", path);
    expect(text).toBe("one\ntwo\n");
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect((await call("GET", `${path}?stream=stderr`)).text).toBe("");
    expect((await call("GET", `${BASE}/text/instances/1/runs/1/steps/nope/attempts/1/logs`)).status).toBe(404);
  });

  test("are bytes when they are asked for so, and show what is no text", async () => {
    const { path, print } = await running("bytes");
    await print(0, textOf(Buffer.from([0x61, 0, 0xff])));
    await print(3, "ä\n");
    expect((await call("GET", path)).text).toBe("a\\x00\\xffä\n");
    const raw = await send("GET", `${path}?raw=true`);
    expect(raw.headers.get("content-type")).toBe("application/octet-stream");
    expect(Buffer.from(await raw.arrayBuffer()).toString("hex")).toBe("6100ffc3a40a");
    expect((await call("GET", `${path}?raw=true&follow=true`)).status).toBe(400);
  });

  test("are followed live, and end when the attempt has ended and all is sent", async () => {
    const { path, print, end } = await running("live");
    await print(0, "first\n");
    const following = send("GET", `${path}?follow=true`).then((response) => until(response, "end"));
    await engine.logs.listening(1);
    await print(6, 'line "2"\n');
    await end();
    engine.logs.hint();
    const events = await following;
    expect(events.map((it) => it.event)).toEqual(["chunk", "chunk", "end"]);
    expect(events.slice(0, 2).map((it) => JSON.parse(it.data).text)).toEqual(["first\n", 'line "2"\n']);
    expect(JSON.parse(events[2]?.data ?? "")).toEqual({ status: "SUCCEEDED" });
  });

  test("resume after the last event that the client saw", async () => {
    const { path, print, end } = await running("resume");
    await print(0, "a");
    await print(1, "b");
    await end();
    const all = await until(await send("GET", `${path}?follow=true`), "end");
    const last = all[0]?.id ?? "";
    const resumed = await send("GET", `${path}?follow=true`, { headers: { "last-event-id": last } });
    expect((await until(resumed, "end")).map((it) => it.event)).toEqual(["chunk", "end"]);
    expect((await call("GET", `${path}?after=${last}`)).text).toBe("b");
  });

  test("let go of their listener when the client leaves", async () => {
    const { path } = await running("leave");
    const response = await send("GET", `${path}?follow=true`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await engine.logs.listening(1);
    await reader.cancel();
    await engine.logs.listening(0);
  });
});
