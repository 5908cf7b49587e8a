/**
 * A process that uses a store until it is killed: `node store-child.js lock PATH` holds the lock of a data directory,
 * `node store-child.js spool PATH` writes messages and says which are durable.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { DataDir } from "../../src/store/data-dir.ts";
import { DiskSpoolLog } from "../../src/store/disk-spool-log.ts";
import { LineBuffer } from "../support/line-buffer.ts";
import { until } from "../support/until.ts";
import { message } from "./rig.ts";

const SELF = fileURLToPath(import.meta.url);

export class StoreChild {
  readonly #process: ChildProcess;
  readonly lines: string[] = [];
  #read = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** `wrapper`: a command that starts it, such as one that limits what it may write. */
  static async start(
    t: TestContext,
    what: "lock" | "spool",
    path: string,
    wrapper: readonly string[] = [],
  ): Promise<StoreChild> {
    const [command = "", ...args] = [...wrapper, process.execPath, SELF, what, path];
    const spawned = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    const child = new StoreChild(spawned);
    new LineBuffer(0).follow(spawned.stdout, (line) => child.lines.push(line));
    t.after(() => child.kill());
    await once(spawned, "spawn");
    return child;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async nextLine(): Promise<string> {
    await until("a line of the child", () => this.lines.length > this.#read);
    this.#read += 1;
    return this.lines[this.#read - 1] ?? "";
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    // "close", not "exit": what it said before it died is to be read to the end.
    await once(this.#process, "close");
  }
}

/** Appends for ever, frees a little, and says after each sync up to where all is durable and what is freed. */
function writeForEver(folder: string): void {
  const log = DiskSpoolLog.open(folder, { report: () => {}, segmentBytes: 64 * 1024 });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`stream ${log.stream}`);
  let freed = log.base;
  say(`freed ${freed}`);
  const turn = () => {
    for (let count = 0; count < 20; count += 1) {
      const number = log.lastNumber + 1;
      log.append(message(number, (number * 37) % 900), 10, number);
    }
    // Told before it is written: a number that was sent to a peer must not come again either.
    say(`given ${log.lastNumber}`);
    const written = log.write();
    if (!written.ok) say(`failed ${written.reason}`);
    if (log.lastNumber - freed > 600) {
      freed += 200;
      say(`freed ${freed}`);
      log.free(freed);
    }
    log.sync((answer) => {
      if (answer.ok) say(`durable ${log.durableNumber}`);
      setImmediate(turn);
    });
  };
  turn();
}

if (process.argv[1] === SELF) {
  const [what, path = ""] = process.argv.slice(2);
  if (what === "lock") {
    await DataDir.open(path, { report: () => {} });
    process.stdout.write("locked\n");
    setInterval(() => {}, 60_000);
  } else {
    writeForEver(path);
  }
}
