// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import type { JobTemplateDefinition } from "../../src/definition/template.ts";
import {
  knownTemplateRef,
  lineageOf,
  literalTemplateRef,
  templateFor,
  templateNotes,
  templateRef,
} from "../../src/run/template.ts";
import { stepNode, withTemplate } from "../../src/step/node.ts";

const template = (
  job_type: string,
  inherit: Readonly<Record<string, string>> = {},
  more = {},
): JobTemplateDefinition => ({
  ...{ job_type, step_type: "NoOp", version: "v", inherit_from: inherit },
  params: { [job_type]: { type: "STRING", value: job_type } },
  ...more,
});
const ref = (jobType: string) => ({ jobType, version: "v" });
const namesOf = (lineage: ReturnType<typeof lineageOf>) => lineage?.params.map((params) => Object.keys(params)[0]);

describe("a lineage", () => {
  test("has parents first, in the order in which they are named, and a common ancestor before each of them", () => {
    const known = [
      template("a", { b: "v", c: "v" }),
      template("c", { d: "v" }),
      template("b", { d: "v" }),
      template("d"),
      template("other"),
    ];
    expect(namesOf(lineageOf(ref("a"), known))).toEqual(["d", "b", "d", "c", "a"]);
  });

  test("has the nearest tag of a name, and the type of the template alone", () => {
    const known = [
      template("a", { b: "v" }, { tags: [{ name: "t", own: 1 }], step_type: "Sleep" }),
      template("b", {}, { tags: [{ name: "t", own: 2 }, { name: "u" }] }),
    ];
    const lineage = lineageOf(ref("a"), known);
    expect(lineage).toMatchObject({ stepType: "Sleep", tags: [{ name: "t", own: 1 }, { name: "u" }] });
  });

  test("leaves out what does not exist, and says so once", () => {
    const lineage = lineageOf(ref("a"), [template("a", { none: "v", b: "v" }), template("b", { none: "v" })]);
    expect(namesOf(lineage)).toEqual(["b", "a"]);
    expect(lineage?.missing).toEqual([ref("none")]);
    const node = stepNode({ step: { id: "s", type: "NoOp", sub_type: "a", transition: {} } }, [], {});
    expect(templateNotes(node, lineage)).toHaveLength(1);
    expect(templateNotes(node, undefined)).toHaveLength(1);
    expect(lineageOf(ref("none"), [])).toBeUndefined();
  });

  test("of a cycle is refused with the way around", () => {
    const known = [template("a", { b: "v" }), template("b", { c: "v" }), template("c", { b: "v" })];
    expect(() => lineageOf(ref("a"), known)).toThrow("[a][v] → [b][v] → [c][v] → [b][v]");
  });

  test("that doubles with each generation is refused before it takes long", () => {
    const known = Array.from({ length: 16 }, (_, n) =>
      template(`t${n}`, n === 0 ? {} : { [`t${n - 1}`]: "v", [`x${n}`]: "v" }),
    );
    const doubling = known.map((it, n) =>
      n === 0 ? it : { ...it, inherit_from: { [`t${n - 1}`]: "v", [`u${n}`]: "v" } },
    );
    const twins = known.map((_, n) => template(`u${n}`, n === 0 ? {} : { [`t${n - 1}`]: "v" }));
    expect(() => lineageOf(ref("t15"), [...doubling, ...twins])).toThrow("more than 1000");
  });
});

describe("which template", () => {
  const params = (value?: string) => ({
    params:
      value === undefined ? {} : { job_template_version: { type: "STRING" as const, value, evaluated_result: value } },
  });
  const read = (text: string) => text.replace("${n}", "7");

  test("the step's version, else the workflow's, else default", () => {
    expect(templateRef({ jobType: "a", version: "v${n}" }, params("w"), read).version).toBe("v7");
    expect(templateRef({ jobType: "a", version: undefined }, params("w"), read).version).toBe("w");
    expect(templateRef({ jobType: "a", version: undefined }, params(), read).version).toBe("default");
  });

  test("what takes an evaluation is not known before it", () => {
    const of = (version: string | undefined, job_template_version?: object) =>
      literalTemplateRef({ jobType: "a", version }, job_template_version && ({ job_template_version } as never))
        ?.version;
    expect(of("v1")).toBe("v1");
    expect(of("$v")).toBeUndefined();
    expect(of(undefined)).toBe("default");
    expect(of(undefined, { type: "STRING", value: "w" })).toBe("w");
    expect(of(undefined, { type: "STRING", value: "$w" })).toBeUndefined();
    expect(of(undefined, { type: "STRING", expression: "w" })).toBeUndefined();
    expect(knownTemplateRef({ jobType: "a", version: "$v" }, { params: params() })).toBe("unknown");
    expect(knownTemplateRef({ jobType: "a", version: undefined }, { params: params("w") })).toEqual({
      jobType: "a",
      version: "w",
    });
  });
});

describe("a step", () => {
  const typed = stepNode(
    { step: { id: "s", type: "NoOp", sub_type: "a", tags: [{ name: "own" }], transition: {} } },
    [],
    {},
  );
  const untyped = stepNode({ template: { id: "s", sub_type: "a", transition: {} } }, [], {});
  const lineage = (stepType: string) => ({ ...ref("a"), stepType, tags: [], params: [], missing: [] });

  test("of a type does without a template that does not exist; one without a type does not", () => {
    expect(templateFor(typed, ref("a"), undefined)).toBeUndefined();
    expect(() => templateFor(untyped, ref("a"), undefined)).toThrow("there is none");
  });

  test("takes no template for steps of another type, in whatever case", () => {
    expect(templateFor(typed, ref("a"), lineage("NOOP"))).toBeDefined();
    expect(() => templateFor(typed, ref("a"), lineage("Sleep"))).toThrow("is for steps of type [Sleep]");
    expect(templateFor(untyped, ref("a"), lineage("Sleep"))).toBeDefined();
  });

  test("is made by its template: with its type if it has none, with its tags beside its own", () => {
    const found = { ...ref("a"), stepType: "Sleep", tags: [{ name: "added" }] };
    expect(withTemplate(untyped, found).typed).toMatchObject({ type: "Sleep", tags: [{ name: "added" }] });
    expect(withTemplate(typed, { ...found, stepType: "NoOp" }).typed).toMatchObject({
      type: "NoOp",
      tags: [{ name: "added" }, { name: "own" }],
    });
    expect(withTemplate(typed, undefined)).toBe(typed);
  });
});
