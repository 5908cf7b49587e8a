/**
 * Turns Mosquitto's log lines (timestamp already taken off) into interest events, in the broker's order.
 *
 * Owns which clients are connected and what a line with several readings may mean. A doubtful line never removes anything:
 * the worst it can do is to forward more, or to make the table count as incomplete.
 */
import { BoundedMap } from "../base/bounded-map.ts";
import type { SessionEnd } from "../route/interest-event.ts";
import type { AdapterSink } from "./adapter.ts";
import { LiveClients } from "./live-clients.ts";
import { type Choice, choose, type Reading, subscribeReadings, unsubscribeReadings } from "./mosquitto-line.ts";
import { type ConnectReading, type Notice, parseCutNotice, parseNotice } from "./mosquitto-notice.ts";

/** More readings of one line than this come from names made for it: then the table is incomplete, and that is said. */
export const READINGS_MAX = 32;
/** A stale close follows its takeover within milliseconds; a late one is taken for the real end. */
const STALE_CLOSE_MS = 10_000;
const STALE_CLOSES_MAX = 8;
/** Accepted sockets whose CONNECT is still to come; only tells WebSocket from TCP, so the oldest may be forgotten. */
const OPENED_MAX = 1_024;
/** UTF-16 units of at most three bytes each. A name that fills a line of 999 bytes has at least 900. */
const LONG_NAME_UNITS = 300;
/** With more such names than this, a cut "connected" line may be about any client. */
const LONG_NAMES_MAX = 1_024;
/** Mosquitto prints WebSocket peers as IPv4-mapped addresses; its TCP listeners are never dual-stack. */
const WEBSOCKET_ADDRESS = "::ffff:";
/** MQTT versions whose clean flag decides what becomes of the session: 3.1 and 3.1.1, as 2.0 and as later ones print them. */
const MQTT_3 = [1, 2, 3, 4];

export class MosquittoLog {
  readonly #sink: AdapterSink;
  readonly #live: LiveClients;
  readonly #opened = new BoundedMap<string, true>(OPENED_MAX);
  /** Names long enough that a line may end within them. */
  readonly #long = new BoundedMap<string, true>(LONG_NAMES_MAX);
  #own: string | null = null;

  constructor(sink: AdapterSink, clientsMax: number) {
    this.#sink = sink;
    this.#live = new LiveClients(clientsMax);
  }

  /** The events session itself: connected while we read its lines. */
  ownClient(client: string): void {
    this.#own = client;
    this.#met(client);
  }

  /** The broker started anew: nobody else is connected. */
  brokerRestarted(): void {
    this.#live.clear();
    if (this.#own !== null) this.#met(this.#own);
  }

  get clients(): LiveClients {
    return this.#live;
  }

  subscribed(line: string, cut: boolean): void {
    this.#rows("subscribed", this.#choice(subscribeReadings(line, cut), line, cut), cut);
  }

  unsubscribed(line: string, cut: boolean): void {
    this.#rows("unsubscribed", this.#choice(unsubscribeReadings(line, cut), line, cut), cut);
  }

  #rows(type: "subscribed" | "unsubscribed", choice: Choice | null, cut: boolean): void {
    for (const { client, filter } of choice?.readings ?? []) {
      this.#sink.event({ type, client, filter, certain: choice?.certain === true && !cut });
    }
  }

  #choice(all: readonly Reading[], line: string, cut: boolean): Choice | null {
    if (cut) this.#sink.odd("cut", line);
    const choice = choose(all, this.#live);
    const [first] = choice.readings;
    if (first === undefined || choice.readings.length > READINGS_MAX) {
      if (!cut) this.#sink.odd(first === undefined ? "unparsable" : "ambiguous", line);
      this.#sink.event({ type: "gap", reason: "events_unparsable" });
      return null;
    }
    if (!choice.certain && !cut) this.#sink.odd("ambiguous", line);
    if (cut) {
      // The id itself may be longer than what was printed, unless it is one we know.
      const known = choice.certain && this.#live.has(first.client);
      if (!known) this.#sink.event({ type: "gap", reason: "events_unparsable" });
    } else if (choice.certain) this.#met(first.client);
    return choice;
  }

