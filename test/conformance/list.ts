/**
 * The recorded conversations with upstream's server that this one holds the same way: paths below `golden/`. The list
 * only ever grows.
 */
export const CONVERSATIONS: readonly string[] = [
  "actions/kill-run.json",
  "actions/restart-beginning.json",
  "actions/restart-from-child.json",
  "actions/restart-incomplete.json",
  "actions/restart-iteration-step.json",
  "actions/restart-step-live.json",
  // `actions/restart-step.json` is not here: we differ on purpose. What an earlier restart gave for a step holds on in later
  // ones, where upstream forgets it, so that the step fails again at the end of that conversation.
  "actions/skip.json",
  "actions/step-stop-kill.json",
  "actions/stop-run.json",
  "actions/stop-tree.json",

  "control/breakpoint-skip.json",
  "control/breakpoints.json",
  "control/job-templates.json",
  "control/tag-permits.json",

  "dag/failure-modes.json",
  "dag/internal-failure.json",
  "dag/joins.json",
  "dag/retries.json",
  "dag/sample-1.json",
  "dag/sample-2.json",
  "dag/sample-3.json",
  "dag/sample-4.json",
  "dag/sample-6.json",
  "dag/sample-conditional.json",
  // We differ on purpose: a step's timeout fires on time, where upstream notices it at its next poll. No conversation
  // compares times.
  "dag/timeouts.json",

  "definitions/create-and-read.json",
  "definitions/delete.json",
  "definitions/every-step-kind.json",
  "definitions/properties.json",
  "definitions/samples.json",
  // We differ on purpose: time triggers may be closer than two minutes. The conversation doesn't try.
  "definitions/triggers.json",
  "definitions/validate.json",
  "definitions/versions-and-activation.json",

  // We differ on purpose: `GET /api/v3/workflows` lists workflows, where upstream answers 405. The conversation doesn't
  // ask.
  "errors/http.json",
  // We differ on purpose: loops without steps or params, empty conditions and the like are refused at the push, and a
  // definition may have 1,000 steps. The conversation doesn't try.
  "errors/refused-definitions.json",

  "instances/pages.json",
  "instances/reads.json",

  "loops/foreach-cross-product.json",
  "loops/foreach-failure-and-restart.json",
  "loops/nested.json",
  "loops/sample-foreach.json",
  "loops/sample-nested-foreach.json",
  "loops/sample-nested-subworkflow.json",
  "loops/sample-subworkflow.json",
  "loops/sample-while.json",
  "loops/subworkflow.json",
  "loops/while-corners.json",

  "params/every-type.json",
  "params/merge-modes.json",
  "params/references.json",
  "params/server-defaults.json",

  "start/options.json",
  "start/refusals.json",

  "strategies/first-only.json",
  "strategies/last-only.json",
  "strategies/parallel.json",
  "strategies/sequential.json",
  "strategies/serial-latest-only.json",
  "strategies/strict-sequential.json",
  "strategies/strict-switch.json",
];
