/** Runs of workflow instances: reads, one by one and in pages. */
import { badRequest, notFound } from "../../error.ts";
import type { StoredRun } from "../../flow/port.ts";
import { parseJson } from "../../json.ts";
import type { Run, RunRef } from "../../run/model.ts";
import { isOver, RUN_ACTIONS, RUN_STATUSES, type StoredRunStatus, shownRunStatus } from "../../run/status.ts";
import { actionNames } from "../../step/action.ts";
import {
  instanceRange,
  listRuns,
  loadLatestRuns,
  loadRun,
  loadRuns,
  type RunFilter,
  type RunSummary,
  readRun,
  runRange,
} from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { MAX_WAIT_S } from "../limit.ts";
import { listQuery, pageOf, pageQuery, readPage, windowOf } from "../page.ts";
import { allActions, flag, integer, integerOf, type QueryValues, text, words } from "../parameter.ts";
import { instancePageSchema, instanceSchema, runActionMapSchema, runListSchema } from "../schema/run.ts";
import type { Services } from "../service.ts";
import { RE_READ, Wakeup } from "../wait.ts";

const BASE = "/api/v3/workflows";

const enriched = flag(true, "Adds the changes of status to the timeline");

const runQuery = {
  enriched,
  aggregated: flag(false, "Adds the steps over all runs of the instance"),
  wait: integer(
    "Seconds to wait for the run to end; the answer then shows it as it is, ended or not",
    { min: 0, max: MAX_WAIT_S },
    0,
  ),
};

const searchQuery = {
  ...listQuery,
  workflow_id: text("Only the runs of this workflow"),
  status: words("Statuses", RUN_STATUSES),
  inline: flag(false, "Iterations of loops too"),
};

export function runRoutes(router: Router): void {
  singleRoutes(router);
  pageRoutes(router);
  router.add(
    {
      method: "get",
      path: `${BASE}/instances/action-map`,
      operationId: "getRunActions",
      summary: "What a user may do with a run, by its status",
      description: "For each status of a run the names of the actions that it takes.",
      tag: "run",
      query: allActions,
      reply: { description: "Actions by status", schema: runActionMapSchema },
    },
    (_call, _services, { all }) => actionNames(RUN_ACTIONS, all),
  );
}

function singleRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/instances/{instanceId}/runs/{run}`,
      operationId: "getRun",
      summary: "A run: a number or latest",
      description: "With `wait` the answer comes when the run has ended, or after that many seconds as it is then.",
      tag: "run",
      query: runQuery,
      reply: { description: "The run", schema: instanceSchema },
      errors: ["NOT_FOUND"],
    },
    getRun,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/instances/{instanceId}`,
      operationId: "getInstance",
      summary: "The latest run of an instance, with the steps over all its runs",
      description: "The steps are shown as the last run that reached each of them left it.",
      tag: "run",
      query: { enriched },
      reply: { description: "The run", schema: instanceSchema },
      errors: ["NOT_FOUND"],
    },
    async (call, { sql, reader }, query) => {
      const [workflowId, instanceId] = [call.path("workflowId"), call.path("instanceId")];
      const options = { enriched: query.enriched, aggregated: true };
      const run = await loadRun(sql, workflowId, instanceId, "latest");
      if (run === undefined) throw noRun(workflowId, instanceId, "latest");
      return reader.run(run, options);
    },
  );
}

export const noRun = (workflowId: string, instanceId: number, runId: number | "latest") =>
  notFound(`Cannot find the run [${workflowId}][${instanceId}][${runId}]: it has not been made or has been deleted.`);

async function getRun(call: Call, services: Services, { wait, ...options }: QueryValues<typeof runQuery>) {
  const { sql, reader } = services;
  const [workflowId, instanceId] = [call.path("workflowId"), call.path("instanceId")];
  const runId = call.path("run");
  if (wait === 0 || runId === "latest") {
    const run = await loadRun(sql, workflowId, instanceId, runId);
    if (run === undefined) throw noRun(workflowId, instanceId, runId);
    if (wait === 0 || isOver(run)) return reader.run(run, options);
    return reader.run(await awaitEnd(call, services, run, wait), options);
  }
  return reader.run(await awaitEnd(call, services, { workflowId, instanceId, runId }, wait), options);
}

