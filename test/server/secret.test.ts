/** Secrets in a whole server: whatever a script does with one, no row, answer or line of the log shows it. */
import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isJsonObject, type JsonObject } from "../../src/json.ts";
import { openDatabase } from "../../src/store/connection.ts";
import { atEnd } from "../support/end.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

const VARIABLE = "from-the-environment-42";
let server: Served;
let file: string;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "maestro-secrets-"));
  atEnd.push(async () => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, "token");
  server = await served({
    MAESTRO_SECRET: `TOKEN@leaky,loops=file:${file}; PASSWORD@leaky/shell=env:DB_PASSWORD`,
    DB_PASSWORD: VARIABLE,
  });
}, PATIENCE);

const text = (value: string) => ({ type: "STRING", value });
const entries = (value: object) => ({ type: "STRING_MAP", value });

const shell = (script: string, env: object = {}) => ({
  shell: { type: "MAP", value: { script: text(script), env: entries(env) } },
});

/** @param step the fields of one step */
async function push(id: string, step: object, properties: object = {}): Promise<JsonObject> {
  const steps = [{ step: { id: "a", type: "shell", retry_policy: { error_retry_limit: 0 }, ...step } }];
  return read(await server.send("POST", "", { properties: { owner: "ann", ...properties }, workflow: { id, steps } }));
}

const stepOf = async (run: string, id = "a"): Promise<JsonObject> =>
  read(await server.send("GET", `${run}/steps/${id}/attempts/1`));
const statusOf = (step: JsonObject) => at(step, "runtime_state", "status");
const logsOf = (run: string) => server.send("GET", `${run}/steps/a/attempts/1/logs`);

/** Every row of every table, as text. */
async function rows(): Promise<string> {
  const sql = openDatabase(server.database, { max: 1 }).sql;
  try {
    const tables = await sql<{ schema: string; name: string }[]>`SELECT table_schema AS schema, table_name AS name
      FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT LIKE 'pg_%'
      AND table_schema <> 'information_schema'`;
    const found: string[] = [];
    for (const { schema, name } of tables) {
      const content = await sql<{ row: string }[]>`SELECT t::text AS row FROM ${sql(schema)}.${sql(name)} t`;
      found.push(...content.map(({ row }) => row));
    }
    return found.join("\n");
  } finally {
    await sql.end();
  }
}

/** Prints the secrets at once, in pieces, encoded, as output, as artifact; then fails or not. */
const leaky = (cut: number, code: number): string => `
printenv TOKEN; printenv PASSWORD >&2
printenv TOKEN | head -c ${cut}; sleep 0.15; printenv TOKEN | tail -c +${cut + 1}; echo
printenv TOKEN | base64; { printf 'user:'; printenv TOKEN; } | base64
{ printf '{"out":"'; printenv TOKEN | tr -d '\\n'; printf '","list":["x '; printenv PASSWORD | tr -d '\\n'; printf '"]}'; } > out.json
printenv MAESTRO_OUTPUT | xargs cp out.json
echo done; printenv TOKEN >&2; exit ${code}`;

const value = fc.string({ unit: fc.constantFrom(..."abcdefXYZ0189_-+/=.:@ "), minLength: 6, maxLength: 30 });
const wellLaid = value.map((it) => `v${it}v`);

test(
  "no value shows in any row, any answer, any line of the log",
  async () => {
    const values: string[] = [VARIABLE];
    const runs: string[] = [];
    await fc.assert(
      fc.asyncProperty(wellLaid, fc.integer({ min: 1, max: 7 }), fc.constantFrom(0, 3), async (token, cut, code) => {
        values.push(token);
        writeFileSync(file, `${token}\n`);
        const outputs = { out: text(""), list: { type: "STRING_ARRAY", value: [] } };
        await push("leaky", {
          params: {
            ...shell(leaky(cut, code), { TOKEN: "${secret.TOKEN}", PASSWORD: "${secret.PASSWORD}" }),
            ...outputs,
          },
        });
        const run = await server.run("leaky");
        runs.push(run);
        const step = await stepOf(run);
        expect(statusOf(step)).toBe(code === 0 ? "SUCCEEDED" : "FATALLY_FAILED");
        expect(at(step, "params", "shell", "evaluated_result", "env", "TOKEN")).toBe("${secret.TOKEN}");
        if (code === 0) expect(at(step, "params", "out", "evaluated_result")).toBe("***");
        expect(await logsOf(run)).toContain("***");
        expect(await logsOf(run)).toContain("done");
      }),
      { numRuns: 5, endOnFailure: true },
    );
    const answers = [await server.send("GET", "/leaky/versions/latest")];
    for (const run of runs) {
      answers.push(await server.send("GET", run), await server.send("GET", `${run}/steps`), await logsOf(run));
      answers.push(await server.send("GET", `${run}/steps/a/attempts/1/logs?follow=true`));
    }
    const all = [...answers, await rows(), server.log()].join("\n");
    expect(all).toContain("${secret.TOKEN}");
    for (const secret of values) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString("base64").slice(0, -4));
    }
  },
  PATIENCE,
);

