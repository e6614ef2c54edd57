import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { Gathering } from "../../src/flow/gather.ts";

/** Each look, and how to end it. */
function looking() {
  const looks: { readonly questions: readonly number[]; readonly end: PromiseWithResolvers<void> }[] = [];
  const gathering = new Gathering<number, string>(systemClock, async (questions) => {
    const end = Promise.withResolvers<void>();
    looks.push({ questions, end });
    await end.promise;
    return questions.map((question) => `answer ${question}`);
  });
  return { looks, gathering };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("questions of one turn are one look, and those that come meanwhile the next one", async () => {
  const { looks, gathering } = looking();
  const first = [gathering.ask(1), gathering.ask(2)];
  await turn();
  const second = [gathering.ask(3), gathering.ask(4)];
  await turn();
  expect(looks.map(({ questions }) => questions)).toEqual([[1, 2]]);
  looks[0]?.end.resolve();
  expect(await Promise.all(first)).toEqual(["answer 1", "answer 2"]);
  await turn();
  expect(looks.map(({ questions }) => questions)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  looks[1]?.end.resolve();
  expect(await Promise.all(second)).toEqual(["answer 3", "answer 4"]);
});

test("a look that fails fails for those that are part of it, and for nobody else", async () => {
  const { looks, gathering } = looking();
  const first = gathering.ask(1);
  await turn();
  const second = gathering.ask(2);
  looks[0]?.end.reject(new Error("no connection"));
  await expect(first).rejects.toThrow("no connection");
  await turn();
  looks[1]?.end.resolve();
  expect(await second).toBe("answer 2");
  const third = gathering.ask(3);
  await turn();
  looks[2]?.end.resolve();
  expect(await third).toBe("answer 3");
});

test("a look has a thousand questions at most", async () => {
  const { looks, gathering } = looking();
  const asked = Array.from({ length: 1_001 }, (_, index) => gathering.ask(index));
  await turn();
  expect(looks[0]?.questions).toHaveLength(1_000);
  looks[0]?.end.resolve();
  await asked[999];
  await turn();
  looks[1]?.end.resolve();
  expect(await asked[1_000]).toBe("answer 1000");
});
