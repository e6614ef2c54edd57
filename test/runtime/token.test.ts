import { expect, test } from "bun:test";
import { issueToken, readToken } from "../../src/runtime/token.ts";

const attempt = { groupId: 7, runKey: 4711, uuid: "0b8a5b0e-4f1c-4c5e-9a51-5f1e6a3f9d10" };
const token = issueToken("secret", attempt);

test("a token says which attempt it is of, to whoever has the key", () => {
  expect(readToken("secret", token)).toEqual(attempt);
  expect(readToken("another", token)).toBeUndefined();
});

test.each([
  ["another group", token.replace("mst1_7.", "mst1_8.")],
  ["another run", token.replace(".4711.", ".4712.")],
  ["another attempt", token.replace("9d10.", "9d11.")],
  ["another code", `${token.slice(0, 60)}${token[60] === "A" ? "B" : "A"}${token.slice(61)}`],
  ["no code", token.replace(/\.[^.]*$/, ".")],
  ["a shorter code", token.slice(0, -1)],
  ["more", `${token}A`],
  ["another version", token.replace("mst1", "mst2")],
  ["nothing", ""],
])("a token with %s is none", (_, text) => {
  expect(text).not.toBe(token);
  expect(readToken("secret", text)).toBeUndefined();
});

test("fields can't be told apart in another way", () => {
  const other = issueToken("secret", { ...attempt, groupId: 74, runKey: 711 });
  expect(other.slice(-43)).not.toBe(token.slice(-43));
});
