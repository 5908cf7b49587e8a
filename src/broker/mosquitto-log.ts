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
import {
  type Choice,
  choose,
  type Reading,
  subscribeReadings,
  unsubscribeReadings,
} from "./mosquitto-line.ts";
import { type ConnectReading, type Notice, parseCutNotice, parseNotice } from "./mosquitto-notice.ts";

/** More readings of one line than this come from names made for it: then the table is incomplete, and that is said. */
export const READINGS_MAX = 32;
/** A stale close follows its takeover within milliseconds; a late one is taken for the real end. */
const STALE_CLOSE_MS = 10_000;
const STALE_CLOSES_MAX = 8;
/** Accepted sockets whose CONNECT is still to come; only tells WebSocket from TCP, so the oldest may be forgotten. */
const OPENED_MAX = 1_024;
/** Mosquitto prints WebSocket peers as IPv4-mapped addresses; its TCP listeners are never dual-stack. */
const WEBSOCKET_ADDRESS = "::ffff:";
/** MQTT versions whose clean flag decides what becomes of the session: 3.1 and 3.1.1, as 2.0 and as later ones print them. */
const MQTT_3 = [1, 2, 3, 4];

export class MosquittoLog {
  readonly #sink: AdapterSink;
  readonly #live: LiveClients;
  readonly #opened = new BoundedMap<string, true>(OPENED_MAX);
  #own: string | null = null;

  constructor(sink: AdapterSink, clientsMax: number) {
    this.#sink = sink;
    this.#live = new LiveClients(clientsMax);
  }

  /** The events session itself: connected while we read its lines. */
  ownClient(client: string): void {
    this.#own = client;
    this.#live.add(client);
  }

  /** The broker started anew: nobody else is connected. */
  brokerRestarted(): void {
    this.#live.clear();
    if (this.#own !== null) this.#live.add(this.#own);
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

  /** Only a connected client prints such lines: one that connected before we looked, or whose line could not be read. */
  #met(client: string): void {
    if (this.#live.has(client)) return;
    this.#live.add(client);
    this.#sink.event({ type: "connected", client, cleanStart: null, session: "unknown" });
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
      // Whoever it is, none of them may lose rows by this line or by the flags of an earlier one.
      for (const { client } of readings) this.#connectedAs(client, websocket, null, "unknown", nowMs);
      return;
    }
    this.#connectedAs(only.client, websocket, only.clean, sessionEnd(only), nowMs);
  }

  #connectedAs(
    client: string,
    websocket: boolean,
    cleanStart: boolean | null,
    session: SessionEnd,
    nowMs: number,
  ): void {
    const entry = this.#live.add(client);
    if (entry !== undefined) {
      if (entry.takenOver && (entry.websocket ?? websocket)) {
        // The old WebSocket prints its close after the new connection's line, and it looks like the new one's end.
        entry.staleCloses = Math.min(entry.staleCloses + 1, STALE_CLOSES_MAX);
        entry.staleUntilMs = nowMs + STALE_CLOSE_MS;
      }
      entry.takenOver = false;
      entry.websocket = websocket;
    }
    this.#sink.event({ type: "connected", client, cleanStart, session });
  }

  /** Somebody we cannot name: what is known of the sessions it may be must not decide over their rows. */
  #connectedUnclear(rest: string, line: string, cut: boolean): void {
    if (!cut) this.#sink.odd("unparsable", line);
    for (const client of new Set([
      ...this.#live.within(rest),
      ...(cut ? this.#live.startingWith(rest) : []),
    ])) {
      this.#sink.event({ type: "connected", client, cleanStart: null, session: "unknown" });
    }
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
