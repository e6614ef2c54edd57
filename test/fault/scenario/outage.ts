/**
 * The database goes away in a way that nobody is told of, and comes back: clients get answers of the right kind in
 * bounded time, and every request that was repeated with its id has one run in the end.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  truncateSync,
} from "node:fs";
import { createServer, connect as dial, type Socket } from "node:net";
import { join } from "node:path";
import { connect } from "../../../src/store/connection.ts";
import { startEmbedded } from "../../../src/store/embedded/embedded.ts";
import { Client } from "../../bench/client.ts";
import { databaseUrl, ROOT, type Server } from "../../bench/server.ts";
import { chain } from "../../bench/workflow.ts";
import type { Answer, Scenario, Stage } from "../stage.ts";

/** Milliseconds that the database is away. */
const AWAY = 25_000;
/** Milliseconds within which a request is answered: the limit is 10 s. */
const ANSWERED = 11_000;
const READY = 2_000;
/** Milliseconds until everything must be over afterwards. */
const PATIENCE = 90_000;
const HEADERS = { "content-type": "application/json", user: "fault" };

/** A database that can be taken away from a server. */
interface Away {
  readonly server: Server;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

async function play(stage: Stage, { server, begin, end }: Away): Promise<void> {
  await new Client(server.url).push(chain("out", 1));
  const start = (id: string) =>
    ask(stage, "starts", `${server.url}/api/v3/workflows/out/versions/active/actions/start`, id);
  for (let i = 0; i < 20; i++) await start(crypto.randomUUID());
  stage.say("the database goes away");
  await begin();
  const asked = new Map<string, Promise<Answer | undefined>>();
  const others: Promise<unknown>[] = [];
  const until = performance.now() + AWAY;
  for (let turn = 0; performance.now() < until; turn++) {
    const id = crypto.randomUUID();
    asked.set(id, start(id));
    if (turn % 4 === 0)
      others.push(read(stage, "reads", `${server.url}/api/v3/workflows/out/versions/active`, ANSWERED));
    if (turn % 10 === 0) others.push(read(stage, "/readyz", `${server.url}/readyz`, READY));
    await Bun.sleep(100);
  }
  stage.say("the database comes back");
  await end();
  await Promise.all([...asked.values(), ...others]);
  const back = performance.now();
  await recovered(stage, server);
  stage.figure(`/readyz is well ${(performance.now() - back).toFixed(0)} ms after the last answer`);
  await onceEach(stage, server, [...asked.keys()], start);
}

async function ask(stage: Stage, kind: string, url: string, id: string): Promise<Answer | undefined> {
  const body = JSON.stringify({ initiator: { type: "manual" }, request_id: id });
  const begin = performance.now();
  const answer = await stage.ask(kind, url, { method: "POST", headers: HEADERS, body });
  judge(stage, kind, answer, performance.now() - begin, ANSWERED);
  return answer;
}

async function read(stage: Stage, kind: string, url: string, limit: number): Promise<void> {
  const begin = performance.now();
  judge(stage, kind, await stage.ask(kind, url, { headers: HEADERS }), performance.now() - begin, limit);
}

function judge(stage: Stage, kind: string, answer: Answer | undefined, time: number, limit: number): void {
  const status = answer?.status ?? 0;
  stage.demand(status === 200 || status === 503, `${kind} were answered with ${status}: ${answer?.text.slice(0, 300)}`);
  stage.demand(time <= limit, `${kind} took ${time.toFixed(0)} ms`);
  const isRight = status !== 503 || kind === "/readyz" || answer?.text.includes('"retryable":true') === true;
  stage.demand(isRight, `${kind}: 503 does not say that it may be repeated: ${answer?.text.slice(0, 300)}`);
}

async function recovered(stage: Stage, { url }: Server): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await Bun.sleep(50)) {
    if ((await fetch(`${url}/readyz`)).ok) return;
  }
  stage.demand(false, "the server does not become ready again");
}

/** Repeats every start with its id, and waits for the end of all runs. */
async function onceEach(
  stage: Stage,
  { url }: Server,
  ids: readonly string[],
  start: (id: string) => Promise<Answer | undefined>,
): Promise<void> {
  const instances = new Set<string>();
  for (const id of ids) {
    const answer = await start(id);
    const instance = /"workflow_instance_id":(\d+)/.exec(answer?.text ?? "")?.[1];
    stage.demand(instance !== undefined, `a start could not be repeated: ${answer?.text.slice(0, 300)}`);
    instances.add(instance ?? "");
  }
  stage.demand(instances.size === ids.length, `${ids.length} requests have ${instances.size} runs`);
  for (const instance of instances) {
    const response = await fetch(`${url}/api/v3/workflows/out/instances/${instance}/runs/1?wait=60`);
    const { status } = (await response.json()) as { readonly status?: string };
    stage.demand(status === "SUCCEEDED", `instance ${instance} is ${status}`);
  }
  stage.figure(`${ids.length} starts while it was away, ${instances.size} runs, all over`);
}

