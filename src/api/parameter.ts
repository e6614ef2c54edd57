/**
 * Parameters of paths, queries and headers as data: what reads one is what the API document says of it, so that a bound or
 * a list of values stands once. Values are refused before an endpoint's handler begins.
 */
import { z } from "zod";
import { isStorable } from "../definition/storable.ts";
import { badRequest } from "../error.ts";
import { Problem } from "./error.ts";
import { MAX_USER } from "./limit.ts";

const MAX_ID = 512;

export interface Parameter<T> {
  /** For the document, and what `read` holds a value against. */
  readonly schema: z.ZodType;
  readonly description: string;
  /** @throws BAD_REQUEST or {@link Problem} 400 */
  read(name: string, text: string): T;
}

export interface QueryParameter<T> extends Parameter<T> {
  /** The value of one that is absent, or empty. */
  readonly otherwise: T;
  /** One that is absent, or empty, is refused. */
  readonly isRequired?: boolean;
}

export type Query = Readonly<Record<string, QueryParameter<unknown>>>;

export type QueryValues<Q extends Query> = { readonly [K in keyof Q]: Q[K]["otherwise"] };

type PathValues = { readonly [K in PathName]: ReturnType<(typeof PATH)[K]["read"]> };

/** What a parameter of a path reads into. */
export type PathValue<N extends PathName> = PathValues[N];

/** A safe integer; undefined for anything else. */
export function integerOf(text: string): number | undefined {
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

const invalid = (name: string, text: string, right: string) =>
  badRequest(`Invalid query parameter [${name}]: [${text}]`, [`${name}: ${right}`]);

/** An optional text. */
export const text = (description: string): QueryParameter<string | undefined> => ({
  schema: z.string(),
  description,
  otherwise: undefined,
  read(name, value) {
    if (!isStorable(value)) throw badRequest(`Invalid query parameter [${name}]`, [`${name}: holds a NUL`]);
    return value;
  },
});

/** A text that must be given. */
export const needed = (description: string): QueryParameter<string> => ({
  schema: z.string().min(1),
  description,
  otherwise: "",
  isRequired: true,
  read: (name, value) => text(description).read(name, value) ?? "",
});

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "no", "off"].map((word) => [word, false] as const),
]);

/** `true` or `false`, as Java, Python or a person writes it. */
export const flag = (otherwise: boolean, description: string): QueryParameter<boolean> => ({
  schema: z.boolean(),
  description,
  otherwise,
  read(name, value) {
    const known = FLAGS.get(value.toLowerCase());
    if (known !== undefined) return known;
    throw new Problem(400, `Failed to convert '${name}' with value '${value.toLowerCase()}' to a boolean.`);
  },
});

/** Of a map of actions. */
export const allActions = { all: flag(false, "Also the actions that upstream does not have") };

/** Both ends included. */
interface Bounds {
  readonly min: number;
  /** By default what a JS number holds exactly. */
  readonly max?: number;
}

/** An integer within bounds. @param otherwise by default one that is absent is undefined */
export function integer(description: string, bounds: Bounds): QueryParameter<number | undefined>;
export function integer(description: string, bounds: Bounds, otherwise: number): QueryParameter<number>;
export function integer(
  description: string,
  { min, max = Number.MAX_SAFE_INTEGER }: Bounds,
  otherwise?: number,
): QueryParameter<number | undefined> {
  const schema = z.int().min(min).max(max);
  return {
    schema,
    description,
    otherwise,
    read(name, value) {
      const { data } = schema.safeParse(integerOf(value));
      if (data === undefined) throw invalid(name, value, `must be a number from ${min} to ${max}`);
      return data;
    },
  };
}

/** One of some words, written as they are. */
export function choice<const V extends string>(
  description: string,
  values: readonly V[],
): QueryParameter<V | undefined> {
  const schema = z.enum(values as unknown as [V, ...V[]]);
  return {
    schema,
    description,
    otherwise: undefined,
    read(name, value) {
      const { data } = schema.safeParse(value);
      if (data === undefined) throw invalid(name, value, `must be ${values.join(" or ")}`);
      return data;
    },
  };
}

