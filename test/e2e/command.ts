/** The real `brokerlink` as a process: its output and exit code, signals on demand, ended when the test ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { until } from "../support/until.ts";

const BIN = new URL("../../../bin/brokerlink.js", import.meta.url).pathname;

export class Command {
  out = "";
  error = "";
  /** Null: it runs; -1: it was killed. */
  code: number | null = null;
  readonly #process: ChildProcess;

  constructor(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("BROKERLINK_"));
    this.#process = spawn(process.execPath, [BIN, ...args], {
      env: { ...Object.fromEntries(own), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.error += text;
    });
    // Not "exit": what the pipes still hold counts.
    this.#process.on("close", (code) => {
      this.code = code ?? -1;
    });
    t.after(() => this.#process.kill("SIGKILL"));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Resolves with the exit code. */
  async end(timeoutMs = 20_000): Promise<number> {
    await until("the command ends", () => this.code !== null || this.error.slice(-2_000), timeoutMs);
    return this.code ?? -1;
  }

  /** Resolves once stderr has what `pattern` looks for, with its first group. */
  async said(pattern: RegExp, timeoutMs = 20_000): Promise<string> {
    await until(`stderr has ${pattern}`, () => pattern.test(this.error) || this.#lastWords(), timeoutMs);
    return pattern.exec(this.error)?.[1] ?? "";
  }

  /** The port of its HTTP listener. */
  async port(): Promise<number> {
    return Number(await this.said(/"port":(\d+).*"http listening"/));
  }

  #lastWords(): string {
    const words = this.error.slice(-2_000);
    if (this.code !== null) throw new Error(`it ended with ${this.code}: ${words}`);
    return words;
  }
}

/** Writes files into a folder of their own, which goes with the test; answers the folder. */
export function folderWith(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "brokerlink-command-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}
