/**
 * The adapter for Mosquitto: reads the log topics and counters of `$SYS/broker`.
 *
 * Owns the events session's subscriptions, the probe that proves that the log is on and shows its timestamp prefix, and
 * the counters. What a line means is `MosquittoLog`'s. Lines wait, in order and bounded, until the probe has answered.
 */
import type { AdapterSink, BrokerAdapter, EventsSession, EventsUp } from "./adapter.ts";
import { type AdapterOptions, CLIENTS_MAX } from "./adapter-options.ts";
import { BrokerUptime, parseUptime } from "./broker-uptime.ts";
import { type HeldLine, HeldLines } from "./held-lines.ts";
import { LinePrefix } from "./line-prefix.ts";
import { decodeLine, isStart } from "./mosquitto-line.ts";
import { MosquittoLog } from "./mosquitto-log.ts";
import {
  COUNT_PLAIN,
  COUNT_SHARED,
  DROPPED,
  LOG_ERROR,
  LOG_INFORMATION,
  LOG_NOTICE,
  LOG_SUBSCRIBE,
  LOG_UNSUBSCRIBE,
  MOSQUITTO_TOPICS,
  mosquittoAdvice,
  UPTIME,
} from "./mosquitto-setup.ts";
import { Probe } from "./probe.ts";

/** Mosquitto gives log messages 20 s to live; less the time a reconnect takes. */
export const AWAY_MAX_MS = 15_000;
/** A retained uptime comes with the SUBACK; without one a restart cannot be told from a short cut. */
const UPTIME_WAIT_MS = 5_000;

/** The lowest SUBACK reason code of a refusal (MQTT-3.9.3). */
const REFUSED = 0x80;
const UNANSWERED = Number.POSITIVE_INFINITY;

export class MosquittoAdapter implements BrokerAdapter {
  readonly kind = "mosquitto";
  readonly awayMaxMs = AWAY_MAX_MS;
  readonly #sink: AdapterSink;
  readonly #log: MosquittoLog;
  readonly #probe: Probe;
  readonly #uptime = new BrokerUptime();
  /** Held and released to force fresh counters: names that never change, so that a restart of ours leaves no unknown row. */
  readonly #countFilters: readonly string[];
  #session: EventsSession | null = null;
  #ups = 0;
  #enabled: boolean | null = null;
  #advised: string | null = null;
  #prefix: LinePrefix | null = null;
  #holding = true;
  readonly #held = new HeldLines();
  #announced = new Set<string>();
  #repeated = false;
  #countFiltersHeld = false;
  #toggling = false;
  #uptimeDueMs = UNANSWERED;

  constructor(options: AdapterOptions) {
    this.#sink = options.sink;
    this.#log = new MosquittoLog(options.sink, options.clientsMax ?? CLIENTS_MAX);
    const stem = `${options.controlPrefix}/v1/${options.cluster}/${options.cluster}/probe`;
    this.#probe = new Probe(stem, options.random);
    this.#countFilters = [`${stem}-count`, `$share/brokerlink/${stem}-count`];
  }

  up(session: EventsSession, how: EventsUp, nowMs: number): void {
    const first = this.#ups === 0;
    this.#ups += 1;
    this.#session = session;
    this.#log.ownClient(session.clientId);
    this.#toggling = false;
    // The first connection of a process that finds a session follows an earlier life, whose lines nobody kept.
    if (first ? how.sessionPresent : !how.sessionPresent) this.#gap("session_lost");
    else if (how.awayMs !== null && how.awayMs > AWAY_MAX_MS) this.#gap("away_too_long");
    else if (!first) this.#uptimeDueMs = nowMs + UPTIME_WAIT_MS;
    if (!first) this.#uptime.reconnected(nowMs);
    if (!how.sessionPresent) {
      // Our own rows went with the session; the lines that follow announce the new ones.
      this.#sink.event({ type: "connected", client: session.clientId, cleanStart: true, session: "unknown" });
    }
    this.#ask(nowMs);
  }

  down(_nowMs: number): void {
    this.#session = null;
    this.#probe.stop();
    this.#uptimeDueMs = UNANSWERED;
  }

