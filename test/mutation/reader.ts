/** Of what readers see of runs that steps have started. */
import { inFile, type Mutation } from "./mutation.ts";

const tree = inFile("src/store/tree.ts", "test/api/nested.test.ts");
const live = inFile("src/nested/live.ts", "test/api/nested.test.ts");
const reader = inFile("src/api/reader.ts", "test/api/nested.test.ts");
const inline = inFile("src/api/route/inline.ts", "test/api/nested.test.ts");
const flat = inFile("src/store/flatten.ts", "test/api/flatten.test.ts");
const rank = inFile("src/run/flatten.ts", "test/api/flatten.test.ts");
const flatView = inFile("src/api/route/flatten.ts", "test/api/flatten.test.ts");

export const READER_MUTATIONS: readonly Mutation[] = [
  tree(
    "iterations that the artifact counts are counted again",
    "WHERE ended.key NOT IN ('CREATED', 'IN_PROGRESS', 'PAUSED')), '{}'::int8multirange)",
    "WHERE false), '{}'::int8multirange)",
  ),
  tree(
    "an old run of an iteration counts beside the newest",
    "SELECT DISTINCT ON (r.instance_id) r.key",
    "SELECT DISTINCT ON (r.instance_id, r.run_id) r.key",
  ),
  tree(
    "a loop with iterations under way is a leaf beside them",
    "AND (run_key, step_id) NOT IN (SELECT parent_key, parent_step FROM node WHERE NOT is_root)",
    "",
  ),
  tree("every leaf of a status is named", "const MOST_NAMED = 100;", "const MOST_NAMED = 100_000;"),
  tree(
    "the last round of a while counts twice once its artifact tells of it",
    "CASE WHEN w -> 'last_overview' IS NULL THEN 0 ELSE 1 END",
    "0",
  ),
  live(
    "a subworkflow under way shows nothing of its child",
    "return { workflowId: child.subworkflow_id, instanceId: child.subworkflow_instance_id };",
    "return undefined;",
  ),
  reader(
    "the body of a loop is not named by its attempt",
    "planOf({ ...run, parentUuid }, definition, earlier)",
    "planOf(run, definition, earlier)",
  ),
  inline(
    "the body of a loop in a loop is named after the root",
    "prefix + bodyHash(hop.step_id, hop.instance_id, at.workflowId)",
    "prefix + bodyHash(hop.step_id, hop.instance_id, at.run.workflowId)",
  ),
  flat(
    "runs after the one that is asked for show through",
    "::text[])::bigint <= ${flat.runId}::bigint",
    "::text[])::bigint <= ${Number.MAX_SAFE_INTEGER}::bigint",
  ),
  flat("of an iteration the oldest run counts", "ORDER BY r.run_id DESC LIMIT 1", "ORDER BY r.run_id LIMIT 1"),
  flat(
    "a page goes on beyond its cursor's iteration of every loop",
    "THEN ${from}::bigint ELSE ${open}::bigint END",
    "THEN ${from}::bigint ELSE ${from}::bigint END",
  ),
  rank(
    "ranks are in the order of texts",
    "return `${length < 10 ? length : String.fromCharCode(55 + length)}${number}`;",
    "return `1${number}`;",
  ),
  flatView("pages backwards drop the wrong end", "found.slice(-size)).map", "found.slice(0, size)).map"),
];
