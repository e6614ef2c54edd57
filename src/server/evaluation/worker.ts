/** The evaluation thread: carries out, one after the other and with the full limits, what is too long elsewhere. */
import { toErrorData } from "../../error.ts";
import { dryRun } from "../../run/dryrun.ts";
import { type EvaluationSetting, evaluateJob } from "../../run/evaluation.ts";
import { StepTypeRegistry } from "../../runtime/registry.ts";
import { type Answer, decode, type EvaluationSetup, encode, type Question, SETUP_ID } from "./protocol.ts";
import { evaluationSetting } from "./setting.ts";

declare const self: Worker;

interface Prepared {
  readonly setting: EvaluationSetting;
  readonly types: StepTypeRegistry;
}

let prepared: Prepared | undefined;

self.onmessage = ({ data }: MessageEvent<string>): void => {
  const { id, message } = decode<Question | EvaluationSetup>(data);
  if (id === SETUP_ID) {
    const setup = message as EvaluationSetup;
    prepared = { setting: evaluationSetting(setup), types: new StepTypeRegistry(setup.plugins) };
    return;
  }
  if (prepared) self.postMessage(encode(id, answer(message as Question, prepared)));
};

function answer(question: Question, { setting, types }: Prepared): Answer {
  try {
    if (question.kind !== "dryRun") return { value: evaluateJob(question, setting) };
    dryRun(question.request, question.user, { ...setting, types, now: question.now });
    return { value: null };
  } catch (error) {
    return { error: toErrorData(error) };
  }
}
