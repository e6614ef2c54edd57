/** The syntax tree. Every node knows where it starts; operators and calls know where the operator stands. */
import type { Position } from "./error.ts";

export type Literal =
  | { readonly type: "LONG"; readonly value: bigint }
  | { readonly type: "DOUBLE"; readonly value: number }
  | { readonly type: "STRING"; readonly value: string }
  | { readonly type: "BOOLEAN"; readonly value: boolean }
  | { readonly type: "NULL" };

export type UnaryOperator = "-" | "+" | "!";
export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "<" | ">" | "<=" | ">=" | "==" | "!=" | "&&" | "||";
export type AssignOperator = "=" | "*=" | "/=" | "%=" | "+=" | "-=";

export interface Assign {
  readonly kind: "assign";
  readonly at: Position;
  readonly name: string;
  readonly index: Expr | undefined;
  readonly operator: AssignOperator;
  readonly value: Expr;
}

export interface Binary {
  readonly kind: "binary";
  readonly at: Position;
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
}

export type Expr =
  | { readonly kind: "literal"; readonly at: Position; readonly literal: Literal }
  | { readonly kind: "name"; readonly at: Position; readonly name: string }
  | { readonly kind: "group"; readonly at: Position; readonly inner: Expr }
  | { readonly kind: "new"; readonly at: Position; readonly type: string; readonly args: readonly Expr[] }
  | { readonly kind: "sized"; readonly at: Position; readonly element: string; readonly size: Expr }
  | { readonly kind: "listed"; readonly at: Position; readonly element: string; readonly items: readonly Expr[] }
  | { readonly kind: "index"; readonly at: Position; readonly target: Expr; readonly index: Expr }
  | { readonly kind: "field"; readonly at: Position; readonly target: Expr; readonly name: string }
  | {
      readonly kind: "call";
      readonly at: Position;
      readonly target: Expr;
      readonly name: string;
      readonly args: readonly Expr[];
    }
  /** `operators` from the outside in: one node for a whole chain, however long. */
  | {
      readonly kind: "unary";
      readonly at: Position;
      readonly operators: readonly UnaryOperator[];
      readonly operand: Expr;
    }
  | Binary
  | {
      readonly kind: "ternary";
      readonly at: Position;
      readonly test: Expr;
      readonly yes: Expr;
      readonly no: Expr;
    }
  | Assign;

export interface Declarator {
  readonly at: Position;
  readonly name: string;
  readonly value: Expr | undefined;
}

export interface Declaration {
  readonly kind: "declaration";
  readonly at: Position;
  readonly type: string;
  readonly array: boolean;
  readonly declarators: readonly Declarator[];
}

export type Statement =
  | Declaration
  | { readonly kind: "expression"; readonly at: Position; readonly expr: Expr }
  | { readonly kind: "block"; readonly at: Position; readonly items: readonly Statement[] }
  | {
      readonly kind: "if";
      readonly at: Position;
      readonly test: Expr;
      readonly yes: Statement;
      readonly no: Statement | undefined;
    }
  | { readonly kind: "while"; readonly at: Position; readonly test: Expr; readonly body: Statement }
  | {
      readonly kind: "for";
      readonly at: Position;
      readonly init: Declaration | Expr | undefined;
      readonly test: Expr | undefined;
      readonly step: Expr | undefined;
      readonly body: Statement;
    }
  | { readonly kind: "break" | "continue"; readonly at: Position }
  | { readonly kind: "return" | "throw"; readonly at: Position; readonly value: Expr };

/** An import has no effect; it is kept so that a tree prints back as it was read. */
export interface Import {
  readonly static: boolean;
  readonly path: string;
}

/** A parsed program. Immutable and shared between evaluations. */
export interface Tree {
  /** The text that was parsed, after sanitizing. */
  readonly text: string;
  readonly imports: readonly Import[];
  readonly items: readonly Statement[];
  /** Estimated bytes of the literals and of field and method names, which count before anything runs. */
  readonly memory: number;
}