const postmaster = (server: Server): number =>
  Number.parseInt(readFileSync(join(server.dataDir, "postgres/cluster/postmaster.pid"), "utf8"), 10);

/** The server's Postgres with all its processes: each works in the cluster's folder. */
function processes(server: Server): readonly number[] {
  const cluster = realpathSync(join(server.dataDir, "postgres/cluster"));
  const worksThere = (pid: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === cluster;
    } catch {
      return false;
    }
  };
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && worksThere(name));
  // The server of all first: it must not start others in the place of those that stand still.
  const first = postmaster(server);
  return [first, ...found.map(Number).filter((pid) => pid !== first)];
}

const linuxOnly = (): string | undefined =>
  process.platform === "linux" ? undefined : "only Linux tells which processes are Postgres'";

export const frozen: Scenario = {
  name: "frozen",
  summary: "Postgres stands still (SIGSTOP) and goes on",
  skipped: linuxOnly,
  async play(stage) {
    const server = await stage.serve({});
    const signal = (name: NodeJS.Signals): void => {
      for (const pid of processes(server)) process.kill(pid, name);
    };
    stage.finally(() => signal("SIGCONT"));
    await play(stage, { server, begin: () => signal("SIGSTOP"), end: () => signal("SIGCONT") });
  },
};

export const readOnly: Scenario = {
  name: "readonly",
  summary: "Postgres takes no writes any more, and takes them again",
  async play(stage) {
    const server = await stage.serve({});
    const sql = connect(databaseUrl(server.dataDir), { max: 1 });
    stage.finally(() => sql.end({ timeout: 1 }));
    const set = async (value: string): Promise<void> => {
      await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
      await sql`SELECT pg_reload_conf()`;
    };
    await play(stage, { server, begin: () => set("on"), end: () => set("off") });
  },
};

export const black: Scenario = {
  name: "blackholed",
  summary: "nothing gets through to Postgres, and no connection breaks, until it does again",
  async play(stage) {
    const log = { info: () => {}, warn: () => {} };
    const programDir = join(ROOT, ".cache/program");
    const database = await startEmbedded({ dataDir: join(stage.folder, "database"), log, programDir });
    stage.finally(() => database.stop());
    const url = new URL(database.url);
    const hole = proxy(join(url.searchParams.get("host") ?? "", ".s.PGSQL.5432"));
    stage.finally(() => hole.close());
    const target = `postgres://${url.username}:${url.password}@127.0.0.1:${await hole.port}${url.pathname}`;
    const server = await stage.serve({ env: { MAESTRO_DATABASE_URL: target } });
    await play(stage, { server, begin: hole.stop, end: hole.goOn });
  },
};

/** Hands bytes on in both directions, or keeps them to itself. */
function proxy(socketPath: string) {
  const pairs = new Set<Socket>();
  let isOpen = true;
  const server = createServer((client) => {
    const target = dial(socketPath);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      pairs.add(from);
      from.on("data", (bytes) => void to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(from);
        to.destroy();
      });
      if (!isOpen) from.pause();
    }
  });
  const port = new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { readonly port: number }).port));
  });
  return {
    port,
    stop(): void {
      isOpen = false;
      for (const socket of pairs) socket.pause();
    },
    goOn(): void {
      isOpen = true;
      for (const socket of pairs) socket.resume();
    },
    close(): void {
      for (const socket of pairs) socket.destroy();
      server.close();
    },
  };
}

const DISK_MB = 400;

export const full: Scenario = {
  name: "full",
  summary: "the disk of the embedded Postgres is full, and has room again",
  skipped: () =>
    process.platform === "linux" && process.getuid?.() === 0 ? undefined : "a small disk can be had by root on Linux",
  async play(stage) {
    const disk = join(stage.folder, "disk");
    mkdirSync(disk, { mode: 0o755 });
    const mount = ["mount", "-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", disk];
    if (Bun.spawnSync(mount).exitCode !== 0) return stage.say("SKIPPED: a small disk can't be mounted here");
    stage.finally(() => void Bun.spawnSync(["umount", "-l", disk]));
    const server = await stage.serve({ dataDir: join(disk, "data") });
    const filler = join(disk, "filler");
    // Again and again: Postgres frees some now and then, and a log that is written needs some.
    const fill = async (): Promise<void> => {
      while (statfsSync(disk).bavail > 0) {
        const { exitCode } = Bun.spawnSync(["sh", "-c", `dd if=/dev/zero bs=4k count=25600 2>/dev/null >>${filler}`]);
        if (exitCode !== 0) break;
      }
    };
    let timer: ReturnType<typeof setInterval> | undefined;
    stage.finally(() => clearInterval(timer));
    await play(stage, {
      server,
      async begin() {
        await fill();
        timer = setInterval(() => void fill(), 200);
      },
      end() {
        clearInterval(timer);
        if (existsSync(filler)) truncateSync(filler);
        rmSync(filler, { force: true });
      },
    });
  },
};