/** Any of some words, in any case, separated by commas: a text in the document, since clients write lists in many ways. */
export function words<const V extends string>(description: string, values: readonly V[]): QueryParameter<readonly V[]> {
  const schema = z.enum(values as unknown as [V, ...V[]]);
  return {
    schema: z.string(),
    description: `${description}, separated by commas: of ${values.join(", ")}`,
    otherwise: [],
    read(name, value) {
      const found = value.split(",").map((it) => it.trim().toUpperCase());
      return found
        .filter((it) => it !== "")
        .map((word) => {
          const { data } = schema.safeParse(word);
          if (data === undefined) throw invalid(name, word, `must be of ${values.join(", ")}`);
          return data;
        });
    },
  };
}

/** @throws BAD_REQUEST when no stored id can look like it */
function id(description: string): Parameter<string> {
  const schema = z.string().min(1).max(MAX_ID);
  return {
    schema,
    description,
    read(name, value) {
      if (schema.safeParse(value).success && isStorable(value)) return value;
      throw badRequest(`The path has no usable ${name}`, [
        `${name}: 1 to ${MAX_ID} characters, percent-encoded as UTF-8, without NUL`,
      ]);
    },
  };
}

const number = (description: string): Parameter<number> => ({
  schema: z.int(),
  description,
  read(name, value) {
    const read = integerOf(value);
    if (read === undefined) throw new Problem(400, `Failed to convert '${name}' with value '${value}' to a number.`);
    return read;
  },
});

/** 0 is the latest, too. */
function numberOrLatest(description: string): Parameter<number | "latest"> {
  const schema = z.string().regex(/^([0-9]{1,15}|[Ll][Aa][Tt][Ee][Ss][Tt])$/);
  return {
    schema,
    description,
    read(name, value) {
      if (!schema.safeParse(value).success) {
        throw badRequest(`Invalid ${name} [${value}]`, [`${name}: must be a number or "latest"`]);
      }
      return Number(value) || "latest";
    },
  };
}

/** The word `latest`, in any case. */
function latest(description: string): Parameter<"latest"> {
  const schema = z.enum(["latest"]);
  return {
    schema,
    description,
    read(name, value) {
      const { data } = schema.safeParse(value.toLowerCase());
      if (data === undefined) throw badRequest(`Invalid properties snapshot [${value}]`, [`${name}: must be latest`]);
      return data;
    },
  };
}

/** What paths may have between braces, the same in all of them. */
export const PATH = {
  workflowId: id("The workflow's id"),
  instanceId: number("The instance's number within the workflow, from 1"),
  runId: number("The run's number within the instance, from 1"),
  run: numberOrLatest("The run's number within the instance, or `latest`"),
  version: id("A version: its number, `active`, `latest` or `default`"),
  stepId: id("The step's id in the definition"),
  attempt: numberOrLatest("The attempt's number at the step, or `latest`"),
  iterationId: id("The iteration: the ids of the iterations from the outermost loop in, joined by -, as in 344-3-23"),
  snapshotId: latest("Which snapshot: only the latest is kept"),
  tagName: id("The tag's name"),
  letterId: number("The dead letter's number"),
  tag: id("The tag's name"),
  jobType: id("The job template's name"),
} as const;

export type PathName = keyof typeof PATH;

/** The names between a path's braces, in their order. @throws Error for one that {@link PATH} does not have */
export function pathNames(path: string): readonly PathName[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => {
    if (!Object.hasOwn(PATH, name)) throw new Error(`the path ${path} has a parameter that is not described: ${name}`);
    return name as PathName;
  });
}

/**
 * @param given the text of one, empty or undefined when it is absent
 * @throws BAD_REQUEST or {@link Problem} 400
 */
export function readQuery<Q extends Query>(query: Q, given: (name: string) => string | undefined): QueryValues<Q> {
  const values = Object.entries(query).map(([name, parameter]) => {
    const value = given(name) ?? "";
    if (value !== "") return [name, parameter.read(name, value)];
    if (parameter.isRequired === true) throw new Problem(400, `Required parameter '${name}' is not present.`);
    return [name, parameter.otherwise];
  });
  return Object.fromEntries(values) as QueryValues<Q>;
}

const userSchema = z.string().min(1).max(MAX_USER);

/** The header `user`. */
export const USER: Parameter<string> = {
  schema: userSchema,
  description: "Who asks",
  read(name, value) {
    const user = value.trim();
    if (userSchema.safeParse(user).success) return user;
    if (user !== "") throw badRequest(`The header ${name} is longer than ${MAX_USER} characters`);
    throw badRequest("the user name cannot be null", [`send the caller's name in the header ${name}`]);
  },
};
