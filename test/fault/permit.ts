/**
 * `bun test/fault/permit.ts [--steps 500] [--limit 3] [--binary PATH]`: two servers on one database carry out steps of one
 * tag, of which a few may run at a time. One server is killed while its steps hold permits, and the limit is changed under
 * way. Each step's script writes down when it begins and when it ends.
 *
 * By these stamps, and by the rows', never more steps run at a time than the limit allows; each begins once; all end.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connect, type Sql } from "../../src/store/connection.ts";
import { startEmbedded } from "../../src/store/embedded/embedded.ts";
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import { Client } from "../bench/client.ts";
import { type Program, ROOT, type Server, sourceProgram, startServer } from "../bench/server.ts";
import { step, workflow } from "../bench/workflow.ts";
import { allOver } from "./check.ts";

export interface PermitOptions {
  readonly program: Program;
  readonly steps: number;
  readonly limit: number;
  readonly say: (line: string) => void;
}

export interface PermitReport {
  readonly problems: readonly string[];
  /** Steps that ran at the same time, at most: by their own stamps. */
  readonly most: number;
  readonly log: string;
}

const TAG = "fault-permit";
const PER_RUN = 25;
const PATIENCE = 300_000;

export async function permit({ program, steps, limit, say }: PermitOptions): Promise<PermitReport> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-permit-"));
  const quiet = { info: () => {}, warn: () => {} };
  const database = await startEmbedded({
    dataDir: join(folder, "database"),
    log: quiet,
    programDir: join(ROOT, ".cache/program"),
  });
  const sql = connect(database.url, { max: 2, name: "fault test" });
  const servers: Server[] = [];
  try {
    for (const name of ["first", "second"]) {
      const args = ["--database-url", database.url];
      servers.push(await startServer({ program, dataDir: join(folder, "data"), args, logName: `${name}.log` }));
    }
    const [first, second] = servers as [Server, Server];
    const file = join(folder, "lines");
    const runs = Math.ceil(steps / PER_RUN);
    await allow(first, limit);
    await new Client(first.url).push(definition(file));
    for (let run = 0; run < runs; run++) await new Client(run % 2 ? first.url : second.url).start(TAG);
    say(`${runs} runs of ${PER_RUN} steps, ${limit} at a time, on two nodes`);

    await ended(sql, (runs * PER_RUN) / 4);
    await first.kill();
    say("one node is killed");
    await ended(sql, (runs * PER_RUN) / 2);
    await allow(second, 0);
    await Bun.sleep(2_000);
    const before = await endedCount(sql);
    await Bun.sleep(2_000);
    const stood = (await endedCount(sql)) === before;
    say(`with a limit of 0 ${before} steps have ended, and nothing goes on: ${stood}`);
    await allow(second, limit);

    const took = await allOver(sql, PATIENCE);
    say(took === undefined ? "some runs do not end" : `all runs are over ${(took / 1_000).toFixed(1)} s later`);
    const { problems, most } = await judge(sql, file, runs * PER_RUN, limit);
    if (!stood) problems.push("steps start though the limit is 0");
    if (took === undefined) problems.push("some runs do not end");
    return { problems, most, log: second.log().slice(-4_000) };
  } finally {
    for (const server of servers) await server.kill();
    await sql.end();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Steps beside each other, each of which takes a twentieth of a second. */
function definition(file: string): object {
  const stamp = (event: string): string => `echo "$(date +%s%N) ${event} $MAESTRO_STEP_UUID" >>${file}`;
  const text = `${stamp("begin")}\nsleep 0.05\n${stamp("end")}\n`;
  const params = { shell: { type: "MAP", value: { script: { type: "STRING", value: text } } } };
  return workflow(
    TAG,
    Array.from({ length: PER_RUN }, (_, index) => step(`s${index}`, "shell", { params, more: { tags: [TAG] } })),
  );
}

async function allow(server: Server, limit: number): Promise<void> {
  const response = await fetch(`${server.url}/api/v3/tag-permits`, {
    method: "POST",
    headers: { "content-type": "application/json", user: "fault" },
    body: JSON.stringify({ tag: TAG, max_allowed: limit }),
  });
  if (!response.ok) throw new Error(`the limit is refused: ${await response.text()}`);
}

async function endedCount(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*) AS count FROM step_attempt WHERE status = 'SUCCEEDED'`;
  return row?.count ?? 0;
}

async function ended(sql: Sql, count: number): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await Bun.sleep(50)) {
    if ((await endedCount(sql)) >= count) return;
  }
  throw new Error(`${count} steps do not end within ${PATIENCE / 1_000} s`);
}

async function judge(sql: Sql, file: string, steps: number, limit: number) {
  const problems: string[] = [];
  const demand = (right: boolean, what: string): void => void (right || problems.push(what));
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  const begins = new Map<string, bigint>();
  const spans: Span[] = [];
  for (const line of lines) {
    const [time = "0", event, uuid = ""] = line.split(" ");
    const begin = begins.get(uuid);
    if (event === "end" && begin !== undefined) spans.push([begin, BigInt(time)]);
    else if (event === "begin" && begin === undefined) begins.set(uuid, BigInt(time));
    else problems.push(`a step begins or ends twice: ${line}`);
  }
  const most = together(spans);
  demand(spans.length === steps, `${spans.length} of ${steps} scripts have begun and ended`);
  demand(most <= limit, `by their own stamps ${most} steps ran at a time, and ${limit} may`);

  const attempts = (await sql<AttemptRow[]>`SELECT * FROM step_attempt`).map(attemptOf);
  const rows = attempts.map(({ times }): Span => [BigInt(times.start_time ?? 0), BigInt(times.end_time ?? 0)]);
  const held = together(rows);
  demand(held <= limit, `by their rows ${held} steps ran at a time, and ${limit} may`);
  const wrong = attempts.filter(({ status }) => status !== "SUCCEEDED");
  demand(attempts.length === steps, `${attempts.length} attempts were made at ${steps} steps`);
  demand(wrong.length === 0, `${wrong.length} attempts have not succeeded, such as ${wrong[0]?.status}`);
  const [left] = await sql<{ count: number }[]>`SELECT count(*) AS count FROM step_permit`;
  demand(left?.count === 0, `${left?.count} permits are held or waited for by nobody`);
  return { problems, most };
}

type Span = readonly [begin: bigint, end: bigint];

/** How many spans have an instant in common, at most. One that begins as another ends has not. */
function together(spans: readonly Span[]): number {
  const events = spans.flatMap(([begin, end]) => [[begin, 1] as const, [end, -1] as const]);
  events.sort(([a, up], [b, other]) => (a < b ? -1 : a > b ? 1 : up - other));
  let [now, most] = [0, 0];
  for (const [, change] of events) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "500" },
      limit: { type: "string", default: "3" },
      binary: { type: "string" },
    },
  });
  const program = values.binary === undefined ? sourceProgram : [resolve(values.binary)];
  const options = { program, steps: Number(values.steps), limit: Number(values.limit), say: console.log };
  const { problems, most, log } = await permit(options);
  console.log(`${most} at a time at most, ${problems.length} problems`);
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  if (problems.length > 0) console.log(log);
  process.exit(problems.length > 0 ? 1 : 0);
}
