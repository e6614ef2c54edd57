/** The part of a node that evaluates what would hold up other threads, and main's own way of asking it. */
import type { Logger } from "../../log.ts";
import type { PluginType } from "../../runtime/type.ts";
import type { Config } from "../config.ts";
import type { Part } from "../part.ts";
import { EvaluationClient } from "./client.ts";
import { EvaluationHost } from "./host.ts";
import type { EvaluationSetup } from "./protocol.ts";
import { evaluationSetup } from "./setting.ts";

export interface EvaluationThreads extends Part {
  readonly setup: EvaluationSetup;
  /** Of main. */
  readonly client: EvaluationClient;
  /** @param text of another thread's client @param answer is given the text for that client */
  ask(text: string, answer: (text: string) => void): void;
}

/** How much longer than an expression's time limit the evaluation thread may be silent, ms. */
const GRACE = 30_000;

export function startEvaluation(config: Config, log: Logger, plugins: readonly PluginType[]): EvaluationThreads {
  const setup = evaluationSetup(config, plugins);
  const host = new EvaluationHost({
    setup,
    stuckAfter: config.sel.timeoutMs + GRACE,
    onRestart: () => log.error("the evaluation thread was stuck and has been replaced"),
  });
  const client: EvaluationClient = new EvaluationClient((text) => host.ask(text, (answer) => client.receive(answer)));
  return {
    setup,
    client,
    ask: (text, answer) => host.ask(text, answer),
    stop: () => host.stop(),
  };
}
