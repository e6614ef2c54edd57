/**
 * The rules of the source tree, checked on a map of paths to texts so that a test can hand in small trees.
 * Which rules, and why: ARCHITECTURE.md.
 */
import { dirname, join } from "node:path/posix";
import { parseSync } from "oxc-parser";

export type Tree = ReadonlyMap<string, string>;

/** Folders of `src/`, from the top: each may import from itself and from those below it. Files of `src/` are leaves. */
const ORDER = [
  ...[
    "main.ts",
    "cli",
    "server",
    "ui",
    "api",
    "mcp",
    "store",
    "event",
    "trigger",
    "signal",
    "queue",
    "flow",
    "runtime",
  ],
  ...["nested", "run", "step", "dsl", "definition", "param", "sel"],
] as const;

/** No clock, no randomness, no I/O. */
const PURE = new Set(["nested", "run", "step", "dsl", "definition", "param", "sel"]);

/** Packages that only some folders may import. */
const RESERVED: readonly { readonly pattern: RegExp; readonly folders: readonly string[] }[] = [
  { pattern: /^(postgres|drizzle-orm)($|\/)/, folders: ["store"] },
  { pattern: /^(hono$|hono\/|@hono\/)/, folders: ["api", "server"] },
];

/** Time, chance and "soon" come in through the clock: a simulator holds them. */
const CLOCKED = /^src\/(flow\/|queue\/|store\/writer\/|runtime\/channel\.ts$)/;

/** Where decisions are made: nobody there keeps time, logs, or stores. */
const DECIDING = new Set(["nested", "run", "step"]);
const UNDECIDED = new Set(["src/clock.ts", "src/log.ts", "src/metric.ts"]);
/** What decides on statuses: the actors carry decisions out, and make none. */
const DECISIONS = /^src\/(step\/(attempt|outcome|retry|phase\/\w+)|run\/progress)\.ts$/;

const IMPURE_GLOBALS = new Set([
  ...["Bun", "fetch", "process", "setTimeout", "setInterval", "setImmediate", "performance", "crypto"],
]);
const SDK = "@maestro/sdk";
const MAX_LINES = 500;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Inside the project; undefined for a package. */
  readonly to: string | undefined;
}

/** @returns one line for each breach; an empty list is a sound tree. */
export function findBreaches(tree: Tree): string[] {
  const imports: Import[] = [];
  const breaches: string[] = [];
  for (const [path, text] of tree) {
    const { program, errors } = parseSync(path, text);
    if (errors.length > 0) breaches.push(`${path}: ${errors[0]?.message}`);
    const seen = readFile(path, program as unknown as Node);
    imports.push(...seen.imports);
    if (CLOCKED.test(path)) breaches.push(...seen.impurities.map((what) => `${path} uses ${what} beside the clock`));
    if (unitOf(path) === "flow") breaches.push(...seen.judged.map((what) => `${path} decides on the status ${what}`));
    if (PURE.has(unitOf(path))) breaches.push(...seen.impurities.map((what) => `${path} is pure but uses ${what}`));
    const lines = text.split("\n").length - 1;
    if (lines > MAX_LINES) breaches.push(`${path} has ${lines} lines, more than ${MAX_LINES}`);
  }
  for (const one of imports) breaches.push(...importBreaches(one));
  return [...breaches, ...findCycles(imports)];
}

/** `src/flow/group.ts` → `flow`; a file directly in `src/` is its own unit. */
function unitOf(path: string): string {
  const [top, second = ""] = path.split("/");
  return top === "src" ? second : "";
}

function rankOf(unit: string): number {
  const rank = (ORDER as readonly string[]).indexOf(unit);
  return rank === -1 && unit.endsWith(".ts") ? ORDER.length : rank;
}

function importBreaches({ from, specifier, to }: Import): string[] {
  if (from.startsWith("plugins/")) return pluginBreaches(from, specifier, to);
  if (!from.startsWith("src/")) return [];
  const breaches: string[] = [];
  const unit = unitOf(from);
  if (rankOf(unit) === -1) breaches.push(`${from}: the folder src/${unit} has no place in the order`);
  for (const { pattern, folders } of RESERVED) {
    if (pattern.test(specifier) && !folders.includes(unit)) {
      breaches.push(`${from} imports ${specifier}, which only src/${folders.join(" and src/")} may`);
    }
  }
  if (PURE.has(unit) && /^(node:|bun($|:))/.test(specifier)) breaches.push(`${from} is pure but imports ${specifier}`);
  if (DECIDING.has(unit) && UNDECIDED.has(to ?? "")) breaches.push(`${from} only decides but imports ${to}`);
  if (unit === "flow" && DECISIONS.test(to ?? "")) breaches.push(`${from} carries decisions out but imports ${to}`);
  const isOtherPlugin = specifier.startsWith("@maestro/") && specifier !== SDK && !specifier.startsWith(`${SDK}/`);
  if (isOtherPlugin || to?.startsWith("plugins/")) breaches.push(`${from} names the plugin ${specifier}`);
  if (
    to?.startsWith("src/") &&
    unitOf(to) !== unit &&
    rankOf(unitOf(to)) <= rankOf(unit) &&
    !areLeaves(unit, unitOf(to))
  )
    breaches.push(`${from} imports ${to}: src/${unitOf(to)} is above src/${unit}`);
  if (to?.startsWith("test/") || to?.startsWith("scripts/")) breaches.push(`${from} imports ${to}`);
  return breaches;
}

