import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type PythonParams, pythonParams, wordsOf } from "./params.ts";
import { SettingsError, scriptType } from "./type.ts";

/** Runs a program's file under its own name, so that errors show its own lines, with what it finds there already. */
const RUNNER = `import json, os, runpy, sys

with open(os.environ["MAESTRO_PARAMS"], encoding="utf-8") as file:
    params = json.load(file)

outputs = {}


def plain(value):
    for name in ("item", "isoformat"):
        if hasattr(value, name):
            return getattr(value, name)()
    raise TypeError(f"a {type(value).__name__} can't be an output: {value!r}")


def output(values=None, **named):
    """Sets outputs of the step: output(rows=3), output({"rows": 3})."""
    outputs.update(values or {}, **named)
    path = os.environ["MAESTRO_OUTPUT"]
    text = json.dumps(outputs, default=plain, allow_nan=False)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


folder, sys.argv = sys.argv[1], sys.argv[2:]
sys.path[0] = folder
runpy.run_path(sys.argv[0], {"params": params, "output": output}, "__main__")
`;

export const python = scriptType({
  type: "python",
  title: "Python program",
  description: "Runs a Python program, given as text or as a file, on the server's host.",
  params: pythonParams,
  program: (params, { file, cwd }) => {
    const program = params.file === undefined ? file("script") : programOf(params.file, cwd);
    const folder = params.file === undefined ? cwd : dirname(program);
    const files = { "runner.py": RUNNER, ...(params.code !== undefined && { script: params.code }) };
    return {
      files,
      command: [...interpreterOf(params, cwd), "-u", file("runner.py"), folder, program, ...params.args],
      ...(params.venv !== undefined && { env: venvOf(resolve(cwd, params.venv)) }),
    };
  },
});

/** @throws SettingsError */
function programOf(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  if (!isFile(path)) throw new SettingsError(`file [${file}] is not there: ${path}`);
  return path;
}

/** @throws SettingsError */
function interpreterOf({ venv, interpreter = "python3" }: PythonParams, cwd: string): readonly string[] {
  if (venv === undefined) return wordsOf(interpreter);
  const path = join(resolve(cwd, venv), "bin", "python");
  if (!isFile(path)) throw new SettingsError(`venv [${venv}] is no virtual environment: there is no ${path}`);
  return [path];
}

/** As its `activate` would set it. */
const venvOf = (folder: string) => ({ VIRTUAL_ENV: folder, PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}` });

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
