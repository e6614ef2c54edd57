/** A row that the database refuses, in a whole server: its run ends with the reason, and nobody else waits for it. */
import { expect, test } from "bun:test";
import { connect } from "../../src/store/connection.ts";
import { atEnd } from "../support/end.ts";
import { at, PATIENCE, read, served } from "./served.ts";

const workflow = (id: string, step: string) => ({
  properties: { owner: "ann", run_strategy: "PARALLEL" },
  workflow: { id, steps: [{ step: { id: step, type: "NoOp" } }] },
});

test(
  "its run fails, its place is free, and other runs go on",
  async () => {
    const server = await served();
    const sql = connect(server.database, { max: 1, name: "test" });
    atEnd.push(() => sql.end());
    await sql`ALTER TABLE step_attempt ADD CONSTRAINT sound CHECK (step_id <> 'poison') NOT VALID`;
    await server.send("POST", "", workflow("bad", "poison"));
    await server.send("POST", "", workflow("good", "fine"));
    const runs = await Promise.all(["bad", "good", "bad", "good", "bad"].map((id) => server.run(id)));
    const ended = await Promise.all(runs.map(async (path) => read(await server.send("GET", path))));
    expect(ended.map((run) => run.status)).toEqual(["FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED"]);
    const timeline = JSON.stringify(at(ended[0], "timeline"));
    expect(timeline).toContain("The database refuses the state of step [poison]: new row for relation");
    expect(await sql`SELECT 1 FROM run WHERE end_time IS NULL`).toHaveLength(0);
    expect(server.log()).toContain("rows of a run are refused, and it is ended");
  },
  PATIENCE,
);
