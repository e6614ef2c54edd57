/** Processes of an attempt that has no control group, as where the server may not make one. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kin } from "../../plugins/script/kin.ts";
import { startTimeOf } from "../../plugins/script/process.ts";

const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

/** A leader that has ended, and what it has left behind. */
async function leftBehind(script: string, detached = false) {
  const directory = mkdtempSync(join(tmpdir(), "maestro-kin-"));
  writeFileSync(join(directory, "pid"), "");
  const uuid = crypto.randomUUID();
  const child = Bun.spawn(["/bin/sh", "-c", `read go; ${script}; sleep 0.2`], {
    env: { PATH: process.env.PATH, MAESTRO_STEP_UUID: uuid },
    stdin: "pipe",
    stdout: "pipe",
    detached: true,
  });
  const leader = { pid: child.pid, startTime: startTimeOf(child.pid) ?? "" };
  child.stdin.write("go\n");
  child.stdin.end();
  const [text] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  const kin = new Kin(leader, uuid, directory, detached);
  rmSync(directory, { recursive: true });
  return { kin, pid: Number(text) };
}

describe.skipIf(process.platform !== "linux")("without a control group", () => {
  test.each([
    ["in its process group", "sleep 600 >&- & echo $!"],
    ["in a session of its own", "setsid sleep 600 >&- & echo $!"],
  ])("what lives on %s is found and ended", async (_, script) => {
    const { kin, pid } = await leftBehind(script);
    expect([await kin.isLeftBehind(), lives(pid)]).toEqual([true, true]);
    kin.signal("SIGTERM");
    expect([await kin.ends(5_000), lives(pid)]).toEqual([true, false]);
    expect(await kin.isLeftBehind()).toBe(false);
  });

  test("what does not hear lives until it is killed", async () => {
    const { kin, pid } = await leftBehind(`setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' >&- & echo $!`);
    kin.signal("SIGTERM");
    expect([await kin.ends(100), lives(pid)]).toEqual([false, true]);
    kin.signal("SIGKILL");
    expect([await kin.ends(5_000), lives(pid)]).toEqual([true, false]);
  });

  test("others are left alone", async () => {
    const other = await leftBehind("setsid sleep 600 >&- & echo $!");
    const { kin } = await leftBehind("echo 0");
    expect(await kin.isLeftBehind()).toBe(false);
    kin.signal("SIGKILL");
    expect(lives(other.pid)).toBe(true);
    const detached = await leftBehind("setsid sleep 600 >&- & echo $!", true);
    expect(await detached.kin.isLeftBehind()).toBe(false);
    for (const pid of [other.pid, detached.pid]) process.kill(pid, "SIGKILL");
  });
});
