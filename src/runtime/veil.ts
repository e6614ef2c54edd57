/**
 * What an attempt was told in confidence: puts the values of secrets into its params, and takes them out of what its
 * plugin says. Without secrets everything passes as it is.
 */
import type { Json } from "../json.ts";
import { replaceSecrets, type SecretPlace } from "../param/secret.ts";
import { Redactor } from "./redact.ts";
import type { Secrets } from "./secret.ts";
import type { AttemptContext } from "./type.ts";

type Values = AttemptContext["params"];

export class Veil {
  readonly #secrets: Secrets;
  readonly #isCode: (place: SecretPlace) => boolean;
  /** Those of the first call that got them: one attempt has the same ones to its end. */
  readonly #values = new Map<string, string>();
  #redactor: Redactor | undefined;
  #isBlind = false;

  /** @param isCode whether a text is code, which is left as it is written */
  constructor(secrets: Secrets, isCode: (place: SecretPlace) => boolean = () => false) {
    this.#secrets = secrets;
    this.#isCode = isCode;
  }

  /** The attempt may have values that are not known here, so that nothing that it says can be passed on. */
  get isBlind(): boolean {
    return this.#isBlind;
  }

  get redactor(): Redactor | undefined {
    return this.#redactor;
  }

  /** The params with values in the places of names. @throws SecretError */
  lift({ params, secrets, stepType }: AttemptContext): Values {
    if (secrets === undefined) return params;
    const user = { workflowId: secrets.workflowId, stepType };
    this.#isBlind = true;
    const known = (name: string): string => {
      const value = this.#values.get(name) ?? this.#secrets.value(name, user);
      this.#values.set(name, value);
      return value;
    };
    const lifted = secrets.places
      .filter((place) => !this.#isCode(place))
      .reduce<Json>((values, place) => changed(values, place, (text) => replaceSecrets(text, known)), params);
    this.#redactor = new Redactor(this.#values.values());
    this.#isBlind = false;
    return lifted as Values;
  }

  text(text: string): string {
    return this.#redactor === undefined ? text : this.#redactor.text(String(text));
  }

  data<T>(value: T): T {
    return this.#redactor === undefined ? value : (this.#redactor.data(value) as T);
  }

  /** As {@link Redactor.piece}, of a log. */
  piece(text: string, isCut: boolean): string {
    return this.#redactor?.piece(text, isCut) ?? text;
  }

  /** How many of these bytes of a log may be passed on while more may follow. They are whole characters. */
  ready(bytes: Buffer): number {
    if (this.#redactor === undefined) return bytes.length;
    const text = bytes.toString("utf8");
    return bytes.length - Buffer.byteLength(text.slice(this.#redactor.ready(text)));
  }
}

/** A copy with the text at the place changed; what is no text, or is not there, stays. */
function changed(value: Json | undefined, place: SecretPlace, change: (text: string) => string): Json {
  const [key, ...rest] = place;
  if (key === undefined) return typeof value === "string" ? change(value) : (value ?? null);
  if (Array.isArray(value))
    return value.map((item: Json, index) => (index === key ? changed(item, rest, change) : item));
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return value ?? null;
  const entries = Object.entries(value as { readonly [key: string]: Json });
  return Object.fromEntries(entries.map(([name, item]) => [name, name === key ? changed(item, rest, change) : item]));
}
