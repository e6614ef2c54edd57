/** How a rule tells of what it has found. */
import type { Position } from "../error.ts";

/** @param message what happens @param hint what would be right */
export type Report = (at: Position, message: string, hint: string) => void;
