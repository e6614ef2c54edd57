/** An example for each operation of the API document. A test holds each against the schemas of its operation. */
interface Example {
  readonly request?: unknown;
  readonly reply?: unknown;
}

const TIME = 1_790_000_000_000;
const UUID = "0b8a5b0e-4f1c-4c5e-9a51-5f1e6a3f9d10";
/** Of a loop's body. */
const BODY = "maestro_foreach_3_11_7f5cbd2b2f7e3ad4f2d3a8c6b1e09f42";

const workflow = {
  id: "etl",
  params: { day: { type: "LONG", value: 20260301 } },
  steps: [
    { step: { id: "extract", type: "NoOp", transition: { successors: { load: "day > 0" } } } },
    { step: { id: "load", type: "NoOp", transition: {} } },
  ],
};
const strategy = { rule: "PARALLEL", workflow_concurrency: 20 };
const snapshot = {
  workflow_id: "etl",
  create_time: TIME,
  author: "ann",
  owner: "ann",
  run_strategy: strategy,
  tags: [{ name: "nightly" }],
};
const definition = {
  properties_snapshot: snapshot,
  metadata: { workflow_id: "etl", workflow_version_id: 1, create_time: TIME, version_author: "ann" },
  workflow,
  is_active: true,
  activate_time: TIME,
  activated_by: "ann",
  is_latest: true,
  is_default: true,
  modify_time: TIME,
};
const push = { properties: { owner: "ann", run_strategy: "PARALLEL" }, workflow };
const log = (message: string) => ({ timestamp: TIME, type: "LOG", level: "INFO", message });
const breakpoint = { workflow_id: "etl", step_id: "load", create_time: TIME, created_by: "ann" };
const page = <T>(element: T) => ({
  page_info: { start_cursor: "1", end_cursor: "1", has_previous_page: false, has_next_page: false, start_index: 1 },
  total_count: 1,
  elements: [element],
});
const template = {
  metadata: { owner: "ann", version_author: "ann", status: "PROD", support: "#data", create_time: TIME },
  definition: {
    job_type: "polite-sleep",
    step_type: "Sleep",
    version: "v1",
    description: "A short nap",
    tags: [{ name: "warehouse" }],
    inherit_from: { nap: "default" },
    params: { sleep_seconds: { type: "LONG", value: 1, internal_mode: "PROVIDED" } },
  },
};
const templateRequest = { owner: "ann", status: "PROD", support: "#data", definition: template.definition };
const run = {
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  workflow_uuid: UUID,
  correlation_id: UUID,
  workflow_version_id: 1,
  group_info: 64,
  run_config: { policy: "START_FRESH_NEW_RUN" },
  run_params: {},
  run_properties: { create_time: TIME, owner: "ann" },
  runtime_workflow: workflow,
  runtime_dag: { extract: { successors: { load: "day > 0" } }, load: { predecessors: ["extract"] } },
  params: { day: { type: "LONG", value: 20260301, evaluated_result: 20260301, evaluated_time: TIME } },
  initiator: { type: "MANUAL", depth: 0, user: "ann" },
  status: "SUCCEEDED",
  request_time: TIME,
  create_time: TIME,
  start_time: TIME + 2,
  end_time: TIME + 9,
  modify_time: TIME + 9,
  timeline: [log("Manually run a new workflow instance by a user [ann]")],
};
const attempt = {
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  step_id: "extract",
  step_attempt_id: 1,
  workflow_uuid: UUID,
  step_uuid: "7b3f1f0c-7f0e-4d7e-8a55-0a4a5a3f7c21",
  correlation_id: UUID,
  step_instance_id: 1,
  workflow_version_id: 1,
  group_info: 64,
  owner: "ann",
  definition: workflow.steps[0],
  tags: [],
  params: {},
  transition: {
    successors: { load: { type: "BOOLEAN", expression: "day > 0", evaluated_result: true, evaluated_time: TIME } },
  },
  step_retry: {
    error_retries: 0,
    error_retry_limit: 2,
    platform_retries: 0,
    platform_retry_limit: 10,
    timeout_retries: 0,
    timeout_retry_limit: 0,
    manual_retries: 0,
    retryable: true,
    backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 60 },
  },
  runtime_state: { status: "SUCCEEDED", create_time: TIME + 3, end_time: TIME + 5 },
};
const summary = {
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  workflow_version_id: 1,
  workflow_uuid: UUID,
  status: "SUCCEEDED",
  initiator: run.initiator,
  create_time: TIME,
  modify_time: TIME + 9,
};
const iteration = {
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  step_id: "load",
  iteration_rank: "12-13",
  step_attempt_seq: "11-11-11-11-11-11",
  leaf_step_instance_ref: {
    workflow_id: BODY,
    workflow_instance_id: 3,
    workflow_run_id: 1,
    step_id: "load",
    step_attempt_id: 1,
  },
  loop_params: { table: "orders" },
  step_runtime_state: { status: "FATALLY_FAILED", create_time: TIME + 3, end_time: TIME + 5 },
};
const stepAction = (action: string, status: string) => ({
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  step_id: "load",
  step_attempt_id: 1,
  step_runtime_state: { status, create_time: TIME, end_time: TIME, modify_time: TIME },
  timeline_event: log(`User [ann] take action [${action}] on the step`),
});

