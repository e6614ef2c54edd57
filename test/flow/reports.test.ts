import { describe, expect, test } from "bun:test";
import { Reports } from "../../src/flow/reports.ts";

describe("a report", () => {
  test("is answered once", async () => {
    const reports = new Reports();
    const answer = reports.open((report) => {
      report.answer("stored");
      report.answer("late");
    });
    reports.abandon();
    expect(await answer).toBe("stored");
  });

  test("that no step has is answered when its run ends; one that waits for its commit is not", async () => {
    const reports = new Reports();
    const waiting = reports.open(() => {});
    const commits: (() => void)[] = [];
    const taken = reports.open((report) => {
      report.isTaken = true;
      commits.push(() => report.answer("stored"));
    });
    reports.close();
    expect(await waiting).toBe("unknown");
    for (const commit of commits) commit();
    expect(await taken).toBe("stored");
  });

  test("is answered when nothing commits any more", async () => {
    const reports = new Reports();
    const taken = reports.open((report) => {
      report.isTaken = true;
    });
    reports.abandon();
    expect(await taken).toBe("unknown");
  });
});
