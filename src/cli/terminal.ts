/** What a command needs of the process: two streams, the environment, files. Tests bring their own. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { printableLines } from "../config/printable.ts";
import type { Screen } from "../demo/screen.ts";

/** Larger than any configuration, certificate or secret; a device or an endless pipe must not eat the memory. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface Terminal {
  /** Text for people or programs, on stdout. Escaped; a line end is added. */
  out(text: string): void;
  /** Complaints, on stderr. Escaped; a line end is added. */
  error(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `out` goes to, for what has to be drawn or coloured: the caller escapes. */
  readonly screen: Screen;
  /** Text of a file. Throws when it cannot be read. */
  readFile(path: string): string;
  /** What a name stands for; null: nothing. Throws when it cannot be told. */
  pathKind(path: string): "directory" | "other" | null;
}

export function processTerminal(): Terminal {
  return {
    out: (text) => void process.stdout.write(`${printableLines(text)}\n`),
    error: (text) => void process.stderr.write(`${printableLines(text)}\n`),
    env: process.env,
    screen: processScreen(process.env),
    readFile: readBoundedFile,
    pathKind,
  };
}

/** What a terminal has when it does not say, and what a pipe gets. */
const COLUMNS = 80;
const ROWS = 24;

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

function pathKind(path: string): "directory" | "other" | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  return found.isDirectory() ? "directory" : "other";
}

/** Regular files, and pipes such as `/dev/stdin`; FILE_BYTES_MAX at most. */
function readBoundedFile(path: string): string {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.alloc(64 * 1024);
      const read = readSync(file, chunk, 0, chunk.length, null);
      if (read === 0) return decoded(Buffer.concat(chunks));
      size += read;
      if (size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`);
      chunks.push(chunk.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}

/** Without a byte order mark. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The decoder's own words name neither the file nor what was expected.
    throw new Error("it is no text in UTF-8");
  }
}
