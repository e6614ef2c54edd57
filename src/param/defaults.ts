/** The server's own params per scope and step type, and how a configuration changes them. */
import { own } from "../record.ts";
import type { CodeFields } from "./code.ts";
import { WORKFLOW_DEFAULTS } from "./derive.ts";
import { mergeInto } from "./merge.ts";
import type { ParamDefinition, ParamDefinitions, Parameter } from "./type.ts";

/** Changes to the built-in defaults: a definition replaces or adds a param, null takes it away. */
export interface DefaultOverrides {
  readonly workflow?: { readonly [name: string]: ParamDefinition | null };
  readonly step?: { readonly [name: string]: ParamDefinition | null };
  readonly dry_run?: { readonly [name: string]: ParamDefinition | null };
  /** Keyed by step type in lower case: `foreach`, `http`… */
  readonly types?: { readonly [stepType: string]: { readonly [name: string]: ParamDefinition | null } };
}

/** Defaults ready to be merged into. Build one per configuration and keep it. */
export interface DefaultCatalog {
  /** Workflow defaults that are not derived: merged into every run. */
  readonly workflow: ReadonlyMap<string, Parameter>;
  /** Built-in derived names that the configuration took away or replaced. */
  readonly omit: readonly string[];
  /** Step defaults other than the four that follow from the step's identity. */
  readonly step: ReadonlyMap<string, Parameter>;
  readonly dryRun: ReadonlyMap<string, Parameter>;
  readonly types: ReadonlyMap<string, ReadonlyMap<string, Parameter>>;
  /** Where step types have code, by type in lower case. */
  readonly code: ReadonlyMap<string, CodeFields>;
}

const reserved = { internal_mode: "RESERVED" } as const;
const optional = { internal_mode: "OPTIONAL" } as const;
const required = { internal_mode: "REQUIRED" } as const;
const provided = { internal_mode: "PROVIDED" } as const;
const onStart = { mode: "MUTABLE_ON_START" } as const;

const LOOP_PARAMS: ParamDefinition = { type: "MAP", validator: "@NotEmpty", ...onStart, ...required };
const LOOP_INDEX: ParamDefinition = { value: -1, type: "LONG", validator: "@Min(0)", ...reserved };

const optionalText: ParamDefinition = { type: "STRING", ...optional };
const optionalTexts: ParamDefinition = { type: "STRING_ARRAY", ...optional };

const KUBERNETES: ParamDefinitions = {
  app_name: { value: "maestro-job", type: "STRING", ...provided },
  cpu: optionalText,
  disk: optionalText,
  gpu: optionalText,
  memory: optionalText,
  image: { type: "STRING", ...required },
  command: optionalTexts,
  args: optionalTexts,
  env: { value: {}, type: "STRING_MAP", ...provided },
  job_deduplication_key: optionalText,
  owner_email: optionalText,
};

const PRE_STOP: ParamDefinition = {
  value: { exec: { value: { command: optionalTexts }, type: "MAP", ...optional } },
  type: "MAP",
  ...optional,
};

const OUTPUT_PATH =
  "'maestro-output_' + new DateTime(RUN_TS).withZone(DateTimeZone.forID('UTC')).toString('yyyyMMddHHmmss') + '__' + " +
  "params.getFromInstance('workflow_instance_id') + '_' + params.getFromStep('step_instance_id') + '_' + " +
  "params.getFromStep('step_instance_uuid') + '.ipynb';";

const RUN_ID =
  "params.getFromInstance('workflow_id') + '_' + params.getFromInstance('workflow_instance_id') + '_' + " +
  "params.getFromInstance('workflow_run_id') + '_' + params.getFromStep('step_id') + '_' + " +
  "params.getFromStep('step_attempt_id');";

const NOTEBOOK: ParamDefinitions = {
  init_command: { value: "", type: "STRING", ...provided },
  git_branch: optionalText,
  git_commit: optionalText,
  git_repo: optionalText,
  input_path: { type: "STRING", ...required },
  output_path: { expression: OUTPUT_PATH, type: "STRING", ...provided },
  papermill_arguments: optionalTexts,
  run_id: { expression: RUN_ID, type: "STRING", ...provided },
};

