/** Starts the machine's Mosquitto on free ports of loopback, with the configuration lines of one test. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/until.ts";

const PROGRAM = "/usr/sbin/mosquitto";

export class LocalMosquitto {
  readonly port: number;
  readonly wsPort: number;
  readonly #dir: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, wsPort: number) {
    this.port = port;
    this.wsPort = wsPort;
    this.#dir = mkdtempSync(join(tmpdir(), "brokerlink-mosquitto-"));
  }

  static async start(lines: readonly string[]): Promise<LocalMosquitto> {
    const broker = new LocalMosquitto(await freePort(), await freePort());
    await broker.restart(lines);
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }
  get wsUrl(): string {
    return `ws://127.0.0.1:${this.wsPort}`;
  }

  /** Stops it if it runs, keeping what it persisted, and starts it with these lines. */
  async restart(lines: readonly string[], signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#end(signal);
    const file = join(this.#dir, "mosquitto.conf");
    const listeners = [
      `listener ${this.port} 127.0.0.1`,
      `listener ${this.wsPort} 127.0.0.1`,
      "protocol websockets",
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${this.#dir}/`,
    ];
    writeFileSync(file, [...lines, ...listeners, ""].join("\n"));
    this.#process = spawn(PROGRAM, ["-c", file], { stdio: "ignore" });
    await until("Mosquitto listens", () => listens(this.port));
  }

  async stop(): Promise<void> {
    await this.#end("SIGKILL");
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
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
