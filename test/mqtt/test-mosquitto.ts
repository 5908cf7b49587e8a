/** The machine's Mosquitto for one test file: any configuration, free ports of loopback, its last lines for a failure. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/until.ts";

const PROGRAM = "/usr/sbin/mosquitto";
const LINES_KEPT = 200;
/** Started by root it becomes another user, who cannot read what a test made for it. */
const OWN_USER = process.getuid?.() === 0 ? ["user root"] : [];
/** Another process may take a free port before Mosquitto does. */
const STARTS_MAX = 5;

/** Gets its folder and free ports, answers the configuration. */
export type MosquittoConf = (dir: string, ports: readonly number[]) => readonly string[];

/** One listener without passwords. */
export const OPEN: MosquittoConf = (dir, [port]) => [
  `listener ${port} 127.0.0.1`,
  "allow_anonymous true",
  "persistence true",
  `persistence_location ${dir}/`,
];

export class TestMosquitto {
  readonly dir = mkdtempSync(join(tmpdir(), "brokerlink-mqtt-"));
  readonly log: string[] = [];
  ports: number[] = [];
  #conf: MosquittoConf;
  #process: ChildProcess | null = null;

  private constructor(conf: MosquittoConf) {
    this.#conf = conf;
  }

  static async start(conf: MosquittoConf = OPEN, portCount = 1): Promise<TestMosquitto> {
    const broker = new TestMosquitto(conf);
    for (let start = 1; ; start += 1) {
      broker.ports = await freePorts(portCount);
      if (await broker.#launch()) return broker;
      if (start === STARTS_MAX) throw new Error(`Mosquitto does not start:\n${broker.log.join("\n")}`);
    }
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.ports[0]}`;
  }

  /** Stops it if it runs, and starts it on the same ports, with another configuration if there is one. */
  async restart(conf = this.#conf, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.end(signal);
    this.#conf = conf;
    if (!(await this.#launch())) throw new Error(`Mosquitto does not start again:\n${this.log.join("\n")}`);
  }

  /** Reads `acl_file` and `password_file` again. */
  reload(): void {
    this.#process?.kill("SIGHUP");
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #launch(): Promise<boolean> {
    const file = join(this.dir, "mosquitto.conf");
    writeFileSync(file, [...OWN_USER, ...this.#conf(this.dir, this.ports), ""].join("\n"));
    const child = spawn(PROGRAM, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let exited = false;
    child.once("exit", () => {
      exited = true;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log.push(...text.trimEnd().split("\n"));
      this.log.splice(0, this.log.length - LINES_KEPT);
    });
    // A WebSocket listener opens later than the others.
    await until(
      "Mosquitto listens or ends",
      async () => exited || (await Promise.all(this.ports.map(listens))).every(Boolean),
    );
    if (exited) this.#process = null;
    return !exited;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()))));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
  return ports;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
