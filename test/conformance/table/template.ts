/** Rules of job templates and of steps that have their type from one. */
import { type Row, shown } from "./row.ts";

export const TEMPLATE_ROWS: readonly Row[] = [
  shown(
    "6.7",
    "parents first, later ones over them; workflow params of the same name; the step's own",
    "template: params lie over each other: parents, template, the workflow's of the same name, the step's",
  ),
  shown(
    "6.7",
    "version: the step's, the workflow's param, default",
    "template: the version is the step's, else the workflow's param, else default",
  ),
  shown(
    "6.7",
    "a change counts at once, where upstream's counts after a minute; a missing template is ignored",
    "template: a change counts for what begins after its answer; one that is gone adds nothing",
  ),
  shown("6.7", "tags join the step's", "template: its tags are the step's, for permits too"),
  shown(
    "6.7",
    "the step types are the same; no cycle",
    "template: one for steps of another type, or a cycle, is an error",
  ),
  shown(
    "6.5",
    "template steps (decision 28)",
    "step template: has its type, params and tags from the job template",
    "step template: its own params lie over the template's, in loops too",
    "step template: params that only the template has are put out, and changed by a restart",
    "step template: one that does not exist is refused at the push, and ends the step when it is gone",
  ),
];
