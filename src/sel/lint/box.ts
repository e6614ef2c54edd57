/** Rules about boxes: names that share one, and literals that keep what was added to them. */
import type { Expr } from "../ast.ts";
import { type Assigned, bare, type Declared, type Facts, isRepeated, isWithin, rootOf, type Scope } from "./fact.ts";
import type { Report } from "./rule.ts";

/** A declared literal is the literal's own box: in a loop it goes on with what it has become. */
export function sharedLiteral({ uses }: Facts, report: Report): void {
  for (const use of uses) {
    if (use.kind !== "declare" || !use.value || !isRepeated(use.scope)) continue;
    if (!ends(use.value).some((end) => end.kind === "literal")) continue;
    const { name } = use;
    const changes = uses.some(
      (it) => it.kind === "assign" && it.name === name && !it.node.index && isRepeated(it.scope),
    );
    if (!changes) continue;
    report(
      use.at,
      `${name} begins with its literal's value in the first round only: afterwards with what it was changed to`,
      `write "${name} = …" without a type, or make a new value, such as "0 + 0"`,
    );
  }
}

/** `int y = x` makes two names for one value; so do elements of arrays and entries of maps. */
export function alias({ uses }: Facts, report: Report): void {
  const assigned = uses.filter((it): it is Assigned => it.kind === "assign");
  for (const use of uses) {
    if (use.kind !== "declare" || !use.value) continue;
    for (const end of ends(use.value)) {
      const source = sourceOf(end);
      if (source === undefined || source === "params") continue;
      const change = assigned.find((it) => follows(it, use) && touches(it, use.name, end, source));
      if (!change) continue;
      const other = end.kind === "name" ? source : `what it was taken from in ${source}`;
      report(
        use.at,
        `${use.name} is another name for ${other}: assigning to ${change.name} later changes both`,
        `write "${use.name} = …" without a type to copy the value`,
      );
      break;
    }
  }
}

/** `m.put('k', x)` stores x itself, not its present value. */
export function storedBox({ uses, exprs }: Facts, report: Report): void {
  for (const { expr, order } of exprs) {
    const value = expr.kind === "call" && expr.name === "put" && expr.args[1] ? bare(expr.args[1]) : undefined;
    if (value?.kind !== "name") continue;
    const { name } = value;
    const read = uses.find((it) => it.at === value.at);
    const change = uses.find(
      (it) =>
        it.kind === "assign" &&
        it.name === name &&
        !it.node.index &&
        (it.order > order || sharesLoop(it.scope, read?.scope)),
    );
    if (!change) continue;
    report(
      expr.at,
      `the map holds ${name} itself, so assigning to ${name} changes the entry`,
      `put a new value, such as "${name} + 0" or "${name} + ''"`,
    );
  }
}

/** What a value may turn out to be. */
function ends(value: Expr): readonly Expr[] {
  const inner = bare(value);
  return inner.kind === "ternary" ? [...ends(inner.yes), ...ends(inner.no)] : [inner];
}

/** The variable whose box, or a part of it, an expression hands out. */
function sourceOf(end: Expr): string | undefined {
  switch (end.kind) {
    case "name":
      return end.name;
    case "assign":
      return end.name;
    case "index":
      return rootOf(end);
    case "call":
      return end.name === "get" ? rootOf(end) : undefined;
    default:
      return undefined;
  }
}

function touches(change: Assigned, name: string, end: Expr, source: string): boolean {
  const whole = change.node.index === undefined;
  if (change.name === name) return whole;
  // A name shares the box itself, an element only what is in it.
  return change.name === source && whole === (end.kind === "name" || end.kind === "assign");
}

const follows = (later: Assigned, use: Declared): boolean =>
  later.order > use.order || sharesLoop(later.scope, use.scope);

function sharesLoop(a: Scope, b: Scope | undefined): boolean {
  for (let at = b; at; at = at.parent) if (at.repeated && isWithin(a, at)) return true;
  return false;
}
