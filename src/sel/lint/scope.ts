/** Rules about names: one scope for all blocks, params that are not seen, and names that are taken. */
import { isStatic } from "../library/class.ts";
import { type Declared, type Facts, isWithin, type Use, within } from "./fact.ts";
import type { Report } from "./rule.ts";

/** A variable of a block lives on after it. */
export function blockScope({ uses }: Facts, report: Report): void {
  const told = new Set<string>();
  const declared: Declared[] = [];
  for (const use of uses) {
    if (use.kind === "declare") {
      declared.push(use);
      continue;
    }
    const last = declared.findLast((it) => it.name === use.name);
    if (!last || told.has(use.name) || isWithin(use.scope, last.scope)) continue;
    told.add(use.name);
    const outer = declared.some((it) => it.name === use.name && isWithin(use.scope, it.scope));
    const what = outer
      ? "is the one of an inner block, which replaced the outer one"
      : "was declared in a block and outlives it";
    report(use.at, `${use.name} ${what}: there is no block scope`, "declare it where it is used, or take another name");
  }
}

/** A param is handed in only if the first thing done with its name is to read it. */
export function unseenParam({ uses }: Facts, report: Report): void {
  const seen = new Set<string>();
  for (const use of uses) {
    if (seen.has(use.name)) continue;
    seen.add(use.name);
    const declares =
      use.kind === "read" && uses.some((it) => it.kind === "declare" && it.name === use.name && has(it, use));
    if (!declares && (use.kind !== "assign" || !readsItself(use))) continue;
    report(
      use.at,
      `${use.name} is a variable of the program from the start, so a param of that name is not seen: it is null here`,
      `read it as params.get('${use.name}'), or use another name for the result`,
    );
  }
}

/** Whether a name is read in the value of its own declaration. */
function has({ value }: Declared, read: Use): boolean {
  if (value) for (const part of within(value)) if (part.at === read.at) return true;
  return false;
}

function readsItself({ node, name }: Extract<Use, { kind: "assign" }>): boolean {
  if (node.operator !== "=") return true;
  for (const part of within(node.value)) if (part.kind === "name" && part.name === name) return true;
  return false;
}

/** Names of classes are ordinary variables. */
export function builtinName({ uses }: Facts, report: Report): void {
  for (const use of uses) {
    if (use.kind === "read" || !(isStatic(use.name) || use.name === "params")) continue;
    report(use.at, `${use.name} is a built-in name: from here on it means this value`, "take another name");
  }
}
