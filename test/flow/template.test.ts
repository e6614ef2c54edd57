import { expect, test } from "bun:test";
import type { JobTemplateDefinition, TemplateRef } from "../../src/definition/template.ts";
import { Deferred } from "../../src/flow/evaluation.ts";
import { Templates } from "../../src/flow/template.ts";
import type { Lineage } from "../../src/run/template.ts";

const REF = { jobType: "a", version: "v" };

/** A store of templates that answers when it is told to. */
class Fixture {
  stored: readonly JobTemplateDefinition[] = [];
  reads = 0;
  #waiting: (() => void)[] = [];
  readonly templates = new Templates(async (_refs: readonly TemplateRef[]) => {
    this.reads++;
    const { stored } = this;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return stored;
  });

  put(value: string): void {
    const params = { p: { type: "STRING" as const, value } };
    this.stored = [{ job_type: "a", version: "v", step_type: "NoOp", params }];
  }

  /** The first so many reads. */
  answer(count = this.#waiting.length): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve();
  }

  /** What is known; undefined: it has to be waited for. */
  now(): { readonly found: unknown } | undefined {
    try {
      return { found: paramOf(this.templates.get(REF)) };
    } catch (error) {
      if (error instanceof Deferred) return undefined;
      throw error;
    }
  }

  async next(): Promise<void> {
    try {
      this.templates.get(REF);
    } catch (error) {
      if (!(error instanceof Deferred)) throw error;
      this.answer();
      await error.settled;
    }
  }
}

const paramOf = (lineage: Lineage | undefined) => lineage?.params[0]?.p?.value;

test("what is known is read once, whoever asks meanwhile; that there is none, too", async () => {
  const fixture = new Fixture();
  expect([fixture.now(), fixture.now()]).toEqual([undefined, undefined]);
  await fixture.next();
  expect([fixture.now(), fixture.reads]).toEqual([{ found: undefined }, 1]);
  fixture.put("one");
  expect(fixture.now()).toEqual({ found: undefined });
  fixture.templates.forget();
  await fixture.next();
  expect([fixture.now(), fixture.reads]).toEqual([{ found: "one" }, 2]);
});

test("what was read before it changed does not count", async () => {
  const fixture = new Fixture();
  fixture.put("old");
  expect(fixture.now()).toBeUndefined();
  fixture.templates.forget();
  fixture.put("new");
  expect(fixture.now()).toBeUndefined();
  fixture.answer(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(fixture.now()).toBeUndefined();
  await fixture.next();
  expect([fixture.now(), fixture.reads]).toEqual([{ found: "new" }, 2]);
});

test("one that can't be used fails each step that asks, and is read anew for the next", async () => {
  const fixture = new Fixture();
  fixture.stored = [{ job_type: "a", version: "v", step_type: "NoOp", inherit_from: { a: "v" } }];
  await fixture.next();
  expect(() => fixture.now()).toThrow("inherit from each other");
  fixture.put("x".repeat(1_000_001));
  await fixture.next();
  expect(() => fixture.now()).toThrow("at most 1000000");
  fixture.put("good");
  await fixture.next();
  expect(fixture.now()).toEqual({ found: "good" });
});
