/** A user on the wire: a text when it was given as one, else an object with a name and any further keys. */
import { z } from "zod";
import { reading } from "./wire.ts";

export interface UserInfo {
  readonly name: string;
  readonly [info: string]: unknown;
}

export type User = string | UserInfo;

export const userSchema: z.ZodType<User> = reading(
  undefined,
  z.union([z.string(), z.looseObject({ name: z.string() })], {
    error: 'must be a text, or an object with the text "name"',
  }),
).meta({ id: "User", description: "A user's name, or an object with the name and any further keys" });

export const nameOf = (user: User): string => (typeof user === "string" ? user : user.name);
