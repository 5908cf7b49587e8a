/**
 * Two Mosquittos with an agent each, as processes, with a fault proxy on the link and on each agent's way to its own broker;
 * publishers at B, a subscriber at A. One per fault and round, so that rounds may run side by side.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MOSQUITTO_LINES } from "../../src/broker/mosquitto-setup.ts";
import { LocalMosquitto } from "../contract/local-mosquitto.ts";
import { AgentProcess } from "../e2e/agent-process.ts";
import { TestClient } from "../e2e/test-client.ts";
import { until } from "../support/until.ts";
import { FaultProxy, type LineState } from "./fault-proxy.ts";
import { History, type Verdict } from "./history.ts";
import { Publisher, Subscriber } from "./load.ts";
import { SmallDisk } from "./small-disk.ts";

export type Side = "a" | "b";

export interface TortureOptions {
  /** Who carries the messages: our two agents, or, to compare with, Mosquitto's own bridge at B. */
  readonly carrier: "agents" | "bridge";
  readonly durability: "disk" | "end_to_end" | "memory";
  readonly messagesPerSecond: number;
  readonly publishers: number;
  readonly payloadBytes: number;
  /** Of the subscriber's broker: what a default Mosquitto keeps for a client is 1,000. */
  readonly receivingLines?: readonly string[];
  readonly sendingLines?: readonly string[];
  readonly takesPerSecond?: number;
}

export interface Outcome extends Verdict {
  /** From the end of the fault until the subscriber was as far as it would be without one, the load going on. */
  readonly recoveryMs: number;
}

/** Persistence and a queue for what the agents hold back; `autosave_interval` so that a kill does not cost half an hour. */
const LINES = [...MOSQUITTO_LINES, "autosave_interval 1", "set_tcp_nodelay true"];
const START_MS = 30_000;
/** Without an arrival for this long, what is missing is lost: longer than any wait of an agent's. */
const STALLED_MS = 40_000;
const CATCH_UP_MS = 900_000;

export class TorturePair {
  readonly history = new History();
  readonly brokers: Readonly<Record<Side, LocalMosquitto>>;
  /** None where Mosquitto's bridge carries. */
  readonly agents: Readonly<Record<Side, AgentProcess>> | null;
  readonly #proxies: Readonly<Record<Side | "link", FaultProxy>>;
  readonly #dir: string;
  readonly #disk: SmallDisk;
  readonly #options: TortureOptions;
  readonly #lines: Readonly<Record<Side, readonly string[]>>;
  #publishers: Publisher[] = [];
  #subscriber: Subscriber | null = null;

  private constructor(
    options: TortureOptions,
    dir: string,
    disk: SmallDisk,
    brokers: Readonly<Record<Side, LocalMosquitto>>,
    proxies: Readonly<Record<Side | "link", FaultProxy>>,
  ) {
    this.#options = options;
    this.#dir = dir;
    this.#disk = disk;
    this.brokers = brokers;
    this.#proxies = proxies;
    this.#lines = { a: receivingLines(options), b: sendingLines(options, proxies.link) };
    const { durability } = options;
    const agent = (side: Side, dataDir: string): AgentProcess =>
      new AgentProcess({
        cluster: side,
        local: proxies[side].url,
        config: {
          ...(durability === "memory" ? {} : { data_dir: dataDir }),
          links: [
            side === "a"
              ? { name: "b", topics: ["load/#"], durability }
              : { name: "a", server: proxies.link.url, topics: [], durability },
          ],
        },
      });
    this.agents =
      options.carrier === "bridge" ? null : { a: agent("a", join(dir, "a")), b: agent("b", join(disk.path, "b")) };
  }