const instanceAction = (info: string, status: string) => ({
  workflow_id: "etl",
  workflow_instance_id: 1,
  workflow_run_id: 1,
  workflow_instance_status: status,
  completed: false,
  info,
  timeline_event: { timestamp: TIME, type: "ACTION", action: "STOP", author: "ann" },
});
const versionAction = (version: number) => ({
  workflow_id: "etl",
  workflow_version_id: version,
  timeline_event: log(`User [ann] changed the active version to [${version}]`),
});
const pauseAction = (action: "PAUSE" | "RESUME") => ({
  workflow_id: "etl",
  workflow_version_id: 1,
  timeline_event: { timestamp: TIME, type: "ACTION", action, author: "ann" },
});
const restarted = {
  workflow_id: "etl",
  workflow_version_id: 1,
  workflow_instance_id: 1,
  workflow_run_id: 2,
  status: "CREATED",
  timeline_event: log("User [ann] restarts the workflow instance: a new run is made"),
};
const stopping = instanceAction("User [ann] asks to STOP the run", "IN_PROGRESS");
const killing = instanceAction("User [ann] asks to KILL the run", "IN_PROGRESS");

const letter = {
  id: 7,
  topic: "dequeue",
  key: "etl",
  error: 'new row for relation "run" violates check constraint',
  attempts: 1,
  create_time: TIME,
  dead_time: TIME + 1,
};

