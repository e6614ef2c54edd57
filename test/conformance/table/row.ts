/** A rule of the reference, and the scenario that shows it, or why there is none. */
import type { SCENARIOS } from "../scenario.ts";

type ScenarioName = keyof typeof SCENARIOS;

export interface Row {
  /** Of upstream's behaviour: 13 is its checklist, the others are its tables. */
  readonly section: string;
  readonly rule: string;
  /** Names of scenarios, or a reason. */
  readonly by: readonly ScenarioName[] | string;
}

export const shown = (section: string, rule: string, ...by: readonly ScenarioName[]): Row => ({ section, rule, by });

export const untried = (section: string, rule: string, reason: string): Row => ({ section, rule, by: reason });
