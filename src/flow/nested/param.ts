/** The params of a loop's iterations: what its step and its run pass down, and what is the iteration's own. */
import type { UpstreamInitiator } from "../../definition/initiator.ts";
import { type LoopParam, literalOf } from "../../nested/loop.ts";
import { toDefinition } from "../../param/definition.ts";
import type { WorkflowParams } from "../../param/scope.ts";
import type { ParamDefinitions, Parameter, Params } from "../../param/type.ts";
import { own } from "../../record.ts";
import type { Run, RunConfig } from "../../run/model.ts";
import { restartParamsOf } from "../../run/restart.ts";
import type { Place } from "./place.ts";

export interface IterationParams {
  readonly runParams: ParamDefinitions;
  readonly params: WorkflowParams;
}

/** Of an iteration that is made again. */
interface Again {
  readonly previous: Run;
  readonly config: Pick<RunConfig, "policy" | "restart_config">;
}

export class LoopParams {
  readonly #place: Place;
  readonly #type: "FOREACH" | "WHILE";
  readonly #workflowId: string;
  readonly #initiator: UpstreamInitiator;
  /** What its run passes down. */
  readonly #inherited: ParamDefinitions;
  /** What every iteration is given alike. */
  readonly #passed: ParamDefinitions;
  /** Evaluated once, where nothing but literals is passed down. */
  #pattern: WorkflowParams | undefined;

  /** @param workflowId of the iterations */
  constructor(place: Place, type: "FOREACH" | "WHILE", workflowId: string, initiator: UpstreamInitiator) {
    this.#place = place;
    this.#type = type;
    this.#workflowId = workflowId;
    this.#initiator = initiator;
    this.#inherited = inheritedOf(place.run.params);
    this.#passed = passedBy(place);
  }

  /** @param index from 0 @throws MaestroError, Deferred */
  of(index: number, values: readonly LoopParam[], again?: Again): IterationParams {
    const given: LoopParam[] = [...values, { name: "loop_index", type: "LONG", result: index }];
    if (this.#type === "WHILE") given.push({ name: "condition", type: "BOOLEAN", result: true });
    const literals = Object.fromEntries(given.map(({ name, type, result }) => [name, literalOf(type, result)]));
    const runParams = { ...this.#inherited, ...this.#passed, ...literals };
    if (this.#pattern && !again) return { runParams, params: withValues(this.#pattern, given) };
    const { run, attempt, engine } = this.#place;
    const params = engine.evaluation.childParams({
      ...{ id: `${attempt.uuid} ${index}`, workflowId: this.#workflowId, parent: run, initiator: this.#initiator },
      policy: again?.config.policy ?? "START_FRESH_NEW_RUN",
      restart: again && {
        previous: again.previous.params,
        restartParams: restartParamsOf(again.config.restart_config),
      },
      runParams: { ...this.#passed, ...literals },
      now: engine.clock.now(),
    });
    if (!again && Object.values<Parameter>(params.params).every(isLiteral)) this.#pattern = params;
    return { runParams, params };
  }
}

/** What nobody can tell from a param's result has to be evaluated for each iteration. */
const isLiteral = ({ expression, mode }: Parameter): boolean => expression === undefined && mode !== "IMMUTABLE";

function withValues({ params, ...rest }: WorkflowParams, values: readonly LoopParam[]): WorkflowParams {
  const changed = values.map(({ name, type, result }): [string, Parameter] => {
    const param = own(params, name) as Parameter;
    return [name, { ...param, value: literalOf(type, result).value, evaluated_result: result } as Parameter];
  });
  return { ...rest, params: { ...params, ...Object.fromEntries(changed) } };
}

/** The params that the step's definition has, as they were evaluated; but for those that say how it loops. */
function passedBy({ node, attempt }: Place): ParamDefinitions {
  const written = Object.keys(node.body.params ?? {}).filter((name) => name !== "loop_params");
  return definitionsOf(attempt.params, written);
}

/** The run's own params, without the untouched system defaults: these follow from the run's. */
export const inheritedOf = ({ params }: WorkflowParams): ParamDefinitions =>
  definitionsOf(
    params,
    Object.keys(params).filter((name) => name !== "owner" && name !== "workflow_id"),
  );

function definitionsOf(params: Params, names: readonly string[]): ParamDefinitions {
  const entries = names.flatMap((name) => {
    const param = own(params, name);
    return param === undefined ? [] : [[name, toDefinition(param)] as const];
  });
  return Object.fromEntries(entries);
}
