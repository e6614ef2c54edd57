/**
 * Job templates: params and tags that steps of one type share, stored by name and version. Here is what a request may say,
 * what is answered, and how a step names its template.
 */
import { z } from "zod";
import { badRequest } from "../error.ts";
import { stringifyJson } from "../json.ts";
import type { ParamDefinitions } from "../param/type.ts";
import { at, collect, shown } from "./finding.ts";
import { checkDescription, checkReferenceId } from "./id.ts";
import { DEFAULT_LIMITS, type DefinitionLimits } from "./limit.ts";
import { type GitInfo, gitInfoSchema } from "./metadata.ts";
import { paramDefinitionsSchema } from "./parameter.ts";
import { parseWire } from "./parse.ts";
import { checkParams, checkTags } from "./rule/param.ts";
import { checkSecrets } from "./rule/secret.ts";
import type { UnwrappedStep } from "./step.ts";
import { closest } from "./suggest.ts";
import { type Tag, tagListSchema } from "./tag.ts";
import { type User, userSchema } from "./user.ts";
import { instant, mapOf, object, open, text } from "./wire.ts";

/** The version that counts when nobody names one. */
export const DEFAULT_TEMPLATE_VERSION = "default";

/** Of a workflow: the version of the templates whose steps do not name one. */
export const TEMPLATE_VERSION_PARAM = "job_template_version";

/** Parents that one template may name. */
const MOST_PARENTS = 50;

/** Names one template. */
export interface TemplateRef {
  readonly jobType: string;
  readonly version: string;
}

export interface JobTemplateDefinition {
  readonly job_type: string;
  /** What a step with this `sub_type` really is. */
  readonly step_type: string;
  readonly version: string;
  readonly description?: string | undefined;
  /** Join those of the step. */
  readonly tags?: readonly Tag[] | undefined;
  /** Versions of other templates, by job type: their params and tags lie below this one's. */
  readonly inherit_from?: Readonly<Record<string, string>> | undefined;
  readonly params?: ParamDefinitions | undefined;
}

/** Extra keys of the request are kept beside the known ones. */
export interface JobTemplateMetadata {
  readonly owner: User;
  readonly version_author: User;
  readonly status: string;
  readonly support: string;
  readonly test_workflows?: readonly string[] | undefined;
  readonly git_info?: GitInfo | undefined;
  /** Epoch ms. */
  readonly create_time: number;
  readonly [extra: string]: unknown;
}

export interface JobTemplate {
  readonly metadata: JobTemplateMetadata;
  readonly definition: JobTemplateDefinition;
}

const definitionSchema: z.ZodType<JobTemplateDefinition> = object({
  job_type: text.meta({ description: "The template's name, which steps give as their `sub_type`" }),
  step_type: text.meta({ description: "The step type of the steps that use it, in any case" }),
  version: text.meta({ description: "A name, such as `v1`; `default` counts when nobody names one" }),
  description: text.optional(),
  tags: tagListSchema.optional(),
  inherit_from: mapOf(text)
    .optional()
    .meta({ description: "Versions of the templates that lie below it, by job type" }),
  params: paramDefinitionsSchema.optional(),
}).meta({ id: "JobTemplateDefinition" });

const AUTHORED = {
  owner: userSchema,
  status: text,
  support: text,
  test_workflows: z.array(text).optional(),
  git_info: gitInfoSchema.optional(),
};

/** Keys of the metadata that the server writes. */
const RESERVED = ["version_author", "create_time"] as const;

const requestFields = open({ ...AUTHORED, definition: definitionSchema }).superRefine((request, context) => {
  for (const key of RESERVED) {
    if (key in request)
      context.addIssue({ code: "custom", path: [key], message: "is set by the server; leave it out" });
  }
});

export const jobTemplateCreateRequestSchema = requestFields.meta({
  id: "JobTemplateCreateRequest",
  description: "Further keys are kept in the metadata",
});

export const jobTemplateSchema: z.ZodType<JobTemplate> = object({
  metadata: open({ ...AUTHORED, version_author: userSchema, create_time: instant }).meta({ id: "JobTemplateMetadata" }),
  definition: definitionSchema,
}).meta({ id: "JobTemplate" });

const INVALID = "Invalid job template create request";

/**
 * @param author who makes this version
 * @param now epoch ms
 * @throws BAD_REQUEST with one detail per finding
 */
export function parseJobTemplate(
  json: unknown,
  author: string,
  now: number,
  limits: DefinitionLimits = DEFAULT_LIMITS,
): JobTemplate {
  const request = parseWire(requestFields, json, INVALID);
  const { definition: given, owner, status, support, test_workflows, git_info, ...extra } = request;
  const stepType = limits.stepTypes.find((type) => type.toLowerCase() === given.step_type.toLowerCase());
  const definition = { ...given, step_type: stepType ?? given.step_type };
  const findings = [...sizeProblem(request, limits), ...problemsOf(definition, stepType !== undefined, limits)];
  if (findings.length > 0) throw badRequest(INVALID, findings);
  const metadata = {
    ...{ owner, version_author: author, status, support },
    ...(test_workflows && { test_workflows }),
    ...(git_info && { git_info }),
    create_time: now,
    ...extra,
  };
  return { metadata, definition };
}

function sizeProblem(request: unknown, { requestBytes }: DefinitionLimits): readonly string[] {
  const bytes = Buffer.byteLength(stringifyJson(request));
  return bytes > requestBytes ? [`the request has ${bytes} bytes; at most ${requestBytes} are allowed`] : [];
}

function problemsOf(
  definition: JobTemplateDefinition,
  isKnownType: boolean,
  limits: DefinitionLimits,
): readonly string[] {
  const { report, lines } = collect();
  const check = (path: string, problem: string | undefined) => {
    if (problem) report(path, problem);
  };
  const { job_type, version, step_type, description, inherit_from = {} } = definition;
  check("definition.job_type", checkReferenceId(job_type, limits));
  check("definition.version", checkReferenceId(version, limits));
  if (!isKnownType) check("definition.step_type", unknownType(step_type, limits));
  if (description !== undefined) check("definition.description", checkDescription(description, limits));
  checkTags(definition.tags, "definition.tags", limits, report);
  checkParams(definition.params, "definition.params", limits, report, true);
  checkSecrets(definition.params, "definition.params", true, report);
  const parents = Object.entries(inherit_from);
  if (parents.length > MOST_PARENTS)
    check("definition.inherit_from", `has ${parents.length} templates; at most ${MOST_PARENTS} are allowed`);
  for (const [parent, parentVersion] of parents) {
    const path = at("definition.inherit_from", parent);
    check(path, checkReferenceId(parent, limits) ?? checkReferenceId(parentVersion, limits));
    if (parent === job_type && parentVersion === version) check(path, "a template cannot inherit from itself");
  }
  return lines;
}

function unknownType(type: string, { stepTypes }: DefinitionLimits): string {
  const near = closest(type, stepTypes);
  return `${shown(type)} is not a step type; ${near ? `did you mean "${near}"?` : `known are ${stepTypes.join(", ")}`}`;
}

/** How a step names its template. */
export interface TemplateUse {
  readonly jobType: string;
  /** As written, maybe with `${param}`; undefined: the workflow's param says, or the default one counts. */
  readonly version: string | undefined;
}

/** The template that a step names; undefined: none. */
export function templateOf({ kind, body }: UnwrappedStep): TemplateUse | undefined {
  if ((kind !== "step" && kind !== "template") || body.sub_type === undefined) return undefined;
  return { jobType: body.sub_type, version: body.sub_type_version };
}