/** The run as it is when it has ended, or when the time is up. */
async function awaitEnd(call: Call, { sql, engine, clock }: Services, ref: RunRef, seconds: number): Promise<Run> {
  const deadline = clock.now() + seconds * 1000;
  const { signal } = call.request;
  const close = call.keepOpen(seconds);
  // Listens before it looks: an end in between is heard.
  const wakeup = new Wakeup<StoredRun>(clock, signal, (listener) => engine.onRunEnded(ref, listener));
  try {
    // What is under way on this node is not looked at before its end: the read would only be in the way of the commit.
    for (let isDue = !engine.isRunning(ref); ; isDue = true) {
      if (isDue) {
        const run = await loadRun(sql, ref.workflowId, ref.instanceId, ref.runId);
        if (run === undefined) throw noRun(ref.workflowId, ref.instanceId, ref.runId);
        if (isOver(run) || signal.aborted || clock.now() >= deadline) return run;
      }
      const ended = await wakeup.until(Math.min(deadline, clock.now() + RE_READ));
      if (ended !== undefined) return readRun(ended);
    }
  } finally {
    wakeup.close();
    close();
  }
}

function pageRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/instances/{instanceId}/runs`,
      operationId: "listInstanceRuns",
      summary: "Runs of an instance, the newest first",
      description:
        "A page by run id: `first` counts from the newest down, `last` from the oldest up, `cursor` is an id and exclusive.",
      tag: "run",
      query: pageQuery,
      reply: { description: "A page", schema: instancePageSchema },
    },
    async (call, { sql, reader }, page) => {
      const [workflowId, instanceId] = [call.path("workflowId"), call.path("instanceId")];
      const query = readPage(page);
      const all = await runRange(sql, workflowId, instanceId);
      const window = windowOf(query, all);
      const runs = window === undefined ? [] : await loadRuns(sql, workflowId, instanceId, window);
      return pageOf(await reader.runs(runs, { enriched: false, aggregated: false }), window, all);
    },
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/{workflowId}/instances`,
      operationId: "listInstances",
      summary: "The latest run of each instance, by instance id",
      description:
        "A page by instance id: `first` counts from the newest down, `last` from the oldest up, `cursor` is an id and exclusive.",
      tag: "run",
      query: { ...pageQuery, aggregated: flag(true, "Adds the steps over all runs of each instance") },
      reply: { description: "A page", schema: instancePageSchema },
    },
    async (call, { sql, reader }, { aggregated, ...page }) => {
      const workflowId = call.path("workflowId");
      const query = readPage(page);
      const all = await instanceRange(sql, workflowId);
      const window = windowOf(query, all);
      const runs = window === undefined ? [] : await loadLatestRuns(sql, workflowId, window);
      return pageOf(await reader.runs(runs, { enriched: false, aggregated }), window, all);
    },
  );
  router.add(
    {
      method: "get",
      path: "/api/v3/runs",
      operationId: "listRuns",
      summary: "Runs of all workflows or of one, the newest first",
      description: "Summaries, the newest first; goes on at `next_cursor`. An empty list is no error.",
      tag: "run",
      query: searchQuery,
      reply: { description: "A page", schema: runListSchema },
    },
    searchRuns,
  );
}

async function searchRuns(_call: Call, { sql }: Services, query: QueryValues<typeof searchQuery>) {
  const { workflow_id: workflowId, search, status, inline, limit } = query;
  const filter: RunFilter = {
    workflowId,
    search,
    statuses: status,
    inline,
    limit: limit + 1,
    ...readCursor(query.cursor, workflowId !== undefined),
  };
  const found = await listRuns(sql, filter);
  const elements = found.slice(0, limit);
  const last = elements.at(-1);
  const cursor = last && (workflowId === undefined ? String(last.key) : `${last.instanceId}.${last.runId}`);
  return {
    elements: elements.map(summaryView),
    ...(found.length > limit && cursor !== undefined && { next_cursor: cursor }),
  };
}

function readCursor(text: string | undefined, ofWorkflow: boolean): Pick<RunFilter, "beforeKey" | "beforeRun"> {
  if (text === undefined) return {};
  const [first = "", second, more] = text.split(".");
  const [a, b] = [integerOf(first), integerOf(second ?? "0")];
  if (a === undefined || b === undefined || more !== undefined || ofWorkflow !== (second !== undefined)) {
    throw badRequest(`Invalid query parameter [cursor]: [${text}]`, ["cursor: give back the next_cursor of a page"]);
  }
  return ofWorkflow ? { beforeRun: { instanceId: a, runId: b } } : { beforeKey: a };
}

function summaryView(run: RunSummary) {
  return {
    workflow_id: run.workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    workflow_version_id: run.versionId,
    workflow_uuid: run.uuid,
    status: shownRunStatus(run.status as StoredRunStatus),
    ...(run.policy !== undefined && { run_policy: run.policy }),
    initiator: parseJson(run.initiator),
    create_time: run.createTime,
    ...(run.startTime !== undefined && { start_time: run.startTime }),
    ...(run.endTime !== undefined && { end_time: run.endTime }),
    modify_time: run.modifyTime,
  };
}
