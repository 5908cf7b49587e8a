/**
 * One life's sessions on the local broker: what src/agent/local-broker does, in virtual time. Packets keep their order
 * within a direction; an event that the broker wrote before a message is readable before it; what was on a connection that
 * broke is void, or comes again as MQTT says.
 */
import type { Hub, LocalMessage } from "../../src/hub/hub.ts";
import type { Republish } from "../../src/hub/republish.ts";
import type { DemandFilter } from "../../src/route/demand-ids.ts";
import type { InterestEvent } from "../../src/route/interest-event.ts";
import type { Prng } from "./prng.ts";
import type { Delivery, SimBroker, SimEvent, SimSession } from "./sim-broker.ts";
import type { Timeline } from "./timeline.ts";

export const MARK_TOPIC = "$LINK/mark";
/** The broker's quota answer (MQTT 5, 3.4.2.1). */
const QUOTA_EXCEEDED = 0x97;
/** Packet identifiers have 16 bits (MQTT-2.3.1). */
const PACKET_IDS = 65_536;
/** Brokers cut log lines: of a longer filter only whole first levels are known. */
const LINE_UNITS_MAX = 120;

export interface LocalOwner {
  /** Hands work to the hub, now or, when the process is frozen, later and in order. */
  into(work: (hub: Hub, nowMs: number) => void): void;
  message(message: LocalMessage): void;
  /** Lets the hub have the messages received so far. */
  drain(hub: Hub, nowMs: number): void;
  linkSession(up: boolean): void;
}

export class SimLocal {
  /** Losing event lines: the fault that makes an agent announce more. */
  loseEvents = false;
  /** Added to the delay of everything the broker answers: a broker, or a host, that is overloaded. */
  slowMs = 0;
  readonly #data: string;
  readonly #events: string;
  readonly #delayMs: number;
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #broker: SimBroker;
  readonly #owner: LocalOwner;
  /** Whether the first connection takes up the session of an earlier life. */
  readonly #resumes: boolean;
  #alive = true;
  /** Whether this life was connected before: its first connection wants clean sessions. */
  #begun = false;
  #session: SimSession | null = null;
  /** Counts the data session's connections: what an old one still carries is void. */
  #epoch = 0;
  #toBrokerAtMs = 0;
  #fromBrokerAtMs = 0;
  #eventsAtMs = 0;

  constructor(
    cluster: string,
    delayMs: number,
    time: Timeline,
    random: Prng,
    broker: SimBroker,
    owner: LocalOwner,
    resumes: boolean,
  ) {
    this.#resumes = resumes;
    this.#data = `${cluster}-data`;
    this.#events = `${cluster}-events`;
    this.#delayMs = delayMs;
    this.#time = time;
    this.#random = random;
    this.#broker = broker;
    this.#owner = owner;
  }

