/** Definitions as users write them in JSON, in few words: `sleep("b", 1, to("d"), { failure_mode: "IGNORE_FAILURE" })`. */

/** A param, a step or a part of one, as JSON. */
export interface Part {
  readonly [field: string]: unknown;
}

export interface Params {
  readonly [name: string]: Part;
}

export const long = (value: number): Part => ({ type: "LONG", value });
export const text = (value: string): Part => ({ type: "STRING", value });
export const boolean = (value: boolean): Part => ({ type: "BOOLEAN", value });
export const longs = (...value: number[]): Part => ({ type: "LONG_ARRAY", value });
export const texts = (...value: string[]): Part => ({ type: "STRING_ARRAY", value });
export const map = (value: Params): Part => ({ type: "MAP", value });
export const computed = (type: string, expression: string): Part => ({ type, expression });

/** Edges to steps that follow whatever happens. */
export const to = (...ids: readonly string[]): Part => when(Object.fromEntries(ids.map((id) => [id, "true"])));
/** Edges with their conditions. */
export const when = (successors: Readonly<Record<string, string>>): Part => ({ transition: { successors } });
export const having = (params: Params): Part => ({ params });

/** Puts parts together; params of several parts are one set. */
function step(wrapper: string, id: string, parts: readonly Part[]): Part {
  const params = Object.assign({}, ...parts.map((part) => part.params));
  return { [wrapper]: Object.assign({ id }, ...parts, Object.keys(params).length > 0 ? { params } : {}) };
}

/** Succeeds at once. */
export const noop = (id: string, ...parts: readonly Part[]): Part => step("step", id, [{ type: "NoOp" }, ...parts]);

/** @param seconds a number, or a param of type LONG */
export const sleep = (id: string, seconds: number | Part, ...parts: readonly Part[]): Part => {
  const param = typeof seconds === "number" ? long(seconds) : seconds;
  return step("step", id, [{ type: "Sleep", params: { sleep_seconds: param } }, ...parts]);
};

/** Fails fatally: a call that no server allows. */
export const fatal = (id: string, ...parts: readonly Part[]): Part => {
  const http = map({ url: text("http://127.0.0.1:9/none") });
  const retry_policy = { error_retry_limit: 0, platform_retry_limit: 0 };
  return step("step", id, [{ type: "Http", retry_policy, params: { http } }, ...parts]);
};

/** Fails internally while the workflow's param `ok` is 0. */
export const fragile = (id: string, ...parts: readonly Part[]): Part =>
  noop(id, { params: { quotient: computed("LONG", "1 / ok") } }, ...parts);

/** Of the step type `shell`, which not every server has. */
export const shell = (id: string, script: string, ...parts: readonly Part[]): Part =>
  step("step", id, [{ type: "shell", params: { shell: map({ script: text(script) }) } }, ...parts]);

export const foreach = (id: string, over: Params, steps: readonly Part[], ...parts: readonly Part[]): Part =>
  step("foreach", id, [{ params: { loop_params: map(over) }, steps }, ...parts]);

export const repeat = (
  id: string,
  condition: string,
  values: Params,
  steps: readonly Part[],
  ...parts: readonly Part[]
): Part => step("while", id, [{ condition, params: { loop_params: map(values) }, steps }, ...parts]);

/** @param child an id, or a param that gives it */
export const subworkflow = (id: string, child: string | Part, ...parts: readonly Part[]): Part => {
  const param = typeof child === "string" ? text(child) : child;
  return step("subworkflow", id, [{ params: { subworkflow_id: param } }, ...parts]);
};

/** Tried again so many times for each kind of failure, after so many seconds. */
export const retried = (limits: Readonly<Record<"error" | "platform" | "timeout", number>>, seconds = 1): Part => ({
  retry_policy: {
    error_retry_limit: limits.error,
    platform_retry_limit: limits.platform,
    timeout_retry_limit: limits.timeout,
    backoff: {
      type: "FIXED_BACKOFF",
      error_retry_backoff_in_secs: seconds,
      platform_retry_backoff_in_secs: seconds,
      timeout_retry_backoff_in_secs: seconds,
    },
  },
});
