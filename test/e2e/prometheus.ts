/** Debian's Prometheus beside the test: scrapes agents every second, evaluates rules, answers queries. And its promtool. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../support/free-ports.ts";
import { LineBuffer } from "../support/line-buffer.ts";
import { until } from "../support/until.ts";

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: string;
}

export class Prometheus {
  readonly log = new LineBuffer(200);
  readonly #dir = mkdtempSync(join(tmpdir(), "brokerlink-prometheus-"));
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.#port = port;
  }

  /** `targets`: HOST:PORT. */
  static async start(targets: readonly string[], rules: string): Promise<Prometheus> {
    const [port = 0] = await freePorts(1);
    const prometheus = new Prometheus(port);
    await prometheus.#start(targets, rules);
    return prometheus;
  }

  async #start(targets: readonly string[], rules: string): Promise<void> {
    const file = join(this.#dir, "prometheus.yml");
    const everySecond = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
    const scrape = { job_name: "brokerlink", static_configs: [{ targets }] };
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ global: everySecond, rule_files: [rules], scrape_configs: [scrape] }));
    const child = spawn(
      "prometheus",
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(this.#dir, "data")}`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = child;
    let ended: string | null = null;
    child.on("error", (error) => {
      ended = `${error.message}: run "bash .ci/run", or "apt-get install prometheus"`;
    });
    child.on("exit", (code) => {
      ended ??= `exit code ${code}`;
    });
    this.log.follow(child.stderr);
    await until(
      "Prometheus is ready",
      async () => {
        if (ended !== null) throw new Error(`Prometheus ended: ${ended}\n${this.log.tail(20)}`);
        const answer = await fetch(`http://127.0.0.1:${this.#port}/-/ready`).catch(() => null);
        return answer?.status === 200;
      },
      30_000,
    );
  }

  async query(expression: string): Promise<Sample[]> {
    const answer = await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
    const result = answer.data["result"] as { metric: Record<string, string>; value: [number, string] }[];
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async rules(): Promise<Rule[]> {
    const answer = await this.#get("/api/v1/rules");
    return (answer.data["groups"] as { rules: Rule[] }[]).flatMap(({ rules }) => rules);
  }

  async #get(path: string): Promise<{ status: string; error?: string; data: Record<string, unknown> }> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`);
    return (await response.json()) as { status: string; error?: string; data: Record<string, unknown> };
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child !== null && child.exitCode === null && child.pid !== undefined) {
      const over = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGKILL");
      await over;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Runs promtool; answers its exit code and what it said. */
export function promtool(args: readonly string[], input = ""): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile("promtool", [...args], (error, out, err) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: Number(error?.code ?? 0), text: out + err });
    });
    child.stdin?.end(input);
  });
}
