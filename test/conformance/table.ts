/** The rules of upstream's state tables and checklist that hold here, in the order of the scenarios. */

import { ACTION_ROWS } from "./table/action.ts";
import { BREAKPOINT_ROWS } from "./table/breakpoint.ts";
import { FOREACH_ROWS } from "./table/foreach.ts";
import { INSTANCE_ROWS } from "./table/instance.ts";
import { LIVE_ROWS } from "./table/live.ts";
import { PARAM_ROWS } from "./table/param.ts";
import { PERMIT_ROWS } from "./table/permit.ts";
import { RELOOP_ROWS } from "./table/reloop.ts";
import { RESTART_ROWS } from "./table/restart.ts";
import type { Row } from "./table/row.ts";
import { STEP_ROWS } from "./table/step.ts";
import { STRATEGY_ROWS } from "./table/strategy.ts";
import { SUBWORKFLOW_ROWS } from "./table/subworkflow.ts";
import { TEMPLATE_ROWS } from "./table/template.ts";
import { WHILE_ROWS } from "./table/while.ts";

export const TABLE: readonly Row[] = [
  ...INSTANCE_ROWS,
  ...STEP_ROWS,
  ...ACTION_ROWS,
  ...STRATEGY_ROWS,
  ...PARAM_ROWS,
  ...FOREACH_ROWS,
  ...WHILE_ROWS,
  ...SUBWORKFLOW_ROWS,
  ...RESTART_ROWS,
  ...BREAKPOINT_ROWS,
  ...PERMIT_ROWS,
  ...TEMPLATE_ROWS,
  ...RELOOP_ROWS,
  ...LIVE_ROWS,
];
