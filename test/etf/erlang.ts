/** The real thing: an Erlang that reads terms as EMQX does, and writes its own. Missing, it is a failure. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { repoFolder } from "../support/repo-folder.ts";

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** One answer for each question: hex of what it writes, or `badarg`. */
export function askErlang(questions: readonly string[]): string[] {
  const script = join(repoFolder(), "test", "etf", "terms.escript");
  let answers: string;
  try {
    answers = execFileSync("escript", [script], {
      input: `${questions.join("\n")}\n`,
      encoding: "utf8",
      maxBuffer: ANSWER_BYTES_MAX,
    });
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing) throw new Error('erlang is not installed: run "bash .ci/run", or "apt-get install erlang-base"');
    throw error;
  }
  return answers.trimEnd().split("\n");
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
