/**
 * Reads what the local broker has retained, in a short session of its own: Retain Handling 0, so that SUBSCRIBE brings it,
 * Retain As Published 0, so that only what was stored has the flag. One reading after the other; the session ends when there
 * is nothing to read. A thin shell.
 *
 * That everything has come is shown by a marker that the session publishes to itself after SUBACK. A round in which something
 * stored came is followed by another, since a broker may send such messages at its leisure. All of it at QoS 0: Mosquitto drops
 * what exceeds its queue of QoS 1 messages for one client (1,000 by default), and writes those of QoS 0 to the socket.
 */
import type { AgentConfig } from "../config/types.ts";
import type { StoredAnswer, StoredMessage, StoredOutcome } from "../hub/stored.ts";
import type { Endpoint } from "../mqtt/endpoint.ts";
import { toMessageProperties } from "../mqtt/packet-properties.ts";
import { type MessageAbout, MqttSession } from "../mqtt/session.ts";
import type { SessionUp } from "../mqtt/session-options.ts";
import { matches } from "../topic/algebra.ts";
import { probeTopic } from "../wire/names.ts";
import { sessionClientId } from "./local-broker.ts";

/** What one reading may bring: it waits in memory until the peer has taken it. */
export const STORED_MESSAGES_MAX = 50_000;
export const STORED_BYTES_MAX = 32 * 1024 * 1024;
const KEEP_ALIVE_SECONDS = 20;

export interface StoredReaderOptions {
  readonly endpoint: Endpoint;
  readonly clientId: string;
  /** Of the marker: one that the broker lets us publish and subscribe to. */
  readonly topic: string;
  /** Whether what SUBSCRIBE brings also comes when UNSUBSCRIBE follows at once, as with Mosquitto: then no live messages do. */
  readonly leavesEarly: boolean;
  readonly random: () => number;
  readonly times?: StoredReaderTimes;
}

export interface StoredReaderTimes {
  /** A marker that is not back by then was lost in a full queue: another one. */
  readonly askAgainMs: number;
  /** Nothing has come for so long: nothing will. */
  readonly giveUpMs: number;
  /** The session stays for what may come next. */
  readonly idleMs: number;
}

const TIMES: StoredReaderTimes = { askAgainMs: 1_000, giveUpMs: 10_000, idleMs: 2_000 };

interface Job {
  readonly reading: number;
  readonly filters: readonly string[];
  messages: StoredMessage[];
  bytes: number;
  outcome: StoredOutcome;
  /** Grows with each marker; 0: SUBACK has not come. */
  round: number;
  /** Something stored came in this round. */
  hasNews: boolean;
}

export class StoredReader {
  readonly #options: StoredReaderOptions;
  readonly #times: StoredReaderTimes;
  readonly #done: (reading: number, answer: StoredAnswer) => void;
  readonly #jobs: Job[] = [];
  #session: MqttSession | null = null;
  #ready = false;
  #busy = false;
  #stopped = false;
  #progressAtMs = 0;
  #askedAtMs = 0;
  #watch: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;

  /** `done` is never called before the `read` that asks has returned. */
  constructor(options: StoredReaderOptions, done: (reading: number, answer: StoredAnswer) => void) {
    this.#options = options;
    this.#times = options.times ?? TIMES;
    this.#done = done;
  }

  get connected(): boolean {
    return this.#ready;
  }