test(
  "a secret that is not granted ends the step for good, and says who grants it",
  async () => {
    await push("other", {
      params: shell("echo never", { T: "${secret.TOKEN}" }),
      retry_policy: { error_retry_limit: 5 },
    });
    const run = await server.run("other");
    const step = await stepOf(run);
    expect(statusOf(step)).toBe("FATALLY_FAILED");
    const why = "The secret [TOKEN] is not granted to steps of type shell in workflow [other]";
    expect(JSON.stringify(at(step, "timeline"))).toContain(why);
    expect(await logsOf(run)).toBe("");
  },
  PATIENCE,
);

test(
  "the body of a loop has the grants of the workflow that it is written in",
  async () => {
    writeFileSync(file, "hunter22");
    const step = { id: "b", type: "shell", params: shell("printenv T | tr a-z A-Z", { T: "${secret.TOKEN}" }) };
    const loop = { loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [1] } } } };
    const workflow = { id: "loops", steps: [{ foreach: { id: "l", params: loop, steps: [{ step }] } }] };
    await server.send("POST", "", { properties: { owner: "ann" }, workflow });
    const run = await server.run("loops");
    expect(read(await server.send("GET", run)).status).toBe("SUCCEEDED");
    expect(await rows()).toContain("HUNTER22");
  },
  PATIENCE,
);

test.each([
  [{ step: { params: shell("x", { T: "${secret.1st}" }) } }, "steps[0].step.params.shell.value.env.value.T"],
  [{ params: { x: text("${secret.TOKEN}") } }, "workflow.params.x.value: the secret [TOKEN] can't be used here"],
])("a push with %j is refused with the place", async (change, place) => {
  const { step = {}, ...rest } = change as { readonly step?: object };
  const workflow = { id: "badly", steps: [{ step: { id: "a", type: "shell", params: shell("x"), ...step } }], ...rest };
  const failure = server.send("POST", "", { properties: { owner: "ann" }, workflow });
  await expect(failure).rejects.toThrow(place);
});

test(
  "steps run as the owner, or as the caller when the workflow says so",
  async () => {
    const script = "printenv MAESTRO_USER MAESTRO_OWNER";
    for (const run_as of ["OWNER", "caller"])
      await push(`as-${run_as}`, { params: shell(script) }, { owner: "olga", run_as });
    const child = (id: string) => ({ subworkflow_id: text(id) });
    const steps = ["as-OWNER", "as-caller"].map((id) => ({ subworkflow: { id: `s-${id}`, params: child(id) } }));
    const properties = { owner: "boss", run_as: "CALLER" };
    await server.send("POST", "", { properties, workflow: { id: "calls", steps } });
    const own = await server.run("as-OWNER");
    const called = await server.run("as-caller");
    expect(await logsOf(own)).toBe("olga\nolga\n");
    expect(await logsOf(called)).toBe("ann\nolga\n");
    expect(at(read(await server.send("GET", called)), "run_properties", "user")).toBe("ann");
    const { properties_snapshot } = read(await server.send("GET", "/as-caller/versions/latest"));
    expect(isJsonObject(properties_snapshot) && properties_snapshot.run_as).toBe("CALLER");
    // Who restarts a run is its caller, where callers count.
    for (const [id, user] of [
      ["as-OWNER", "olga"],
      ["as-caller", "bob"],
    ] as const) {
      const run = { restart_policy: "RESTART_FROM_BEGINNING" };
      const url = `${server.url}/api/v3/workflows/${id}/instances/1/actions/restart`;
      const headers = { user: "bob", "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(run) });
      expect(response.status).toBe(200);
      await server.send("GET", `/${id}/instances/1/runs/2?wait=60`);
      expect(await logsOf(`/${id}/instances/1/runs/2`)).toBe(`${user}\nolga\n`);
    }
    // A subworkflow is called by whoever the step runs as.
    await server.run("calls");
    expect(await logsOf("/as-caller/instances/2/runs/1")).toBe("ann\nolga\n");
    expect(await logsOf("/as-OWNER/instances/2/runs/1")).toBe("olga\nolga\n");
  },
  PATIENCE,
);

test(
  "a script's text is left alone; a param that names a secret is none of its variables",
  async () => {
    const token = "a-value-that-shows";
    writeFileSync(file, token);
    const script = "cat <<'end'\n${secret.TOKEN}\nend\nprintenv TOKEN";
    await push("leaky", { params: shell(script, { TOKEN: "${secret.TOKEN}" }) });
    const run = await server.run("leaky");
    expect(statusOf(await stepOf(run))).toBe("SUCCEEDED");
    expect(await logsOf(run)).toContain("${secret.TOKEN}\n***");

    await push("leaky", { params: { ...shell('echo "$token"'), token: text("${secret.TOKEN}") } });
    const refused = await stepOf(await server.run("leaky"));
    expect(statusOf(refused)).toBe("INTERNALLY_FAILED");
    expect(JSON.stringify(refused)).toContain("The code mentions param [token], which names a secret");
  },
  PATIENCE,
);
