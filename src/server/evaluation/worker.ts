/** The evaluation thread: carries out, one after the other and with the full limits, what is too long elsewhere. */
import { readlinkSync } from "node:fs";
import os from "node:os";
import { basename } from "node:path";
import { toErrorData } from "../../error.ts";
import { dryRunDefinition } from "../../run/dryrun.ts";
import { type EvaluationSetting, evaluateJob } from "../../run/evaluation.ts";
import { ExtensionRequest } from "../../sel/index.ts";
import { type Answer, decode, type EvaluationSetup, encode, type Question, SETUP_ID } from "./protocol.ts";
import { evaluationSetting } from "./setting.ts";

declare const self: Worker;

/** Flows come first: what runs here is long by nature. */
const NICENESS = 15;

yieldToOthers();

/** Lowers this thread's priority alone, where threads have one of their own (Linux). */
function yieldToOthers(): void {
  try {
    os.setPriority(Number(basename(readlinkSync("/proc/thread-self"))), NICENESS);
  } catch {
    // Elsewhere it shares the processor like every thread.
  }
}

let setting: EvaluationSetting | undefined;

self.onmessage = ({ data }: MessageEvent<string>): void => {
  const { id, message } = decode<Question | EvaluationSetup>(data);
  if (id === SETUP_ID) {
    setting = { ...evaluationSetting(message as EvaluationSetup), clock: () => performance.now() };
  } else if (setting) {
    self.postMessage(encode(id, answer(message as Question, setting)));
  }
};

function answer(question: Question, setting: EvaluationSetting): Answer {
  try {
    if (question.kind !== "dryRun") return { value: evaluateJob(question, setting) };
    const { request, user, now, templates } = question;
    dryRunDefinition(request, user, { ...setting, now, seed: 0, templates });
    return { value: null };
  } catch (error) {
    if (error instanceof ExtensionRequest) return { request: { method: error.method, args: error.args } };
    return { error: toErrorData(error) };
  }
}