  message(topic: string, payload: Uint8Array, retain: boolean, nowMs: number, dup = false): void {
    switch (topic) {
      case LOG_SUBSCRIBE:
      case LOG_UNSUBSCRIBE:
      case LOG_NOTICE:
      case LOG_ERROR:
      case LOG_INFORMATION:
        if (!retain) this.#inOrder({ topic, payload }, nowMs);
        return;
      case COUNT_PLAIN:
      case COUNT_SHARED:
        // Retained ones are stale, repeated ones out of place. A repeated line is harmless: those behind it are repeated too.
        if (!retain && !dup) this.#inOrder({ topic, payload }, nowMs);
        return;
      case DROPPED:
        this.#dropped(payload, !retain);
        return;
      case UPTIME:
        // In its place: what came before it may be of an earlier life.
        this.#inOrder({ topic, payload }, nowMs);
        return;
    }
  }

  refreshCount(_nowMs: number): void {
    const session = this.#session;
    if (session === null || this.#toggling) return;
    this.#toggling = true;
    const ups = this.#ups;
    const done = (): void => {
      if (ups === this.#ups) this.#toggling = false;
    };
    // The broker publishes a counter only when it changed.
    this.#countFiltersHeld = !this.#countFiltersHeld;
    if (this.#countFiltersHeld) session.subscribe(this.#countFilters, 1, done);
    else session.unsubscribe(this.#countFilters, done);
  }

  announceOwn(): void {
    // The count filters come and go with every fresh count.
    this.#session?.subscribe(MOSQUITTO_TOPICS, 1, () => {});
  }

  get deadlineMs(): number {
    return Math.min(this.#probe.deadlineMs, this.#uptimeDueMs);
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#uptimeDueMs) {
      this.#uptimeDueMs = UNANSWERED;
      this.#gap("broker_restarted");
    }
    switch (this.#probe.tick(nowMs)) {
      case "silent":
        this.#disabled("all");
        return;
      case "again":
        this.#ask(nowMs);
        return;
      case null:
        return;
    }
  }

  /** Names connected now, and how many more there was no room for. */
  get clients(): { readonly size: number; readonly refused: number } {
    return this.#log.clients;
  }

  /**
   * Subscribes to everything, also to what the session still holds: a repeated SUBSCRIBE changes nothing and makes the
   * broker announce the row. Then unsubscribes a filter nobody holds: the broker prints a line for it all the same.
   */
  #ask(nowMs: number): void {
    const session = this.#session;
    if (session === null) return;
    this.#holding = true;
    this.#announced.clear();
    this.#repeated = false;
    this.#countFiltersHeld = true;
    session.subscribe(this.#filters(), 1, (codes) => {
      const refused = codes?.slice(0, MOSQUITTO_TOPICS.length).some((code) => code >= REFUSED);
      if (refused) this.#advise(mosquittoAdvice("refused"));
    });
    session.unsubscribe([this.#probe.ask(nowMs)], () => {});
  }

  #filters(): string[] {
    return [...MOSQUITTO_TOPICS, ...this.#countFilters];
  }

  #inOrder(line: HeldLine, nowMs: number): void {
    if (!this.#holding) {
      this.#translate(line, nowMs);
      return;
    }
    const sample = line.topic === LOG_UNSUBSCRIBE ? this.#probeSample(line.payload) : null;
    const prefix = sample === null ? null : LinePrefix.learn(sample);
    if (prefix !== null) {
      this.#answered(prefix, nowMs);
      return;
    }
    this.#held.push(line);
  }

  /** What stands before our own id in the probe's own line; null: another line. */
  #probeSample(payload: Uint8Array): string | null {
    const asked = this.#probe.filter;
    const line = decodeLine(payload);
    if (asked === null || this.#session === null || line === null) return null;
    const own = `${this.#session.clientId} ${asked}`;
    return line.text.endsWith(own) ? line.text.slice(0, -own.length) : null;
  }

  #answered(prefix: LinePrefix, nowMs: number): void {
    const changed = this.#prefix !== null && !this.#prefix.equals(prefix);
    this.#prefix = prefix;
    this.#probe.answered();
    if (changed) {
      // The broker was restarted with another timestamp: which lines carry which cannot be told.
      this.#held.clear();
      this.#gap("events_unparsable");
      this.#ask(nowMs);
      return;
    }
    this.#holding = false;
    const { lines, missed } = this.#held.take();
    if (missed) this.#gap("events_dropped");
    for (const line of lines) this.#translate(line, nowMs);
    this.#judge(nowMs);
  }

  #judge(nowMs: number): void {
    if (this.#announced.size === 0) {
      this.#disabled("subscribe");
      this.#probe.notEnough(nowMs);
      return;
    }
    this.#advised = null;
    this.#setEnabled(true);
    const silent = this.#filters().filter((filter) => !this.#announced.has(filter));
    if (silent.length === 0 || this.#repeated) return;
    this.#repeated = true;
    this.#session?.subscribe(silent, 1, () => {});
  }

  #translate(line: HeldLine, nowMs: number): void {
    if (line.topic === COUNT_PLAIN || line.topic === COUNT_SHARED) {
      this.#counted(line);
      return;
    }
    if (line.topic === UPTIME) {
      this.#uptimeSeen(line.payload, nowMs);
      return;
    }
    const decoded = decodeLine(line.payload);
    const text = decoded === null ? null : (this.#prefix?.strip(decoded.text) ?? null);
    if (decoded === null || text === null) {
      this.#unreadable(line, nowMs);
      return;
    }
    switch (line.topic) {
      case LOG_SUBSCRIBE:
        this.#noteOwn(text);
        this.#log.subscribed(text, decoded.cut);
        return;
      case LOG_UNSUBSCRIBE:
        this.#log.unsubscribed(text, decoded.cut);
        return;
      case LOG_INFORMATION:
        if (!isStart(text)) return;
        this.#uptime.started();
        this.#restarted();
        return;
      default:
        this.#log.notice(text, decoded.cut, nowMs);
        return;
    }
  }

  #noteOwn(text: string): void {
    const own = this.#session?.clientId;
    if (own === undefined || !text.startsWith(`${own} `)) return;
    // "OWN Q FILTER"
    this.#announced.add(text.slice(own.length + " 0 ".length));
  }

  #unreadable(line: HeldLine, nowMs: number): void {
    this.#sink.odd("unparsable", new TextDecoder().decode(line.payload));
    // An unread N or E line keeps rows; an unread subscribe may miss one.
    if (line.topic === LOG_SUBSCRIBE || line.topic === LOG_UNSUBSCRIBE) this.#gap("events_unparsable");
    // The prefix may have changed: look again, but not for each line of a flood.
    if (this.#probe.deadlineMs === UNANSWERED) this.#probe.notEnough(nowMs);
  }

  #counted(line: HeldLine): void {
    const value = parseCount(line.payload);
    if (value === null) {
      this.#sink.odd("unparsable", new TextDecoder().decode(line.payload));
      return;
    }
    const plain = line.topic === COUNT_PLAIN;
    this.#sink.event({ type: "count", plain: plain ? value : null, shared: plain ? null : value });
  }

