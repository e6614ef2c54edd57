// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parts of sources
/** Of job templates: which one counts, what a step has from it, and that nobody goes by an old one. */
import { inFile, type Mutation } from "./mutation.ts";

const rule = inFile("src/run/template.ts", "test/run/template.test.ts");
const memory = inFile("src/flow/template.ts", "test/flow/template.test.ts");
const store = inFile("src/store/template.ts", "test/store/template.test.ts");
const route = inFile("src/api/route/template.ts", "test/api/template.test.ts");
const node = inFile("src/step/node.ts", "test/run/template.test.ts");
const task = inFile("src/flow/task.ts", "test/simulation/template.test.ts");

export const TEMPLATE_MUTATIONS: readonly Mutation[] = [
  rule("a template lies below its parents", "order.push(found);", "order.unshift(found);"),
  rule("a cycle of templates has no end", "if (path.includes(key))", "if (path.length < 0)"),
  rule(
    "a template may have as many below it as it likes",
    "if (count <= MOST_INHERITED) return;",
    "if (count > 0) return;",
  ),
  rule("a step without a type does without a template", "if (node.typed) return undefined;", "return undefined;"),
  rule("the workflow's version of templates counts for nobody", 'typeof given === "string" && given !== ""', "false"),
  memory("templates are remembered when they have changed", "this.#known.clear();", ""),
  memory("what was read before a change is remembered", "if (reading === this.#reading)", ""),
  memory("an error of a template is for ever", "this.#known.delete(key);", ""),
  store("a lineage has no end of characters", "WHEN chars <= ${MOST_CHARS}", "WHEN chars > 0 OR ${MOST_CHARS} > 0"),
  route(
    "nobody is told of a stored template",
    "await putTemplate(sql, template);\n  await engine.templatesChanged();",
    "await putTemplate(sql, template);",
  ),
  route("templates may make a cycle", "if (!below) return;", "return;"),
  node("the tags of a template are lost", "const added = template?.tags ?? [];", "const added: readonly Tag[] = [];"),
  task(
    "an adopted attempt has forgotten its template",
    "return this.#nodeWith(this.attempt.template);",
    "return this.#made.node;",
  ),
];
