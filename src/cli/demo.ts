/** `brokerlink demo`: the story of two linked brokers, told by two embedded ones. Lives in demo/; here it meets the process. */
import { play } from "../demo/play.ts";
import type { Screen } from "../demo/screen.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a terminal has when it does not say. */
const COLUMNS = 80;
const ROWS = 24;

/** Resolves with the exit code. Ctrl-C in the live picture is its ordinary end; before the story is told, it is a failure only for a script. */
export async function demo({ env, error }: Pick<Terminal, "env" | "error">): Promise<number> {
  const screen = processScreen(env);
  const outcome = await play({ screen, complain: error, interrupted: firstSignal() });
  const fine = outcome === "told" || (outcome === "interrupted" && screen.live);
  screen.write("\n");
  if (fine && screen.live) screen.write("Next: examples/two-mosquittos, and `brokerlink run --help`.\n");
  return fine ? EXIT.fine : EXIT.failed;
}

function processScreen(env: Terminal["env"]): Screen {
  const { stdout } = process;
  const live = stdout.isTTY === true && env["TERM"] !== "dumb";
  return {
    write: (text) => void stdout.write(text),
    live,
    // no-color.org: present and not empty.
    color: live && (env["NO_COLOR"] ?? "") === "",
    get columns() {
      return stdout.columns || COLUMNS;
    },
    get rows() {
      return stdout.rows || ROWS;
    },
  };
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
