/** The API document as a contract: what it says of a request or a reply, by JSON Schema. */
import Ajv, { type ValidateFunction } from "ajv/dist/2020";

export interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description?: string;
  readonly schema: {
    readonly type?: string;
    readonly minimum?: number;
    readonly maximum?: number;
    readonly pattern?: string;
    readonly enum?: readonly string[];
    readonly maxLength?: number;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}

export interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export class Contract {
  readonly document: Document;
  readonly operations: readonly (Operation & { readonly path: string; readonly method: string })[];
  readonly #ajv = new Ajv({ strict: false, validateFormats: false });
  readonly #compiled = new Map<string, ValidateFunction>();

  /** @param document parsed JSON */
  constructor(document: unknown) {
    this.document = document as Document;
    this.operations = Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
    this.#ajv.addSchema(document as object, "document");
  }

  /** What is wrong with a value by a schema of the document; undefined when nothing is. */
  wrong(schema: object, value: unknown): string | undefined {
    const text = JSON.stringify(schema).replaceAll("#/components/", "document#/components/");
    const validate = this.#compiled.get(text) ?? this.#ajv.compile(JSON.parse(text) as object);
    this.#compiled.set(text, validate);
    if (validate(value)) return undefined;
    const [first] = validate.errors ?? [];
    return `${first?.instancePath} ${first?.message} ${JSON.stringify(first?.params)}`;
  }

  /** @param path may have a query */
  find(method: string, path: string): Operation | undefined {
    const [bare = ""] = path.split("?");
    const fitting = this.operations.filter((it) => it.method === method.toLowerCase() && matches(it.path, bare));
    // The path with the most literal segments.
    return fitting.sort((a, b) => a.path.split("{").length - b.path.split("{").length)[0];
  }

  /** What is wrong with a JSON reply; undefined for one that fits, or of a path that the document does not have. */
  reply(method: string, path: string, status: number, type: string, body: unknown): string | undefined {
    const operation = this.find(method, path);
    if (operation === undefined) return undefined;
    const contents = operation.responses[status]?.content;
    if (contents === undefined) return `${operation.operationId}: the document has no status ${status}`;
    const [media = ""] = type.split(";");
    const content = contents[media];
    if (content === undefined) return `${operation.operationId}: the document has no ${media} under ${status}`;
    const problem = this.wrong(content.schema, body);
    return problem === undefined ? undefined : `${operation.operationId} ${status}: ${problem}`;
  }
}

export const only = (content: Readonly<Record<string, Content>> | undefined): Content | undefined =>
  Object.values(content ?? {})[0];

const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/\{\w+\}/g, "[^/]+")}$`).test(path);