  #dropped(payload: Uint8Array, live: boolean): void {
    const total = parseCount(payload);
    if (total !== null) this.#sink.brokerDropped(total, live);
  }

  #uptimeSeen(payload: Uint8Array, nowMs: number): void {
    const uptimeS = parseUptime(new TextDecoder().decode(payload));
    if (uptimeS === null) return;
    this.#uptimeDueMs = UNANSWERED;
    switch (this.#uptime.seen(uptimeS, nowMs)) {
      case "restarted":
        this.#restarted();
        return;
      case "unsure":
        this.#gap("broker_restarted");
        return;
      case "same":
        return;
    }
  }

  #restarted(): void {
    this.#log.brokerRestarted();
    this.#sink.event({ type: "broker_restarted" });
  }

  #gap(reason: "session_lost" | "away_too_long" | "events_dropped" | "events_unparsable" | "broker_restarted"): void {
    // What was held came before the gap: it proves nothing after it, and the gap says that it is missing.
    if (reason === "session_lost" || reason === "away_too_long") this.#held.clear();
    this.#sink.event({ type: "gap", reason });
  }

  #disabled(missing: "all" | "subscribe"): void {
    this.#advise(mosquittoAdvice(missing));
    this.#setEnabled(false);
  }

  #advise(text: string): void {
    if (this.#advised === text) return;
    this.#advised = text;
    this.#sink.advise(text);
  }

  #setEnabled(enabled: boolean): void {
    if (this.#enabled === enabled) return;
    this.#enabled = enabled;
    this.#sink.event({ type: "events_enabled", enabled });
  }
}

function parseCount(payload: Uint8Array): number | null {
  const text = new TextDecoder().decode(payload);
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
