/** The nodes of a YAML document: the JSON that they stand for, and where a path of it is written. */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { type Json, MAX_DEPTH, parseJson } from "../../json.ts";
import { at, type Segment } from "../finding.ts";
import { elementSchema, isTextDeclared, memberSchema, type Schema } from "./declared.ts";

/** Offsets in UTF-16 units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export interface TreeProblem extends TextRange {
  /** JSON path; empty for the document. */
  readonly path: string;
  readonly message: string;
}

interface Member {
  readonly key: Node;
  readonly value: Node | null;
  /** It comes from another mapping by `<<`. */
  readonly isMerged: boolean;
}

/** Values that all aliases and merges of a document together may stand for. */
const MAX_ALIASED = 100_000;
const MAX_PROBLEMS = 100;

/** Ends the look at a document, or the making of its value: enough is wrong with it. */
class Enough extends Error {}

export class YamlTree {
  readonly #root: Node | null;
  readonly #problems: TreeProblem[] = [];
  readonly #targets = new Map<Alias, Node>();
  /** Anchored nodes that an alias within them stands for. */
  readonly #circular = new Set<Node>();
  readonly #members = new Map<YAMLMap, ReadonlyMap<string, Member>>();
  #aliased = 0;

  /** @param placeOf how a problem names another place of the text */
  constructor(
    root: Node | null,
    readonly placeOf: (offset: number) => string,
  ) {
    this.#root = root;
    this.#untilEnough(() => this.#look(root, "", 1, new Map()));
  }

  /** Of what was looked at so far: grows while values are made. At most 100. */
  get problems(): readonly TreeProblem[] {
    return this.#problems;
  }