  static async open(options: TortureOptions): Promise<TorturePair> {
    const brokers = { a: await LocalMosquitto.start(receivingLines(options)), b: await LocalMosquitto.start(LINES) };
    const proxies = {
      a: await FaultProxy.start(() => brokers.a.port),
      b: await FaultProxy.start(() => brokers.b.port),
      link: await FaultProxy.start(() => brokers.a.port),
    };
    const dir = mkdtempSync(join(tmpdir(), "brokerlink-torture-"));
    const pair = new TorturePair(options, dir, await SmallDisk.make(dir), brokers, proxies);
    try {
      await pair.#linked();
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  async #linked(): Promise<void> {
    if (this.agents === null) {
      await this.brokers.b.restart(this.#lines.b);
      return;
    }
    const { a, b } = this.agents;
    await Promise.all([a.start(), b.start()]);
    await Promise.all([a.linked("b", START_MS), b.linked("a", START_MS)]);
    await Promise.all([a.exact(START_MS), b.exact(START_MS)]);
  }

  /** The load runs, and what is published arrives. */
  async start(): Promise<void> {
    const { messagesPerSecond, publishers, payloadBytes, takesPerSecond = null } = this.#options;
    this.#subscriber = new Subscriber(this.brokers.a.url, "subscriber", "load/#", this.history, takesPerSecond);
    await until("the subscriber is there", () => this.#subscriber?.subscribed === true);
    await this.#reached(this.#subscriber);
    for (let n = 0; n < publishers; n += 1) {
      const each = messagesPerSecond / publishers;
      this.#publishers.push(new Publisher(this.brokers.b.url, `load/${n}`, each, payloadBytes, this.history));
    }
    await until("messages flow", () => (this.#subscriber?.arrivals ?? 0) > messagesPerSecond / 2, START_MS);
  }

  /** A route takes a moment: what is published before it stands is nobody's loss. */
  async #reached(subscriber: Subscriber): Promise<void> {
    const probe = await TestClient.connect(this.brokers.b.url);
    let sent = 0;
    await until(
      "the route stands",
      async () => {
        sent += 1;
        await probe.publish("load/probe", `${sent} `);
        return subscriber.arrivals > 0 || `${sent} probes`;
      },
      START_MS,
    );
    await probe.end();
  }

  /** Waits until the subscriber has caught up, ends the load, waits until all has arrived or nothing more comes, and judges. */
  async finish(overMs: number): Promise<Outcome> {
    const behindMax = this.#options.messagesPerSecond / 4;
    const recovered = await this.#still(() => this.history.missing < behindMax);
    const recoveryMs = recovered ? performance.now() - overMs : Number.POSITIVE_INFINITY;
    await Promise.all(this.#publishers.map((publisher) => publisher.stop()));
    await this.#still(() => this.history.missing === 0);
    return { ...this.history.verdict(), recoveryMs };
  }

  /** Waits for something that arrivals bring about; answers whether it did before they stopped to help. */
  async #still(isDone: () => boolean): Promise<boolean> {
    let least = Number.POSITIVE_INFINITY;
    let movedAtMs = performance.now();
    let done = false;
    await until(
      "everything arrives, or nothing more",
      () => {
        done = isDone();
        if (this.history.missing < least) movedAtMs = performance.now();
        least = Math.min(least, this.history.missing);
        return done || performance.now() - movedAtMs > STALLED_MS || `${this.history.missing} missing`;
      },
      CATCH_UP_MS,
    );
    return done;
  }

  async killAgents(sides: readonly Side[], awayMs: number): Promise<void> {
    await Promise.all(sides.map((side) => this.#agent(side).stop("SIGKILL")));
    await pause(awayMs);
    await Promise.all(sides.map((side) => this.#agent(side).start()));
    await pause(1_000);
  }

  async restartAgent(side: Side): Promise<void> {
    await this.#agent(side).stop("SIGTERM");
    await this.#agent(side).start();
    await pause(1_000);
  }

  async restartBroker(side: Side, signal: NodeJS.Signals): Promise<void> {
    await this.brokers[side].restart(this.#lines[side], signal);
    await pause(1_000);
  }

  async freezeAgent(side: Side, forMs: number): Promise<void> {
    this.#agent(side).signal("SIGSTOP");
    await pause(forMs);
    this.#agent(side).signal("SIGCONT");
  }

  async disturb(what: Side | "link", state: Partial<LineState>, forMs: number): Promise<void> {
    this.#proxies[what].set(state);
    await pause(forMs);
    this.#proxies[what].set();
  }

  /** The link is cut so that the spool has to grow, and there is no room for it. */
  async fillDisk(forMs: number): Promise<void> {
    this.#proxies.link.set({ cut: true });
    const agent = this.#agent("b");
    await this.#disk.fill(agent.pid);
    await agent.untilStatus("the disk takes nothing", ({ store }) => (store?.writeFailures ?? 0) > 0);
    await pause(forMs);
    await this.#disk.free(agent.pid);
    this.#proxies.link.set();
  }

  #agent(side: Side): AgentProcess {
    if (this.agents === null) throw new Error("a bridge has no agents");
    return this.agents[side];
  }

  /** For the message of a failure. */
  tail(count: number): string {
    const { agents } = this;
    if (agents === null) return this.brokers.b.log.tail(count);
    return (["a", "b"] as const).map((side) => `--- agent ${side}\n${agents[side].log.tail(count)}`).join("\n");
  }

  async close(): Promise<void> {
    this.#subscriber?.end();
    await Promise.all(this.#publishers.map((publisher) => publisher.stop()));
    if (this.agents !== null) await Promise.all([this.agents.a.dispose(), this.agents.b.dispose()]);
    await Promise.all(Object.values(this.#proxies).map((proxy) => proxy.stop()));
    await Promise.all([this.brokers.a.stop(), this.brokers.b.stop()]);
    await this.#disk.remove();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function receivingLines(options: TortureOptions): readonly string[] {
  return [...LINES, ...(options.receivingLines ?? [])];
}

function sendingLines({ carrier, sendingLines: more = [] }: TortureOptions, link: FaultProxy): readonly string[] {
  if (carrier === "agents") return [...LINES, ...more];
  return [
    ...LINES,
    ...more,
    "connection to-a",
    `address ${new URL(link.url).host}`,
    "topic load/# out 1",
    "cleansession false",
    "notifications false",
    "keepalive_interval 15",
    "restart_timeout 1 5",
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
