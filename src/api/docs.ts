/** The API reference as one self-contained page: no script, no style and no font from elsewhere. */
import type { OpenApiDocument } from "./openapi.ts";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: unknown;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }
    >
  >;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#0b5cad, #7cb7ff); }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 17rem 1fr; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: 13px }
nav a { display: block; padding: 1px 0; overflow-wrap: anywhere } main { padding: 1rem 2rem 6rem; max-width: 70rem; min-width: 0 }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) } h3 { margin: 2rem 0 .3rem }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { background: var(--soft); padding: .7rem; overflow: auto; border-radius: 6px }
.method { font-weight: 700; text-transform: uppercase; display: inline-block; min-width: 4rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-top: 1px solid var(--line); vertical-align: top }
summary { cursor: pointer } @media (max-width: 60rem) { body { display: block } nav { position: static; height: auto; border: 0 } }`;

const plain = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Operation>>).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const tags = (document.tags ?? []).filter((tag) => operations.some((it) => it.operation.tags?.includes(tag.name)));
  const schemas = Object.entries(document.components?.schemas ?? {});
  const sections = tags.map((tag) => ({
    ...tag,
    operations: operations.filter((it) => it.operation.tags?.includes(tag.name)),
  }));
  const navigation = sections
    .map(
      (section) =>
        `<b>${plain(section.name)}</b>${section.operations
          .map(({ operation }) => `<a href="#${operation.operationId}">${plain(operation.operationId ?? "")}</a>`)
          .join("")}<br>`,
    )
    .join("");
  const body = sections
    .map(
      (section) =>
        `<h2>${plain(section.name)}</h2><p>${plain(section.description ?? "")}</p>` +
        section.operations.map(({ path, method, operation }) => operationHtml(path, method, operation)).join(""),
    )
    .join("");
  const models = schemas.map(([name, schema]) => schemaHtml(name, schema)).join("");
  const { title, version, description } = document.info;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${plain(title)} API</title><style>${STYLE}</style></head><body><nav aria-label="Contents">${navigation}<b>schemas</b>
${schemas.map(([name]) => `<a href="#schema-${name}">${plain(name)}</a>`).join("")}</nav>
<main><h1>${plain(title)} API <small>${plain(version)}</small></h1><p>${plain(description ?? "")}
The same as a document: <a href="/openapi.json">/openapi.json</a>, or in OpenAPI 3.0 <a href="/openapi-3.0.json">/openapi-3.0.json</a>.</p>${body}<h2>schemas</h2>${models}</main></body></html>`;
}

function operationHtml(path: string, method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? [])
    .map(
      (it) =>
        `<tr><td><code>${plain(it.name)}</code></td><td>${it.in}${it.required === true ? ", required" : ""}</td>` +
        `<td>${typeHtml(it.schema)}</td><td>${plain(it.description ?? "")}</td></tr>`,
    )
    .join("");
  const bodies = contentHtml(operation.requestBody?.content);
  const responses = Object.entries(operation.responses ?? {})
    .map(
      ([status, response]) =>
        `<tr><td><code>${status}</code></td><td>${plain(response.description ?? "")}</td>` +
        `<td>${contentHtml(response.content)}</td></tr>`,
    )
    .join("");
  return `<h3 id="${operation.operationId}"><a href="#${operation.operationId}">${plain(operation.summary ?? "")}</a></h3>
<pre><span class="method">${method}</span>${plain(path)}</pre>${operation.description ? `<p>${plain(operation.description)}</p>` : ""}
${parameters === "" ? "" : `<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>${parameters}</table>`}
${bodies === "" ? "" : `<p>Body: ${bodies}</p>`}<table><tr><th>status</th><th></th><th>answer</th></tr>${responses}</table>`;
}

const contentHtml = (content: Readonly<Record<string, { readonly schema?: unknown }>> | undefined): string =>
  Object.entries(content ?? {})
    .map(([type, { schema }]) => `${typeHtml(schema)} <small>${plain(type)}</small>`)
    .join("<br>");

/** A schema in a few words, with links to the named ones. */
function typeHtml(schema: unknown): string {
  if (typeof schema !== "object" || schema === null) return "any";
  const { $ref, type, items, enum: values, anyOf, oneOf } = schema as Readonly<Record<string, unknown>>;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `<a href="#schema-${name}">${plain(name)}</a>`;
  }
  if (Array.isArray(values)) return values.map((value) => `<code>${plain(String(value))}</code>`).join(" ");
  if (type === "array") return `${typeHtml(items)}[]`;
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return options.map(typeHtml).join(" or ");
  return plain(Array.isArray(type) ? type.join(" or ") : String(type ?? "any"));
}

function schemaHtml(name: string, schema: unknown): string {
  const { description } = schema as { readonly description?: string };
  return `<h3 id="schema-${name}">${plain(name)}</h3>${description ? `<p>${plain(description)}</p>` : ""}
<details><summary>JSON Schema</summary><pre>${linked(plain(JSON.stringify(schema, null, 2)))}</pre></details>`;
}

const linked = (text: string): string =>
  text.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">#/components/schemas/$1</a>');
