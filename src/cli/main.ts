/** The process `brokerlink`: hands its arguments to the program and ends with its exit code. */
import { EXIT } from "./exit-codes.ts";
import { runCli } from "./program.ts";
import { processTerminal } from "./terminal.ts";

// `brokerlink check FILE | head` closes the pipe early: there is nobody left to tell.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.fine : EXIT.failed);
});

// Not `exitCode`: a command that is done may have left sockets or timers behind, and must still end.
process.exit(await runCli(process.argv.slice(2), processTerminal()));