const STATE_EXPR =
  "if (status_code >= 200 && status_code < 300) return 'DONE'; " +
  "if (status_code >= 400 && status_code < 500) return 'FATAL_ERROR'; return 'USER_ERROR';";

const JSON_HEADERS = { "Content-Type": "application/json", Accept: "application/json" };

const HTTP: ParamDefinitions = {
  url: { type: "STRING", ...required },
  method: { value: "GET", type: "STRING", ...provided },
  headers: { value: JSON_HEADERS, type: "STRING_MAP", ...provided },
  body: optionalText,
};

const tagged = (name: string) => ({ tags: [{ name }] });

/** Defaults by step type, in lower case. */
const TYPE_DEFAULTS: Readonly<Record<string, ParamDefinitions>> = {
  foreach: { loop_params: LOOP_PARAMS, loop_index: LOOP_INDEX },
  while: {
    loop_params: LOOP_PARAMS,
    loop_index: LOOP_INDEX,
    condition: { value: false, type: "BOOLEAN", ...reserved },
  },
  subworkflow: {
    subworkflow_id: { type: "STRING", validator: "@NotEmpty", ...onStart, ...required },
    subworkflow_version: {
      value: "active",
      type: "STRING",
      validator: "@NotEmpty",
      ...onStart,
      internal_mode: "PROVIDED",
    },
  },
  http: {
    http: { value: HTTP, type: "MAP", ...tagged("http"), ...required },
    status_code: { value: 200, type: "LONG", ...tagged("http"), ...optional },
    response_body: { value: "", type: "STRING", ...tagged("http"), ...optional },
    state_expr: { value: STATE_EXPR, type: "STRING", ...tagged("http"), ...provided },
  },
  kubernetes: {
    kubernetes: { value: { ...KUBERNETES, pre_stop: PRE_STOP }, type: "MAP", ...tagged("kubernetes"), ...required },
  },
  notebook: {
    kubernetes: { value: KUBERNETES, type: "MAP", ...tagged("kubernetes"), internal_mode: "PROVIDED" },
    notebook: { value: NOTEBOOK, type: "MAP", ...tagged("notebook"), ...required },
  },
};

const WORKFLOW_EXTRA: ParamDefinitions = { job_template_version: { type: "STRING", ...optional } };

const DRY_RUN: ParamDefinitions = {
  FROM_DATE: { value: "20210101", type: "STRING" },
  TO_DATE: { value: "20210101", type: "STRING" },
};

type Changes = { readonly [name: string]: ParamDefinition | null } | undefined;

function layer(builtIn: ParamDefinitions, changes: Changes): ReadonlyMap<string, Parameter> {
  const all = Object.entries({ ...builtIn, ...changes }).filter(([, definition]) => definition !== null);
  const target = new Map<string, Parameter>();
  mergeInto(target, Object.fromEntries(all) as ParamDefinitions, { source: "SYSTEM_DEFAULT" });
  return target;
}

/** @throws MaestroError BAD_REQUEST for a definition that can't be a default. */
export function buildCatalog(
  overrides: DefaultOverrides = {},
  code: DefaultCatalog["code"] = new Map(),
): DefaultCatalog {
  const stepTypes = new Set([...Object.keys(TYPE_DEFAULTS), ...Object.keys(overrides.types ?? {})]);
  return {
    workflow: layer(WORKFLOW_EXTRA, overrides.workflow),
    omit: Object.keys(overrides.workflow ?? {}).filter((name) => WORKFLOW_DEFAULTS.has(name)),
    step: layer({}, overrides.step),
    dryRun: layer(DRY_RUN, overrides.dry_run),
    types: new Map(
      [...stepTypes].map((type) => [type, layer(own(TYPE_DEFAULTS, type) ?? {}, own(overrides.types, type))]),
    ),
    code,
  };
}

/** The built-in defaults. */
export const DEFAULT_CATALOG: DefaultCatalog = buildCatalog();
