/** A terminal that remembers what was printed, with files that exist only here. */
import { runCli } from "../../src/cli/program.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs one command in this process. Not for `run` with a good configuration: it would stay. */
export async function runHere(
  args: readonly string[],
  { files = {}, env = {} }: { files?: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  let out = "";
  let error = "";
  const code = await runCli(args, {
    out: (text) => {
      out += `${text}\n`;
    },
    error: (text) => {
      error += `${text}\n`;
    },
    env,
    screen: {
      live: false,
      color: false,
      columns: 80,
      rows: 24,
      write: (text) => {
        out += text;
      },
    },
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return text;
    },
    pathKind: (path) => (files[path] === undefined ? null : "other"),
  });
  return { code, out, error };
}
