/** Pushes with one defect each, for the tests of the rules. */
import { expect, test } from "bun:test";
import { DEFAULT_LIMITS, type DefinitionLimits } from "../../src/definition/limit.ts";
import { parseWorkflowCreateRequest } from "../../src/definition/validate.ts";
import { MaestroError } from "../../src/error.ts";

export type Body = Record<string, unknown>;

/** The findings of a push of one workflow. */
export function findings(workflow: Body, limits: DefinitionLimits = DEFAULT_LIMITS): readonly string[] {
  try {
    parseWorkflowCreateRequest({ workflow: { id: "w", steps: [step("a")], ...workflow } }, limits);
    return [];
  } catch (error) {
    if (error instanceof MaestroError) return error.details;
    throw error;
  }
}

export const step = (id: string, body: Body = {}): Body => ({ step: { id, type: "NoOp", ...body } });
export const to = (...ids: string[]): Body => ({
  transition: { successors: Object.fromEntries(ids.map((id) => [id, "true"])) },
});
export const map = (value: Body): Body => ({ type: "MAP", value });
export const longs = { type: "LONG_ARRAY", value: [1] };
export const foreach = (id: string, loop: Body, steps: unknown[], body: Body = {}): Body => ({
  foreach: { id, params: { loop_params: map(loop) }, steps, ...body },
});
export const loop = (id: string, loopParams: Body, steps: unknown[], body: Body = {}): Body => ({
  while: { id, condition: "true", params: { loop_params: map(loopParams) }, steps, ...body },
});
export const one = (body: Body): Body => ({ steps: [step("a", body)] });

/** Each a workflow with one defect, and how its only finding starts. */
export function refused(cases: readonly (readonly [name: string, workflow: Body, finding: string])[]): void {
  test.each(cases.map(([name, workflow, finding]) => ({ name, workflow, finding })))(
    "refused: $name",
    ({ workflow, finding }) => {
      const found = findings(workflow);
      expect(found.map((line) => line.slice(0, finding.length))).toEqual([finding]);
    },
  );
}

export function accepted(cases: readonly (readonly [name: string, workflow: Body])[]): void {
  test.each(cases.map(([name, workflow]) => ({ name, workflow })))("accepted: $name", ({ workflow }) => {
    expect(findings(workflow)).toEqual([]);
  });
}