  read(reading: number, filters: readonly string[]): void {
    this.#jobs.push({ reading, filters, messages: [], bytes: 0, outcome: "whole", round: 0, hasNews: false });
    if (this.#stopped) return;
    if (this.#watch === null) {
      this.#progressAtMs = performance.now();
      this.#watch = setInterval(() => this.#look(), this.#times.askAgainMs);
    }
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#session === null) this.#connect();
    else if (this.#ready) setImmediate(() => this.#next());
  }

  /** What was asked for is answered no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#jobs.length = 0;
    await this.#end();
  }

  #connect(): void {
    const { endpoint, clientId, random } = this.#options;
    const session: MqttSession = new MqttSession(
      {
        endpoint,
        side: "local",
        clientId,
        session: { cleanStart: "always", expirySeconds: 0 },
        will: () => null,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: false,
        ackByPing: true,
        random,
      },
      {
        connected: (how) => this.#connected(session, how),
        disconnected: () => {
          this.#ready = false;
          this.#busy = false;
        },
        message: (topic, payload, about) => this.#message(topic, payload, about),
      },
    );
    this.#session = session;
    session.start();
  }

  #connected(session: MqttSession, { protocolVersion, limits }: SessionUp): void {
    if (protocolVersion !== 5 || !limits.retainAvailable) {
      this.#failAll();
      return;
    }
    session.subscribe([{ filter: this.#options.topic, qos: 0 }], (codes) => {
      if (codes === null || session !== this.#session) return;
      this.#ready = true;
      this.#next();
    });
  }

  #next(): void {
    if (!this.#ready || this.#busy) return;
    const [job] = this.#jobs;
    if (job === undefined) {
      this.#rest();
      return;
    }
    this.#busy = true;
    this.#progressAtMs = performance.now();
    Object.assign(job, { messages: [], bytes: 0, outcome: "whole", round: 0, hasNews: false });
    const entries = job.filters.map(
      (filter) => ({ filter, qos: 0, noLocal: true, retainAsPublished: false, retainHandling: 0 }) as const,
    );
    this.#session?.subscribe(entries, (codes) => {
      // The connection is over: it begins anew with the next one.
      if (codes === null || this.#jobs[0] !== job) return;
      if (codes.some((code) => code >= 0x80)) job.outcome = "refused";
      if (this.#options.leavesEarly) this.#session?.unsubscribe(job.filters, () => {});
      this.#mark(job);
    });
  }

  #mark(job: Job): void {
    job.round += 1;
    job.hasNews = false;
    this.#askedAtMs = performance.now();
    this.#session?.publish({
      topic: this.#options.topic,
      payload: Buffer.from(`${job.reading} ${job.round}`),
      qos: 1,
      retain: false,
    });
  }

  #message(topic: string, payload: Uint8Array, about: MessageAbout): void {
    const [job] = this.#jobs;
    if (job === undefined || !this.#busy) return;
    if (topic === this.#options.topic) {
      if (Buffer.from(payload).toString("latin1") !== `${job.reading} ${job.round}`) return;
      if (job.hasNews) this.#mark(job);
      else this.#finished(job);
      return;
    }
    if (!about.retain || !job.filters.some((filter) => matches(filter, topic))) return;
    this.#progressAtMs = performance.now();
    job.bytes += topic.length + payload.length;
    if (job.messages.length >= STORED_MESSAGES_MAX || job.bytes > STORED_BYTES_MAX) {
      // No reason for another round: a broker that has no end of them would be read for ever.
      job.outcome = "cut";
      return;
    }
    job.hasNews = true;
    job.messages.push({
      topic,
      // A copy: the packet's is a part of a much larger buffer that would live as long.
      payload: new Uint8Array(payload),
      properties: toMessageProperties(about.properties),
      expirySeconds: about.properties?.messageExpiryInterval ?? null,
    });
  }

  #finished(job: Job): void {
    if (!this.#options.leavesEarly) this.#session?.unsubscribe(job.filters, () => {});
    this.#jobs.shift();
    this.#busy = false;
    this.#done(job.reading, { outcome: job.outcome, messages: job.messages });
    this.#next();
  }

  #look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#progressAtMs >= this.#times.giveUpMs) {
      this.#failAll();
      return;
    }
    const [job] = this.#jobs;
    const isLate = nowMs - Math.max(this.#askedAtMs, this.#progressAtMs) >= this.#times.askAgainMs;
    // As a round of its own: what came since the last one is not forgotten.
    if (job === undefined || job.round === 0 || !this.#busy || !isLate) return;
    const { hasNews } = job;
    this.#mark(job);
    job.hasNews = hasNews;
  }

  #failAll(): void {
    const jobs = this.#jobs.splice(0);
    void this.#end();
    for (const { reading } of jobs) this.#done(reading, { outcome: "failed", messages: [] });
  }

  #rest(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    this.#idle ??= setTimeout(() => void this.#end(), this.#times.idleMs);
  }

  async #end(): Promise<void> {
    if (this.#watch !== null) clearInterval(this.#watch);
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#watch = null;
    this.#idle = null;
    const session = this.#session;
    this.#session = null;
    this.#ready = false;
    this.#busy = false;
    await session?.stop(0);
  }
}

/** The reader of one agent. */
export function storedReader(
  { cluster, local, controlPrefix }: AgentConfig,
  done: (reading: number, answer: StoredAnswer) => void,
): StoredReader {
  const options: StoredReaderOptions = {
    endpoint: local,
    clientId: sessionClientId(local.clientid, "retained"),
    topic: `${probeTopic(controlPrefix, cluster)}-retained`,
    leavesEarly: local.broker === "mosquitto",
    random: Math.random,
  };
  return new StoredReader(options, done);
}