function areLeaves(one: string, other: string): boolean {
  return rankOf(one) === ORDER.length && rankOf(other) === ORDER.length;
}

function pluginBreaches(from: string, specifier: string, to: string | undefined): string[] {
  const folder = from.split("/").slice(0, 2).join("/");
  if (to?.startsWith(`${folder}/`)) return [];
  if (specifier === SDK || specifier.startsWith(`${SDK}/`) || /^(node:|bun($|:))/.test(specifier)) return [];
  // The contract is written with zod's schemas.
  if (folder === "plugins/sdk" && /^zod($|\/)/.test(specifier)) return [];
  return [`${from} imports ${specifier}: a plugin imports ${SDK} only`];
}

/** Every way in which a file can refer to another, types included, and what a pure one must not touch. */
function readFile(path: string, program: Node): { imports: Import[]; impurities: string[]; judged: string[] } {
  const imports: Import[] = [];
  const judged: string[] = [];
  const impurities: string[] = [];
  const add = (specifier: string | undefined): void => {
    if (specifier === undefined) return;
    const to = specifier.startsWith(".") ? join(dirname(path), specifier) : undefined;
    imports.push({ from: path, specifier, to });
  };
  walk(program, (node) => {
    if (node.type === "ImportDeclaration" || node.type.startsWith("Export")) add(literal(node.source));
    if (node.type === "ImportExpression" || node.type === "TSImportType") add(literal(node.source));
    if (node.type === "TSExternalModuleReference") add(literal(node.expression));
    if (isCallOf(node, "require")) add(literal((node.arguments as Node[])[0]));
    const impurity = impurityOf(node);
    if (impurity) impurities.push(impurity);
    const status = judgedStatus(node);
    if (status) judged.push(status);
  });
  return { imports, impurities, judged };
}

/** A status that is compared with one that the code names. */
function judgedStatus(node: Node): string | undefined {
  if (node.type === "SwitchStatement" && isStatus(node.discriminant)) return "in a switch";
  if (node.type !== "BinaryExpression") return undefined;
  const [left, right] = [node.left, node.right];
  return (isStatus(left) ? literal(right) : undefined) ?? (isStatus(right) ? literal(left) : undefined);
}

function isStatus(value: unknown): boolean {
  const node = value as Node;
  return nameOf(node) === "status" || (node.type === "MemberExpression" && nameOf(node.property) === "status");
}

function impurityOf(node: Node): string | undefined {
  if (node.type === "NewExpression" && nameOf(node.callee) === "Date" && (node.arguments as Node[]).length === 0)
    return "new Date()";
  if (node.type === "CallExpression" && IMPURE_GLOBALS.has(nameOf(node.callee) ?? "")) {
    return `${nameOf(node.callee)}()`;
  }
  if (node.type !== "MemberExpression") return undefined;
  const object = nameOf(node.object) ?? "";
  const property = nameOf(node.property) ?? "";
  if (
    IMPURE_GLOBALS.has(object) ||
    `${object}.${property}` === "Date.now" ||
    `${object}.${property}` === "Math.random"
  ) {
    return `${object}.${property}`;
  }
  return undefined;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (typeof value === "object" && value !== null) {
    const node = value as Node;
    if (typeof node.type === "string") visit(node);
    for (const key in node) walk(node[key], visit);
  }
}

function literal(value: unknown): string | undefined {
  const node = value as Node | null | undefined;
  if (node?.type === "TSLiteralType") return literal(node.literal);
  return typeof node?.value === "string" ? (node.value as string) : undefined;
}

function nameOf(value: unknown): string | undefined {
  const node = value as Node | null | undefined;
  return node?.type === "Identifier" ? (node.name as string) : undefined;
}

function isCallOf(node: Node, name: string): boolean {
  return node.type === "CallExpression" && nameOf(node.callee) === name;
}

/** Each cycle once, from its first file in the order of the tree. */
function findCycles(imports: readonly Import[]): string[] {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (to !== undefined && to !== from) graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      cycles.push(`import cycle: ${[...path.slice(at), file].join(" → ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}