  /** Only a connected client prints such lines, also when it connected before we looked. */
  #met(client: string): void {
    const entry = this.#live.add(client);
    if (entry !== undefined) entry.sure = true;
    if (client.length >= LONG_NAME_UNITS) this.#long.set(client, true);
  }

  /** A line of `log/N` or `log/E`. */
  notice(line: string, cut: boolean, nowMs: number): void {
    const notice = cut ? parseCutNotice(line) : parseNotice(line);
    if (cut) this.#sink.odd("cut", line);
    if (notice !== null) this.#noticed(notice, line, cut, nowMs);
  }

  #noticed(notice: Notice, line: string, cut: boolean, nowMs: number): void {
    switch (notice.kind) {
      case "opened":
        this.#opened.set(notice.address, true);
        return;
      case "connected":
        this.#connected(notice.address, notice.readings, line, nowMs);
        return;
      case "connected_unclear":
        this.#connectedUnclear(notice.rest, line, cut);
        return;
      case "ended":
        this.#ended(notice.clients, notice.closed, line, nowMs);
        return;
      case "taken_over":
        this.#takenOver(notice.client);
        return;
      case "expired":
        this.#live.delete(notice.client);
        this.#sink.event({ type: "session_ended", client: notice.client });
        return;
      case "dropping":
        if (notice.client === this.#own) this.#sink.event({ type: "gap", reason: "events_dropped" });
        return;
    }
  }

  #connected(address: string, readings: readonly ConnectReading[], line: string, nowMs: number): void {
    const websocket = !this.#opened.delete(address) && address.startsWith(WEBSOCKET_ADDRESS);
    const [only, ...others] = readings;
    if (only === undefined) return;
    if (others.length > 0) {
      this.#sink.odd("ambiguous", line);
      this.#doubt(readings.map(({ client }) => client));
      for (const { client } of readings) this.#socketOf(client, websocket, nowMs);
      return;
    }
    this.#socketOf(only.client, websocket, nowMs);
    this.#met(only.client);
    this.#sink.event({
      type: "connected",
      client: only.client,
      cleanStart: only.clean,
      session: sessionEnd(only),
    });
  }

  #socketOf(client: string, websocket: boolean, nowMs: number): void {
    const entry = this.#live.add(client);
    if (entry === undefined) return;
    if (entry.takenOver && (entry.websocket ?? websocket)) {
      // The old WebSocket prints its close after the new connection's line, and it looks like the new one's end.
      entry.staleCloses = Math.min(entry.staleCloses + 1, STALE_CLOSES_MAX);
      entry.staleUntilMs = nowMs + STALE_CLOSE_MS;
    }
    entry.takenOver = false;
    entry.websocket = websocket;
  }

  /** Somebody connected whose id cannot be read: it begins `rest`, or (cut) `rest` begins it. */
  #connectedUnclear(rest: string, line: string, cut: boolean): void {
    if (!cut) this.#sink.odd("unparsable", line);
    const names = [...rest.matchAll(/(?<=.) \(/g)].map(({ index }) => rest.slice(0, index));
    const long = cut ? [...this.#long].map(([name]) => name).filter((name) => name.startsWith(rest)) : [];
    this.#doubt([...names, ...long], cut && this.#long.size >= LONG_NAMES_MAX);
  }

  /**
   * One of these connected, perhaps with a clean start that wiped its rows. That proves nothing about any of them; "they
   * may be gone" is what an end of a connection says that nobody knew of.
   */
  #doubt(names: readonly string[], anybody = false): void {
    const candidates = names.filter((name) => this.#live.mayConnect(name));
    if (anybody || candidates.length > READINGS_MAX || !this.#live.complete) {
      this.#sink.event({ type: "gap", reason: "events_unparsable" });
      return;
    }
    for (const client of candidates) this.#sink.event({ type: "disconnected", client });
  }

  #takenOver(client: string): void {
    const entry = this.#live.add(client);
    if (entry !== undefined) entry.takenOver = true;
    this.#sink.event({ type: "disconnected", client });
  }

  #ended(clients: readonly string[], closed: boolean, line: string, nowMs: number): void {
    const known = clients.length === 1 ? clients : clients.filter((client) => this.#live.has(client));
    const [client] = known;
    if (client === undefined || known.length > 1 || (clients.length > 1 && !this.#live.complete)) {
      this.#sink.odd("ambiguous", line);
      return;
    }
    const entry = this.#live.get(client);
    if (closed && entry !== undefined && entry.staleCloses > 0) {
      entry.staleCloses -= 1;
      if (nowMs <= entry.staleUntilMs) return;
    }
    if (client !== this.#own) this.#live.delete(client);
    this.#sink.event({ type: "disconnected", client });
  }
}

function sessionEnd(reading: ConnectReading): SessionEnd {
  // MQTT 5 sessions live by their expiry interval, which is not printed, whatever the clean flag says.
  if (!MQTT_3.includes(reading.protocol)) return "unknown";
  return reading.clean ? "with_connection" : "outlives_connection";
}
