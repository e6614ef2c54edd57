/** Dead letters of a whole server, looked at and replayed from the command line: of the sources, or of the executable. */
import { expect, test } from "bun:test";
import { parseJson } from "../../src/json.ts";
import { connect } from "../../src/store/connection.ts";
import type { Program } from "../bench/server.ts";
import type { Result } from "../cli/harness.ts";
import { atEnd } from "../support/end.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

/** Carries a command out. @param server where `MAESTRO_SERVER` points */
export type CommandLine = (server: string, argv: readonly string[]) => Promise<Result>;

async function withDatabase(program: Program, command: CommandLine) {
  const server = await served({}, program);
  const sql = connect(server.database, { max: 1, name: "test" });
  atEnd.push(() => sql.end());
  const maestro = (...argv: readonly string[]) => command(server.url, argv);
  return { server, sql, maestro };
}

const workflow = (id: string, rule: string, step: object) => ({
  properties: { owner: "ann", run_strategy: rule },
  workflow: { id, steps: [{ step }] },
});

/** @returns its path */
async function start(server: Served, id: string): Promise<string> {
  const started = await server.send("POST", `/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });
  return `/${id}/instances/${read(started).workflow_instance_id}/runs/1`;
}

const ending = async (server: Served, path: string): Promise<unknown> =>
  read(await server.send("GET", `${path}?wait=60`)).status;

export function deadLetterTests(program: Program, command: CommandLine): void {
  test(
    "a workflow whose queued runs can never be let go holds up no other; mended and replayed, it goes on",
    async () => {
      const { server, sql, maestro } = await withDatabase(program, command);
      const long = { id: "wait", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 3600 } } };
      await sql`ALTER TABLE run ADD CONSTRAINT poison
        CHECK (workflow_id <> 'bad' OR instance_id = 1 OR execution_id IS NULL) NOT VALID`;
      for (const id of ["bad", "good"]) {
        await server.send("POST", "", workflow(id, "SEQUENTIAL", long));
        for (let runs = 0; runs < 2; runs++) await start(server, id);
      }
      await Promise.all(
        ["bad", "good"].map((id) => server.send("PUT", `/${id}/instances/1/runs/1/actions/stop`, undefined)),
      );
      await Promise.all(["bad", "good"].map((id) => ending(server, `/${id}/instances/1/runs/1`)));
      await started(server, "/good/instances/2/runs/1");

      let ids = await letters(maestro);
      while (ids.length === 0) ids = await letters(maestro);
      const [id] = ids;
      const shown = await maestro("dead-letter", "get", `${id}`);
      expect(parseJson(shown.out)).toMatchObject({ topic: "dequeue", key: "bad", attempts: 1 });
      expect(shown.out).toContain("violates check constraint");
      expect((await maestro("dead-letter", "list")).out).toContain(`${id}`);

      await sql`ALTER TABLE run DROP CONSTRAINT poison`;
      expect(await maestro("dead-letter", "replay", `${id}`)).toEqual({ exit: 0, out: "replayed: 1\n", err: "" });
      await started(server, "/bad/instances/2/runs/1");
      expect(await letters(maestro)).toEqual([]);
      const again = await maestro("dead-letter", "replay", `${id}`);
      expect([again.exit, again.err]).toEqual([3, expect.stringContaining(`There is no dead letter [${id}]`)]);
    },
    PATIENCE,
  );

  test(
    "a run that failed since its rows were refused is told of; a replay says what to do, and restarts nothing",
    async () => {
      const { server, sql, maestro } = await withDatabase(program, command);
      await sql`ALTER TABLE step_attempt ADD CONSTRAINT sound CHECK (step_id <> 'poison') NOT VALID`;
      await server.send("POST", "", workflow("etl", "PARALLEL", { id: "poison", type: "NoOp" }));
      await server.run("etl");
      const listed = await maestro("dead-letter", "list", "--topic", "refused-run");
      expect(listed.out).toContain("[etl][1][1]");
      const [id] = await letters(maestro);
      const letter = parseJson((await maestro("dead-letter", "get", `${id}`)).out);
      expect(letter).toMatchObject({
        key: "[etl][1][1]",
        error: expect.stringContaining("The database refuses the state of step [poison]: new row for relation"),
        payload: {
          workflow_id: "etl",
          workflow_instance_id: 1,
          refused: [{ step_id: "poison" }, { status: "SUCCEEDED" }],
        },
      });
      const replayed = await maestro("dead-letter", "replay", `${id}`);
      expect(replayed.exit).toBe(5);
      expect(replayed.err).toContain(
        "The run is FAILED. Mend what the letter's error says, restart instance [1] of [etl]",
      );
      expect((await maestro("dead-letter", "replay", "--all")).out).toBe("replayed: 0\n");
      const deleted = await maestro("dead-letter", "delete", `${id}`);
      expect(deleted).toEqual({ exit: 0, out: `deleted: ${id} refused-run [etl][1][1]\n`, err: "" });
      expect(await letters(maestro)).toEqual([]);
    },
    PATIENCE,
  );
}

type Maestro = Awaited<ReturnType<typeof withDatabase>>["maestro"];

/** Their numbers. */
async function letters(maestro: Maestro): Promise<readonly unknown[]> {
  const { out } = await maestro("dead-letter", "list", "--json");
  const elements = at(parseJson(out), "elements");
  return Array.isArray(elements) ? elements.map((letter) => at(letter, "id")) : [];
}

/** Resolves when the run has been let go. */
async function started(server: Served, path: string): Promise<void> {
  while (read(await server.send("GET", path)).status === "CREATED");
}
