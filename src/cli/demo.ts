/** `brokerlink demo`: the story of two linked brokers, told by two embedded ones. It lives in demo/; here it meets the process. */
import { SHOW_CURSOR } from "../demo/live-view.ts";
import { play } from "../demo/play.ts";
import { EXIT } from "./exit-codes.ts";
import { Keyboard } from "./keyboard.ts";
import type { Terminal } from "./terminal.ts";

/** Resolves with the exit code. A person may end it at any time; for a script, a story that was not told is a failure. */
export async function demo({ screen, error }: Pick<Terminal, "screen" | "error">): Promise<number> {
  // Whatever ends the process: no shell without a cursor.
  if (screen.live) process.once("exit", () => screen.write(SHOW_CURSOR));
  const keyboard = screen.live ? Keyboard.open(process.stdin) : null;
  const interrupted = Promise.race(keyboard === null ? [firstSignal()] : [firstSignal(), keyboard.ended]);
  try {
    const outcome = await play({
      screen,
      complain: error,
      interrupted,
      ...(keyboard === null ? {} : { hurried: () => keyboard.pressed() }),
    });
    if (outcome === "failed") return EXIT.failed;
    if (screen.live) {
      screen.write("\nNext: examples/two-mosquittos links two real brokers; `brokerlink run --help` says how.\n");
      return EXIT.fine;
    }
    if (outcome === "told") return EXIT.fine;
    error("The demo was interrupted before its story was told.");
    return EXIT.failed;
  } finally {
    keyboard?.close();
  }
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