/** By operation id. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  createWorkflow: { request: push, reply: { workflow_definition: definition } },
  validateWorkflow: {
    request: push,
    reply: { timestamp: TIME, type: "ACTION", action: "VALIDATE", author: "ann", message: "[etl] is valid" },
  },
  deleteWorkflow: { reply: log("User [ann] deleted workflow [etl]") },
  listWorkflows: {
    reply: {
      elements: [{ workflow_id: "etl", owner: "ann", latest_version_id: 1, create_time: TIME, modify_time: TIME }],
      next_cursor: "etl",
    },
  },
  listWorkflowVersions: { reply: page(definition) },
  getWorkflowVersion: { reply: definition },
  getWorkflowOverview: {
    reply: {
      workflow_id: "etl",
      active_version_id: 1,
      latest_version_id: 1,
      default_version_id: 1,
      properties_snapshot: snapshot,
      nonterminal_instances: { CREATED: 0, IN_PROGRESS: 1, PAUSED: 0 },
      failed_instances: 0,
      latest_instance_id: 1,
    },
  },
  getWorkflowTimeline: {
    reply: { workflow_id: "etl", timeline_events: [{ author: "ann", log: "Created workflow [etl]", timestamp: TIME }] },
  },
  getWorkflowProperties: { reply: snapshot },
  updateWorkflowProperties: { request: { run_strategy: "SEQUENTIAL" }, reply: snapshot },
  putWorkflowTag: { request: { name: "nightly" }, reply: snapshot },
  deleteWorkflowTag: { reply: snapshot },
  activateWorkflowVersion: { reply: versionAction(1) },
  deactivateWorkflow: { reply: versionAction(0) },
  pauseWorkflow: { reply: pauseAction("PAUSE") },
  resumeWorkflow: { reply: pauseAction("RESUME") },
  startRun: {
    request: {
      initiator: { type: "manual" },
      request_id: UUID,
      run_params: { day: { type: "LONG", value: 20260302 } },
    },
    reply: {
      workflow_id: "etl",
      workflow_version_id: 1,
      workflow_instance_id: 1,
      workflow_run_id: 1,
      workflow_uuid: UUID,
      status: "CREATED",
      timeline_event: log("Manually run a new workflow instance by a user [ann]"),
    },
  },
  stopWorkflow: { reply: log("User [ann] asks to STOP all runs of workflow [etl]") },
  killWorkflow: { reply: log("User [ann] asks to KILL all runs of workflow [etl]") },
  stopInstance: { reply: stopping },
  killInstance: { reply: killing },
  stopRun: { reply: stopping },
  killRun: { reply: killing },
  unblockWorkflow: { reply: log("Unblocked [1] runs of workflow [etl]") },
  unblockInstance: { reply: instanceAction("Unblocked", "FAILED") },
  unblockRun: { reply: instanceAction("Unblocked", "FAILED") },
  getRun: { reply: run },
  getInstance: { reply: run },
  listInstanceRuns: { reply: page(run) },
  listInstances: { reply: page(run) },
  listRuns: { reply: { elements: [summary] } },
  getRunActions: {
    reply: {
      CREATED: ["STOP", "KILL"],
      IN_PROGRESS: ["STOP", "KILL"],
      PAUSED: ["STOP", "KILL"],
      TIMED_OUT: ["RESTART"],
      STOPPED: ["RESTART"],
      FAILED: ["RESTART", "UNBLOCK"],
      SUCCEEDED: ["RESTART"],
    },
  },
  getInlineWorkflowId: { reply: BODY },
  findInlineWorkflowId: {
    request: [
      { workflow_id: "etl", instance_id: 1, step_id: "each_table" },
      { instance_id: 2, step_id: "each_column" },
    ],
    reply: BODY,
  },
  getInlinePath: {
    reply: [
      { workflow_id: "etl", instance_id: 1, run_id: 1, step_id: "each_table", step_attempt_id: 1 },
      { workflow_id: BODY, instance_id: 2, run_id: 0, step_attempt_id: 0 },
    ],
  },
  listStepIterations: { reply: page(iteration) },
  getStepIteration: { reply: iteration },
  getStepIterationsSummary: {
    reply: {
      representative_iteration: iteration,
      count_by_status: { SUCCEEDED: 11, FATALLY_FAILED: 1 },
      loop_param_values: { table: ["orders", "items"] },
    },
  },
  listInstanceSteps: { reply: [attempt] },
  listRunSteps: { reply: [attempt] },
  getInstanceStep: { reply: attempt },
  getStepAttempt: { reply: attempt },
  stopStep: { reply: stepAction("STOP", "STOPPED") },
  bypassStep: { reply: stepAction("BYPASS_STEP_DEPENDENCIES", "EVALUATING_PARAMS") },
  killStep: { reply: stepAction("KILL", "FATALLY_FAILED") },
  skipStep: { reply: stepAction("SKIP", "SKIPPED") },
  succeedStep: {
    request: { outputs: { rows: { type: "LONG", value: 100 } } },
    reply: stepAction("SUCCEED", "SUCCEEDED"),
  },
  restartInstance: {
    request: {
      restart_policy: "RESTART_FROM_INCOMPLETE",
      request_id: UUID,
      run_params: { day: { type: "LONG", value: 20260302 } },
    },
    reply: { ...restarted, workflow_uuid: UUID },
  },
  restartStep: {
    request: {
      restart_policy: "RESTART_FROM_INCOMPLETE",
      step_run_params: { rows: { type: "LONG", value: 100 } },
    },
    reply: restarted,
  },
  createBreakpoint: { request: { workflow_id: "etl", step_id: "load" }, reply: breakpoint },
  deleteBreakpoint: {
    reply: {
      workflow_id: "etl",
      step_id: "load",
      timeline_event: log("StepBreakpoint has been removed by the user [ann]. Total of [1] steps have been resumed"),
    },
  },
  listBreakpoints: { reply: [breakpoint] },
  listPausedAttempts: {
    reply: [
      {
        workflow_id: "etl",
        workflow_version_id: 1,
        workflow_instance_id: 1,
        workflow_run_id: 1,
        step_id: "load",
        step_attempt_id: 1,
        create_time: TIME + 3,
      },
    ],
  },
  resumeAttempt: {
    reply: {
      workflow_id: "etl",
      workflow_instance_id: 1,
      workflow_run_id: 1,
      step_id: "load",
      step_attempt_id: 1,
      timeline_event: log("User [ann] resumed the paused attempt [etl][1][1][load][1]"),
    },
  },
  putOutputData: {
    request: {
      params: { rows: { type: "LONG", value: 1200 }, day: "2026-03-01" },
      artifacts: { maestro_retry: { type: "RETRY", retryable: false } },
    },
  },
  getStepActions: { reply: { UNSATISFIED: ["RESTART"] } },
  putTagPermit: { request: { tag: "warehouse", max_allowed: 3, why: "its connections" } },
  getTagPermit: {
    reply: {
      tag: "warehouse",
      max_allowed: 3,
      timeline: [log("User [ann] created the tag permit with limit [3]")],
      why: "its connections",
    },
  },
  putJobTemplate: { request: templateRequest, reply: template },
  putJobTemplateYaml: { request: templateRequest, reply: template },
  getJobTemplate: { reply: template },
  listJobTemplates: { reply: [template] },
  deleteJobTemplate: { reply: "Removed [2] job template versions for job type: [polite-sleep]" },
  deleteTagPermit: {},
  listTagPermits: {
    reply: {
      elements: [{ tag: "warehouse", max_allowed: 3, held: 3, waiting: 12, create_time: TIME, modify_time: TIME }],
    },
  },
  listPermitSteps: {
    reply: {
      total_count: 1,
      elements: [
        {
          workflow_id: "etl",
          workflow_instance_id: 1,
          workflow_run_id: 1,
          step_id: "load",
          step_attempt_id: 1,
          step_uuid: UUID,
          state: "HELD",
          wait_time: TIME,
          grant_time: TIME + 4,
        },
      ],
    },
  },
  getStepLogs: { reply: "20 orders read\n" },
  listDeadLetters: { reply: { elements: [letter], next_cursor: "7" } },
  getDeadLetter: { reply: { ...letter, payload: { n: 1 } } },
  deleteDeadLetter: { reply: letter },
  replayDeadLetter: { reply: { replayed: 1 } },
  replayDeadLetters: { reply: { replayed: 12 } },
  getLiveness: { reply: { status: "ok" } },
  getReadiness: { reply: { status: "ok" } },
  getMetrics: { reply: 'maestro_http_responses_total{status="200"} 1\n' },
  getVersion: { reply: { version: "1.0.0" } },
  listStepTypes: { reply: [{ type: "NoOp", runnable: true }] },
  getOpenApi: { reply: { openapi: "3.1.0" } },
  getEarlierOpenApi: { reply: { openapi: "3.0.3" } },
  getDocs: { reply: "<!doctype html>" },
};
