/**
 * Starts the machine's Mosquitto on free ports of loopback, with the configuration lines of one test.
 *
 * Its data and files live in a folder of its own under the system's temporary one; stop() removes it. What it logs is kept,
 * bounded, for the message of a failure.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineBuffer } from "../support/line-buffer.ts";
import { until } from "../support/until.ts";

const PROGRAM = "/usr/sbin/mosquitto";
/**
 * Below what Linux gives to outgoing connections (32768 and up): a broker that restarts needs its port again, and nothing
 * else on the machine should have taken it meanwhile.
 */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;
const START_TRIES = 5;

export class LocalMosquitto {
  readonly log = new LineBuffer(400);
  /** Where this broker's files are: password and access lists may be put here. */
  readonly dir: string;
  #port = 0;
  #wsPort = 0;
  #process: ChildProcess | null = null;

  private constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "brokerlink-mosquitto-"));
  }

  /** `files`: names and contents of files that the lines speak of; `%d` in a line stands for their folder. */
  static async start(lines: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<LocalMosquitto> {
    const broker = new LocalMosquitto();
    for (const [name, text] of Object.entries(files)) broker.write(name, text);
    try {
      for (let tries = 1; ; tries += 1) {
        broker.#port = await freePort();
        broker.#wsPort = await freePort();
        try {
          await broker.restart(lines);
          return broker;
        } catch (error) {
          // Somebody may have taken the port between our look and Mosquitto's.
          const taken = broker.log.lines.some((line) => line.includes("Address already in use"));
          if (!taken || tries === START_TRIES) throw error;
        }
      }
    } catch (error) {
      await broker.stop();
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }
  get wsPort(): number {
    return this.#wsPort;
  }
  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }
  get wsUrl(): string {
    return `ws://127.0.0.1:${this.wsPort}`;
  }

  write(name: string, text: string): void {
    // Mosquitto warns about password and access files that everybody may read.
    writeFileSync(join(this.dir, name), text, { mode: 0o600 });
  }

  /** Stops it if it runs, keeping what it persisted, and starts it with these lines. */
  async restart(lines: readonly string[], signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.kill(signal);
    const anonymous = lines.some((line) => line.startsWith("allow_anonymous")) ? [] : ["allow_anonymous true"];
    const own = [
      ...anonymous,
      "persistence true",
      `persistence_location ${this.dir}/`,
      // As root it would become another user, who may not read these files.
      "user root",
      "log_dest stderr",
      `listener ${this.port} 127.0.0.1`,
      `listener ${this.wsPort} 127.0.0.1`,
      "protocol websockets",
    ];
    const file = join(this.dir, "mosquitto.conf");
    const text = [...lines, ...own, ""].join("\n").replaceAll("%d", this.dir);
    writeFileSync(file, text);
    const child = spawn(PROGRAM, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let exited = false;
    child.once("exit", () => {
      exited = true;
    });
    this.log.follow(child.stderr);
    await until(`Mosquitto listens on ${this.port}`, async () => {
      if (exited) throw new Error(`Mosquitto ended at once:\n${this.log.tail(20)}`);
      return listens(this.port);
    });
  }

  /** Ends it, keeping its files and ports for restart(). */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await ended;
  }

  /** A signal that it lives through: SIGSTOP, SIGCONT, SIGHUP. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    await this.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A port of loopback that nobody listens on right now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