  /** The value; worth something only without problems. @param schema tells where texts are declared */
  toJson(schema: Schema | undefined): Json {
    if (this.#problems.length > 0) return null;
    return this.#untilEnough(() => this.#convert(this.#root, schema, "", 1, false)) ?? null;
  }

  /**
   * Where the path, or the nearest thing around it that is there, is written: a scalar itself, an object or a list by
   * its key.
   * @param byKey a member by its key, whatever its value is
   */
  find(path: readonly Segment[], byKey: boolean): TextRange {
    let node = this.#root;
    let key: Node | undefined;
    for (const segment of path) {
      const around = this.#resolve(node);
      if (isMap(around)) {
        const member = this.#membersOf(around).get(String(segment));
        if (member === undefined) break;
        ({ key, value: node } = member);
      } else if (isSeq(around) && typeof segment === "number" && segment < around.items.length) {
        node = around.items[segment] as Node;
        key = undefined;
      } else break;
    }
    const value = node === null ? undefined : rangeOf(node);
    const isShown = value !== undefined && !isMap(node) && !isSeq(node) && value.end > value.start;
    if (isShown && !(byKey && key !== undefined)) return value;
    if (key !== undefined) return rangeOf(key);
    return { start: value?.start ?? 0, end: (value?.start ?? 0) + 1 };
  }

  #untilEnough<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof Enough) return undefined;
      throw error;
    }
  }

  /** @throws Enough when there are too many */
  #report(path: string, node: Node, message: string): void {
    this.#problems.push({ path, ...rangeOf(node), message });
    if (this.#problems.length >= MAX_PROBLEMS) throw new Enough();
  }

  /** In the order of the text, so that an alias finds the anchor that stands before it. */
  #look(node: Node | null, path: string, depth: number, anchors: Map<string, Node>): void {
    if (node === null) return;
    if (depth > MAX_DEPTH) return this.#report(path, node, `nested deeper than ${MAX_DEPTH} levels`);
    if (isAlias(node)) return this.#lookAlias(node, path, anchors);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, node);
    if (isMap(node)) this.#lookMap(node as YAMLMap<Node, Node | null>, path, depth, anchors);
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) this.#look(item as Node, at(path, index), depth + 1, anchors);
    }
  }

  #lookAlias(alias: Alias, path: string, anchors: ReadonlyMap<string, Node>): void {
    const target = anchors.get(alias.source);
    if (target === undefined) {
      this.#report(path, alias, `there is no anchor &${alias.source} before this alias`);
    } else if (rangeOf(target).start <= rangeOf(alias).start && rangeOf(alias).start < rangeOf(target).end) {
      if (!this.#circular.has(target))
        this.#report(path, alias, `this alias stands inside its own anchor &${alias.source}`);
      this.#circular.add(target);
    } else this.#targets.set(alias, target);
  }

  #lookMap(map: YAMLMap<Node, Node | null>, path: string, depth: number, anchors: Map<string, Node>): void {
    const first = new Map<string, Node>();
    for (const pair of map.items) {
      this.#look(pair.key, path, depth + 1, anchors);
      const key = this.#keyOf(pair);
      const where = at(path, key ?? "");
      if (key === undefined) this.#report(path, pair.key, "a key must be a text, and in quotes when it is empty");
      else if (first.has(key)) {
        const other = this.placeOf(rangeOf(first.get(key) as Node).start);
        this.#report(where, pair.key, `this key stands in ${other} too; keep one of them`);
      } else first.set(key, pair.key);
      this.#look(pair.value, where, depth + 1, anchors);
      const isLost = isAlias(pair.value) && !this.#targets.has(pair.value);
      if (isMerge(pair) && !isLost && this.#merged(pair) === undefined) {
        this.#report(where, pair.key, 'merges a mapping, or a list of mappings; write "<<" for a key of that name');
      }
    }
  }

  #keyOf({ key }: Pair<Node, Node | null>): string | undefined {
    const node = this.#resolve(key);
    if (!isScalar(node)) return undefined;
    if (node.type !== "PLAIN") return String(node.value);
    return node.source === "" ? undefined : node.source;
  }

  /** The mappings that a `<<` brings, the first one first; undefined when it brings something else. */
  #merged({ value }: Pair<Node, Node | null>): readonly YAMLMap[] | undefined {
    const node = this.#resolve(value);
    const all = isSeq(node) ? node.items.map((it) => this.#resolve(it as Node)) : [node];
    return all.every((it) => isMap(it)) ? all : undefined;
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  /** A mapping's own members win over those that `<<` brings, wherever it stands. */
  #membersOf(map: YAMLMap): ReadonlyMap<string, Member> {
    const known = this.#members.get(map);
    if (known !== undefined) return known;
    const members = new Map<string, Member>();
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      if (isMerge(pair)) {
        const brought = (this.#merged(pair) ?? []).flatMap((it) => [...this.#membersOf(it)]);
        this.#count(brought.length, pair.key);
        for (const [text, member] of brought) {
          if (!members.has(text)) members.set(text, { ...member, isMerged: true });
        }
      } else members.set(this.#keyOf(pair) ?? "", { key: pair.key, value: pair.value, isMerged: false });
    }
    this.#members.set(map, members);
    return members;
  }

  /** @throws Enough beyond the bound */
  #count(values: number, node: Node): void {
    this.#aliased += values;
    if (this.#aliased <= MAX_ALIASED) return;
    this.#report("", node, `the aliases of the file stand for more than ${MAX_ALIASED} values; write less of them`);
    throw new Enough();
  }

  #convert(node: Node | null, schema: Schema | undefined, path: string, depth: number, isAliased: boolean): Json {
    if (node === null) return null;
    if (isAliased) this.#count(1, node);
    if (depth > MAX_DEPTH) {
      this.#report(path, node, `nested deeper than ${MAX_DEPTH} levels`);
      return null;
    }
    if (isAlias(node)) return this.#convert(this.#resolve(node), schema, path, depth, true);
    if (isScalar(node)) return this.#scalar(node, schema, path);
    if (isSeq(node)) {
      const element = elementSchema(schema);
      return node.items.map((it, index) => this.#convert(it as Node, element, at(path, index), depth + 1, isAliased));
    }
    const members = [...this.#membersOf(node as YAMLMap)];
    const type = this.#resolve(members.find(([key]) => key === "type")?.[1].value ?? null);
    const kind = isScalar(type) ? String(type.value) : undefined;
    return Object.fromEntries(
      members.map(([key, { value, isMerged }]) => {
        const declared = memberSchema(schema, key, kind);
        return [key, this.#convert(value, declared, at(path, key), depth + 1, isAliased || isMerged)];
      }),
    );
  }

  #scalar(node: Scalar, schema: Schema | undefined, path: string): Json {
    const { value, source = "" } = node;
    if (value === null || typeof value === "string") return value;
    if (node.type === "PLAIN" && node.tag === undefined && isTextDeclared(schema)) return source;
    if (typeof value === "boolean") return value;
    const number = numberOf(source);
    if (number === undefined) this.#report(path, node, `${source} is not a number that JSON can hold`);
    return number ?? null;
  }
}

const isMerge = ({ key }: Pair<Node, Node | null>): boolean =>
  isScalar(key) && key.type === "PLAIN" && key.source === "<<";

function rangeOf({ range }: Node): TextRange {
  const [start, end] = range ?? [0, 1];
  return { start, end };
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const INTEGER = /^(?:[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const FLOAT = /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/;

/** A number of YAML as JSON has it, with all its digits; undefined for infinity and what is not a number. */
function numberOf(source: string): Json | undefined {
  if (JSON_NUMBER.test(source)) return parseJson(source);
  if (INTEGER.test(source)) return parseJson(BigInt(source).toString());
  const [, sign, whole, fraction, exponent] = FLOAT.exec(source) ?? [];
  if (whole === undefined) return undefined;
  const digits = `${BigInt(whole)}.${fraction || "0"}${exponent === undefined ? "" : `e${exponent}`}`;
  return parseJson(`${sign === "-" ? "-" : ""}${digits}`);
}
