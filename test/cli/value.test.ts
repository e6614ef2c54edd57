import { expect, test } from "bun:test";
import { paramsOf, parseParam } from "../../src/cli/value.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";

test.each([
  ["n=7", '{"type":"LONG","value":7}'],
  ["n=-0", '{"type":"LONG","value":-0}'],
  ["n=9223372036854775807", '{"type":"LONG","value":9223372036854775807}'],
  ["n=9223372036854775808", '{"type":"STRING","value":"9223372036854775808"}'],
  ["n=007", '{"type":"STRING","value":"007"}'],
  ["n=1.50", '{"type":"DOUBLE","value":1.50}'],
  ["n=1e3", '{"type":"DOUBLE","value":1e3}'],
  ["n=true", '{"type":"BOOLEAN","value":true}'],
  ["n=", '{"type":"STRING","value":""}'],
  ["n=a=b", '{"type":"STRING","value":"a=b"}'],
  ["n=[1,2]", '{"type":"LONG_ARRAY","value":[1,2]}'],
  ["n=[1,2.5]", '{"type":"DOUBLE_ARRAY","value":[1,2.5]}'],
  ['n=["a"]', '{"type":"STRING_ARRAY","value":["a"]}'],
  ["n=[true]", '{"type":"BOOLEAN_ARRAY","value":[true]}'],
  ['n={"a":"b"}', '{"type":"STRING_MAP","value":{"a":"b"}}'],
  ['n={"a":1}', '{"type":"MAP","value":{"a":{"type":"LONG","value":1}}}'],
  ["n={broken", '{"type":"STRING","value":"{broken"}'],
  ["n:STRING=7", '{"type":"STRING","value":"7"}'],
  ["n:double=7", '{"type":"DOUBLE","value":7}'],
  ["n:LONG_ARRAY=[]", '{"type":"LONG_ARRAY","value":[]}'],
  ['n:MAP={"a":"b"}', '{"type":"MAP","value":{"a":{"type":"STRING","value":"b"}}}'],
])("%s is %s", (text, expected) => {
  const [name, param] = parseParam(text);
  expect(name).toBe("n");
  expect(stringifyJson(param)).toBe(stringifyJson(parseJson(expected)));
});

test.each([
  ["n", "must be NAME=VALUE or NAME:TYPE=VALUE"],
  ["=1", "must be NAME=VALUE"],
  ["n:NUMBER=1", "must have one of the types STRING, LONG"],
  ["n:LONG=x", 'must have a value that is a LONG, not "x"'],
  ["n:LONG=1.5", "must have a value that is a LONG"],
  ["n=[[1]]", "a list param must hold only texts, only numbers or only booleans"],
  ["n=[null]", "a list param must hold"],
])("%s is refused", (text, message) => {
  expect(() => parseParam(text)).toThrow(message);
});

test("a file's params are values or definitions", () => {
  const json = parseJson(
    '{"a":1,"b":{"type":"STRING","value":"x"},"c":{"type":"LONG","expression":"1+1"},"d":{"type":"fast"}}',
  );
  expect(stringifyJson(paramsOf(json, "f"))).toBe(
    '{"a":{"type":"LONG","value":1},"b":{"type":"STRING","value":"x"},"c":{"type":"LONG","expression":"1+1"},' +
      '"d":{"type":"STRING_MAP","value":{"type":"fast"}}}',
  );
  expect(() => paramsOf([], "f.json")).toThrow("f.json must hold an object");
});