  start(): void {
    if (!this.#broker.up) return;
    this.#begun = true;
    this.#connectEvents(null);
    this.#connectData(!this.#resumes);
    this.#connectLink();
  }

  /** kill -9: nothing is said. The broker notices. */
  stop(): void {
    this.#alive = false;
    this.#epoch += 1;
    this.#session = null;
    this.#broker.observer = null;
    this.#broker.disconnect(this.#data);
    this.#broker.disconnect(this.#events);
  }

  // ── faults ───────────────────────────────────────────────────────────────────────────────────────

  /** The data session's connection breaks; it comes back with its queue. */
  cutData(forMs: number): void {
    if (this.#session === null) return;
    this.#broker.disconnect(this.#data);
    this.#dataLost();
    this.#later(forMs, () => {
      if (this.#broker.up && this.#session === null) this.#connectData(false);
    });
  }

  cutLink(forMs: number): void {
    this.#owner.linkSession(false);
    this.#later(forMs, () => this.#connectLink());
  }

  brokerDown(): void {
    this.loseEvents = false;
    this.#owner.linkSession(false);
    if (this.#session !== null) this.#dataLost();
  }

  /** The sessions come back one after the other, the events first. */
  brokerUp(): void {
    if (!this.#begun) {
      this.start();
      return;
    }
    this.#connectEvents({ type: "broker_restarted" });
    this.#later(this.#random.int(1, 500), () => {
      if (this.#broker.up && this.#session === null) this.#connectData(false);
    });
    this.#connectLink();
  }

  /** The events session was away too long: lines are missing, and the adapter says so. */
  eventsGap(): void {
    if (!this.loseEvents || !this.#alive) return;
    this.loseEvents = false;
    if (this.#broker.up) this.#connectEvents({ type: "gap", reason: "away_too_long" });
  }

  // ── what the hub asks ────────────────────────────────────────────────────────────────────────────

  subscribe(batch: number, filters: readonly DemandFilter[]): void {
    this.#onConnection(() => {
      const codes = filters.map(({ filter, id }) => this.#broker.subscribe(this.#data, filter, id, true));
      // A SUBACK is written at once; queued messages may wait for their window behind it.
      this.#answer((hub, nowMs) => hub.subscribed(batch, codes, nowMs));
    });
  }

  unsubscribe(batch: number, filters: readonly string[]): void {
    this.#onConnection(() => {
      for (const filter of filters) this.#broker.unsubscribe(this.#data, filter);
      this.#answer((hub, nowMs) =>
        hub.unsubscribed(
          batch,
          filters.map(() => 0),
          nowMs,
        ),
      );
    });
  }

  sendMarker(marker: number): void {
    this.#onConnection(() => {
      const payload = new TextEncoder().encode(String(marker));
      this.#broker.publish(this.#data, { topic: MARK_TOPIC, payload, qos: 1, properties: null });
    });
  }

  /** What is said of an earlier connection is void. */
  acknowledge(ack: number): void {
    const session = this.#session;
    if (session === null || Math.floor(ack / PACKET_IDS) !== this.#epoch) return;
    this.#onConnection(() => this.#broker.acknowledge(session, ack % PACKET_IDS));
  }

  republish(token: number | null, message: Republish, published: () => void): void {
    const epoch = this.#epoch;
    this.#onConnection(() => {
      const { busy } = this.#broker;
      if (!busy) {
        published();
        this.#broker.publish(this.#data, message);
      }
      if (token === null) return;
      this.#fromBroker(() => {
        if (this.#epoch === epoch)
          this.#owner.into((hub, nowMs) => hub.republished(token, busy ? QUOTA_EXCEEDED : 0, nowMs));
      });
    });
  }

  // ── sessions ─────────────────────────────────────────────────────────────────────────────────────

  #dataLost(): void {
    this.#session = null;
    this.#epoch += 1;
    this.#owner.into((hub, nowMs) => {
      this.#owner.drain(hub, nowMs);
      hub.dataDown();
    });
  }

  #connectData(cleanStart: boolean): void {
    const present = !cleanStart && this.#broker.sessions.has(this.#data);
    const session = this.#broker.connect(this.#data, true, cleanStart);
    session.acknowledges = true;
    this.#session = session;
    this.#epoch += 1;
    const epoch = this.#epoch;
    const five = this.#broker.kind === "v5";
    if (five) this.#broker.subscribe(this.#data, MARK_TOPIC);
    // The CONNACK precedes what the session holds for us.
    this.#fromBroker(() => {
      if (this.#epoch === epoch)
        this.#owner.into((hub, nowMs) => hub.dataUp(present, five, this.#broker.kind === "echo", nowMs));
    });
    this.#broker.attach(session, (message) => {
      this.#fromBroker(() => {
        if (this.#epoch === epoch) this.#owner.into((hub, nowMs) => this.#received(epoch, message, hub, nowMs));
      });
    });
  }

  #received(epoch: number, message: Delivery, hub: Hub, nowMs: number): void {
    if (this.#epoch !== epoch) return;
    if (message.topic === MARK_TOPIC) {
      this.acknowledge(epoch * PACKET_IDS + message.packetId);
      this.#owner.drain(hub, nowMs);
      hub.markerArrived(Number(new TextDecoder().decode(message.payload)), nowMs);
      return;
    }
    this.#owner.message({
      topic: message.topic,
      payload: message.payload,
      qos: message.qos,
      retain: false,
      properties: message.properties,
      expirySeconds: null,
      subscriptionIds: message.ids,
      packetId: message.packetId,
      dup: message.dup,
      ack: message.qos === 1 ? epoch * PACKET_IDS + message.packetId : null,
    });
  }

  #connectLink(): void {
    this.#later(this.#random.next() * this.#delayMs, () => {
      if (this.#broker.up) this.#owner.linkSession(true);
    });
  }

  /** `news`: what the adapter concludes from the way the session came back. */
  #connectEvents(news: InterestEvent | null): void {
    this.#broker.observer = (event) => {
      if (!this.loseEvents) for (const translated of translate(event)) this.#event(translated);
    };
    if (news === null) this.#event({ type: "events_enabled", enabled: true });
    else this.#event(news);
    if (news?.type !== "gap") this.#broker.connect(this.#events, false, true);
    this.#broker.subscribe(this.#events, "$SYS/#");
    // Own rows have to be seen anew like everybody's.
    if (this.#session !== null && this.#broker.kind === "v5") this.#broker.subscribe(this.#data, MARK_TOPIC);
  }

  #event(event: InterestEvent): void {
    this.#eventsAtMs = Math.max(this.#eventsAtMs, this.#time.nowMs + this.#random.next() * this.#delayMs);
    this.#later(this.#eventsAtMs - this.#time.nowMs, () =>
      this.#owner.into((hub, nowMs) => hub.interestEvent(event, nowMs)),
    );
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────

  #onConnection(act: () => void): void {
    const epoch = this.#epoch;
    this.#toBrokerAtMs = Math.max(this.#toBrokerAtMs, this.#time.nowMs + this.#random.next() * this.#delayMs);
    this.#later(this.#toBrokerAtMs - this.#time.nowMs, () => {
      if (this.#epoch === epoch && this.#broker.up) act();
    });
  }

  #fromBroker(act: () => void): void {
    const delayMs = this.#random.next() * this.#delayMs + (this.slowMs > 0 ? this.#random.next() * this.slowMs : 0);
    this.#fromBrokerAtMs = Math.max(this.#fromBrokerAtMs, this.#eventsAtMs, this.#time.nowMs + delayMs);
    this.#later(this.#fromBrokerAtMs - this.#time.nowMs, act);
  }

  #answer(work: (hub: Hub, nowMs: number) => void): void {
    const epoch = this.#epoch;
    this.#later(this.#random.next() * this.#delayMs, () => {
      if (this.#epoch !== epoch) return;
      this.#owner.into((hub, nowMs) => {
        this.#owner.drain(hub, nowMs);
        work(hub, nowMs);
      });
    });
  }

  #later(delayMs: number, act: () => void): void {
    this.#time.after(delayMs, () => {
      if (this.#alive) act();
    });
  }
}

function translate(event: SimEvent): InterestEvent[] {
  switch (event.type) {
    case "connected": {
      const { client, cleanStart, persistent } = event;
      const session = persistent === null ? "unknown" : persistent ? "outlives_connection" : "with_connection";
      return [{ type: "connected", client, cleanStart, session }];
    }
    case "disconnected":
      return [{ type: "disconnected", client: event.client }];
    case "expired":
      return [{ type: "session_ended", client: event.client }];
    case "subscribed":
    case "unsubscribed": {
      const { type, client, filter } = event;
      const told = lineOf(filter);
      return [{ type, client, filter: told, certain: told === filter }];
    }
    case "count":
      return [
        { type: "count", plain: event.plain, shared: null },
        { type: "count", plain: null, shared: event.shared },
      ];
  }
}

/** What an adapter makes of the line about a filter: of one that was cut, its whole levels and everything below. */
export function lineOf(filter: string): string {
  if (filter.length <= LINE_UNITS_MAX) return filter;
  return `${filter.slice(0, filter.lastIndexOf("/", LINE_UNITS_MAX - 1))}/#`;
}
