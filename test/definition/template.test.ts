import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseWire } from "../../src/definition/parse.ts";
import { jobTemplateSchema, parseJobTemplate } from "../../src/definition/template.ts";
import { MaestroError } from "../../src/error.ts";

const good = { job_type: "nap", step_type: "sleep", version: "default" };
const request = (definition: object, more: object = {}) => ({
  ...{ owner: "ann", status: "PROD", support: "x", definition },
  ...more,
});

function findings(json: unknown): readonly string[] {
  try {
    parseJobTemplate(json, "ann", 1);
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    return error.details;
  }
}

test("a template is kept with its canonical type, who made it, and further keys", () => {
  const { metadata, definition } = parseJobTemplate(request(good, { team: "data" }), "bob", 7);
  expect(definition.step_type).toBe("Sleep");
  expect(metadata).toEqual({
    ...{ owner: "ann", version_author: "bob", status: "PROD", support: "x", create_time: 7, team: "data" },
  });
});

test.each([
  [{ ...good, job_type: "a__b" }, 'definition.job_type: "a__b" must not contain'],
  [{ ...good, version: "1bad" }, 'definition.version: "1bad" is not a valid name'],
  [{ ...good, step_type: "Slep" }, 'definition.step_type: "Slep" is not a step type; did you mean "Sleep"?'],
  [{ ...good, inherit_from: { nap: "default" } }, "definition.inherit_from.nap: a template cannot inherit from itself"],
  [{ ...good, inherit_from: { "1": "v" } }, "definition.inherit_from"],
  [{ ...good, inherit_from: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`t${n}`, "v"])) }, "at most 50"],
  [{ ...good, params: { p: { type: "LONG", value: "x" } } }, "definition.params.p.value"],
  [{ ...good, params: { p: { type: "LONG" } } }, 'has neither "value" nor "expression"'],
  [{ ...good, tags: ["t", "t"] }, "definition.tags[1]"],
  [{ ...good, other: 1 }, "definition"],
  [{ ...good, description: "x".repeat(300_000) }, "at most 262144 are allowed"],
])("%j is refused", (definition, finding) => {
  expect(findings(request(definition)).join("\n")).toContain(finding);
});

test("what the server writes is not given", () => {
  expect(findings(request(good, { create_time: 1 }))).toEqual(["create_time: is set by the server; leave it out"]);
});

test("a param that is to be filled in needs no value", () => {
  const params = { p: { type: "LONG", internal_mode: "REQUIRED" }, q: { type: "STRING", internal_mode: "OPTIONAL" } };
  expect(findings(request({ ...good, params }))).toEqual([]);
});

const compat = process.env.MAESTRO_COMPAT_DIR;

test.skipIf(compat === undefined)("upstream's samples are read", async () => {
  const read = (file: string) => Bun.file(join(compat ?? "", file)).json();
  for (const file of [
    "samples/jobtemplates/sample-job-template-1.json",
    "fixtures/api/sample-job-template-create-request.json",
  ]) {
    expect(findings(await read(file))).toEqual([]);
  }
  const stored = await read("fixtures/stepruntime/job_template.json");
  expect(parseWire(jobTemplateSchema, stored, "no").definition.job_type).toBe("shell");
});
