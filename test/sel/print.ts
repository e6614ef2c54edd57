import type { Declaration, Expr, Literal, Statement, Tree } from "../../src/sel/ast.ts";

/** A tree as source text that parses to the same tree. */
export function printTree(tree: Tree): string {
  const imports = tree.imports.map(({ static: isStatic, path }) => `import ${isStatic ? "static " : ""}${path};`);
  return [...imports, ...tree.items.map(item)].join(" ");
}

function literal(value: Literal): string {
  switch (value.type) {
    case "NULL":
      return "null";
    case "DOUBLE":
      return value.value === Number.POSITIVE_INFINITY ? "1e999" : `${value.value}d`;
    case "STRING":
      return `'${[...value.value].map(escaped).join("")}'`;
    default:
      return String(value.value);
  }
}

function escaped(unit: string): string {
  if (unit === "'" || unit === "\\") return `\\${unit}`;
  if (unit === "\n") return "\\n";
  if (unit === "\r") return "\\r";
  return unit;
}

function list(exprs: readonly Expr[]): string {
  return exprs.map(expr).join(", ");
}

export function expr(node: Expr): string {
  switch (node.kind) {
    case "literal":
      return literal(node.literal);
    case "name":
      return node.name;
    case "group":
      return `(${expr(node.inner)})`;
    case "new":
      return `new ${node.type}(${list(node.args)})`;
    case "sized":
      return `new ${node.element}[${expr(node.size)}]`;
    case "listed":
      return `new ${node.element}[]{${list(node.items)}}`;
    case "index":
      return `${expr(node.target)}[${expr(node.index)}]`;
    case "field":
      return `${expr(node.target)}.${node.name}`;
    case "call":
      return `${expr(node.target)}.${node.name}(${list(node.args)})`;
    case "unary":
      return `${node.operators.join(" ")} ${expr(node.operand)}`;
    case "binary":
      return `${expr(node.left)} ${node.operator} ${expr(node.right)}`;
    case "ternary":
      return `${expr(node.test)} ? ${expr(node.yes)} : ${expr(node.no)}`;
    case "assign": {
      const index = node.index === undefined ? "" : `[${expr(node.index)}]`;
      return `${node.name}${index} ${node.operator} ${expr(node.value)}`;
    }
  }
}

function declaration(node: Declaration): string {
  const parts = node.declarators.map(({ name, value }) => (value === undefined ? name : `${name} = ${expr(value)}`));
  return `${node.type}${node.array ? "[]" : ""} ${parts.join(", ")}`;
}

function item(node: Statement): string {
  switch (node.kind) {
    case "declaration":
      return `${declaration(node)};`;
    case "expression":
      return `${expr(node.expr)};`;
    case "block":
      return `{ ${node.items.map(item).join(" ")} }`;
    case "if":
      return `if (${expr(node.test)}) ${item(node.yes)}${node.no === undefined ? "" : ` else ${item(node.no)}`}`;
    case "while":
      return `while (${expr(node.test)}) ${item(node.body)}`;
    case "for": {
      const init =
        node.init === undefined ? "" : node.init.kind === "declaration" ? declaration(node.init) : expr(node.init);
      const [test, step] = [node.test, node.step].map((part) => (part === undefined ? "" : expr(part)));
      return `for (${init}; ${test}; ${step}) ${item(node.body)}`;
    }
    case "break":
    case "continue":
      return `${node.kind};`;
    default:
      return `${node.kind} ${expr(node.value)};`;
  }
}

/** A tree without the things that printing changes. */
export function shape(tree: Tree): unknown {
  return JSON.parse(
    JSON.stringify({ imports: tree.imports, items: tree.items }, (key, value: unknown) => {
      if (key === "at") return undefined;
      return typeof value === "bigint" || typeof value === "number" ? String(value) : value;
    }),
  );
}
