/** All scenarios by their names, each a file's. */
import { ACTION } from "./scenario/action.ts";
import { BREAKPOINT } from "./scenario/breakpoint.ts";
import { CONDITION } from "./scenario/condition.ts";
import { FAILURE } from "./scenario/failure.ts";
import { FETCH } from "./scenario/fetch.ts";
import { FOREACH } from "./scenario/foreach.ts";
import { GRAPH } from "./scenario/graph.ts";
import { INSTANCE } from "./scenario/instance.ts";
import { LIVE } from "./scenario/live.ts";
import { MIXED } from "./scenario/mixed.ts";
import { NESTED } from "./scenario/nested.ts";
import { PARAM } from "./scenario/param.ts";
import { PAUSE } from "./scenario/pause.ts";
import { PERMIT } from "./scenario/permit.ts";
import { RELOOP } from "./scenario/reloop.ts";
import { REPORT } from "./scenario/report.ts";
import { RERUN } from "./scenario/rerun.ts";
import { RESTART } from "./scenario/restart.ts";
import { RETRY } from "./scenario/retry.ts";
import { SCRIPT } from "./scenario/script.ts";
import { STRATEGY } from "./scenario/strategy.ts";
import { SUBWORKFLOW } from "./scenario/subworkflow.ts";
import { SUCCEED } from "./scenario/succeed.ts";
import { TEMPLATE } from "./scenario/template.ts";
import { TIMEOUT } from "./scenario/timeout.ts";
import { TREE } from "./scenario/tree.ts";
import { VIEW } from "./scenario/view.ts";
import { WHILE } from "./scenario/while.ts";

export type Scenarios = Readonly<Record<string, () => Promise<void>>>;

export const SCENARIOS = {
  ...GRAPH,
  ...CONDITION,
  ...FAILURE,
  ...RETRY,
  ...SCRIPT,
  ...REPORT,
  ...TIMEOUT,
  ...ACTION,
  ...INSTANCE,
  ...STRATEGY,
  ...PARAM,
  ...VIEW,
  ...FOREACH,
  ...WHILE,
  ...SUBWORKFLOW,
  ...NESTED,
  ...MIXED,
  ...PAUSE,
  ...RESTART,
  ...RERUN,
  ...RELOOP,
  ...TREE,
  ...LIVE,
  ...BREAKPOINT,
  ...PERMIT,
  ...TEMPLATE,
  ...FETCH,
  ...SUCCEED,
} satisfies Scenarios;
