/** Step types whose work is a script in a process group of its own, which outlives the server and is adopted by the next. */
import { python } from "./python.ts";
import { shell } from "./shell.ts";

export default [shell, python];
