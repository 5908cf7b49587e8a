/** One cluster of the simulation of states: a broker that retains, its clients, and the real Hub with its sessions in virtual time. */
import { Hub } from "../../src/hub/hub.ts";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { Republish } from "../../src/hub/republish.ts";
import type { StoredMessage } from "../../src/hub/stored.ts";
import { matches } from "../../src/topic/algebra.ts";
import type { MessageProperties } from "../../src/wire/message.ts";
import type { Prng } from "./prng.ts";
import type { Timeline } from "./timeline.ts";

/** Who sets a retained value: a client, or the agent, for a message that was published on the other side or for a state. */
export type Setter = "client" | "live" | "state";

export interface Retained {
  readonly text: string;
  readonly properties: MessageProperties | null;
}

/** Where bytes for the peer go. */
export interface StatesNetwork {
  control(from: string, bytes: Uint8Array): void;
  frame(from: string, bytes: Uint8Array): void;
}

export interface SiteShape {
  readonly name: string;
  readonly peer: string;
  readonly topics: readonly string[];
  readonly retained: "strip" | "sync";
  /** The longest delay of a packet, on the session that reads and on the data session. */
  readonly delayMs: number;
  readonly dataDelayMs: number;
}

export class StatesSite {
  readonly retained = new Map<string, Retained>();
  /** Hears of every change of what is retained, before it happens. */
  onRetained: (topic: string, text: string, by: Setter) => void = () => {};
  readonly problems: HubEvent[] = [];
  /** Readings that the broker does not answer. */
  readingsFail = false;
  /** All that the agent published here. */
  republished = 0;
  hub: Hub | null = null;
  readonly #shape: SiteShape;
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #network: StatesNetwork;
  #demand = new Map<string, number>();
  /** Counts connections of the data session. */
  #epoch = 0;
  #dataUp = false;
  #toBrokerAtMs = 0;
  #fromBrokerAtMs = 0;
  #turnDue = false;
  /** States that the agent has published in this life. */
  #states = 0;

  constructor(shape: SiteShape, time: Timeline, random: Prng, network: StatesNetwork) {
    this.#shape = shape;
    this.#time = time;
    this.#random = random;
    this.#network = network;
  }

  /** A life without memory. */
  start(): void {
    const { name, peer, topics, retained } = this.#shape;
    const spool = { bytesMax: 10_000_000, ageMaxMs: 3_600_000, whenFull: "drop_oldest" } as const;
    const hub = new Hub(
      {
        cluster: name,
        agentVersion: "sim",
        controlPrefix: "$LINK",
        incarnation: Math.floor(this.#time.nowMs) + 1,
        instance: this.#random.hex16(),
        randomHex16: () => this.#random.hex16(),
        demandMax: 1_000,
        interest: {
          ownClients: new Set(),
          ignoreClients: [],
          untrackedSubscriptions: 0,
          atStart: "none",
          trustAfterMs: null,
          controlPrefix: "$LINK",
          rowsMax: 1_000,
        },
        links: [
          {
            name: peer,
            topics,
            exportFilters: ["#"],
            dialsIn: false,
            routesMax: 1_000,
            routeRetentionMs: 60_000,
            framesInflightMax: 64,
            retryIntervalMs: 15_000,
            spool,
            retained,
          },
        ],
        disabledLinks: [],
      },
      {
        subscribe: (batch, filters) =>
          this.#toBroker(() => {
            for (const { filter, id } of filters) this.#demand.set(filter, id);
            this.#fromBroker((awake, nowMs) =>
              awake.subscribed(
                batch,
                filters.map(() => 1),
                nowMs,
              ),
            );
          }),
        unsubscribe: (batch, filters) =>
          this.#toBroker(() => {
            for (const filter of filters) this.#demand.delete(filter);
            this.#fromBroker((awake, nowMs) => awake.unsubscribed(batch, [], nowMs));
          }),
        sendMarker: (marker) =>
          this.#toBroker(() => this.#fromBroker((awake, nowMs) => awake.markerArrived(marker, nowMs))),
        republish: (token, message) => this.#republish(token, message),
        readStored: (reading, filters) => this.#read(reading, filters),
        sendControl: (_link, bytes) => this.#network.control(name, bytes),
        sendFrame: (_link, _frame, bytes) => this.#network.frame(name, bytes),
        acknowledge: () => {},
        save: () => {},
        peerGreeted: () => {},
        answerStranger: () => {},
        congested: () => false,
        report: (event) => this.problems.push(event),
      },
      Math.floor(this.#time.nowMs),
    );
    this.hub = hub;
    this.#demand = new Map();
    this.#states = 0;
    this.dataUp(false);
  }

  kill(): void {
    this.dataDown();
    this.hub = null;
  }

  dataUp(present = true): void {
    if (this.#dataUp || this.hub === null) return;
    this.#dataUp = true;
    this.#epoch += 1;
    this.into((hub, nowMs) => hub.dataUp(present, true, false, nowMs));
  }

  dataDown(): void {
    if (!this.#dataUp) return;
    this.#dataUp = false;
    this.#epoch += 1;
    this.into((hub) => hub.dataDown());
  }

  subscribe(client: string, filter: string): void {
    this.into((hub, nowMs) => hub.interestEvent({ type: "subscribed", client, filter, certain: true }, nowMs));
  }

  unsubscribe(client: string, filter: string): void {
    this.into((hub, nowMs) => hub.interestEvent({ type: "unsubscribed", client, filter, certain: true }, nowMs));
  }

  /** A client of this cluster. An empty text deletes. */
  publish(topic: string, text: string, qos: 0 | 1): void {
    this.#store(topic, text, null, "client");
    const payload = new TextEncoder().encode(text);
    const about = { topic, payload, qos, retain: true, properties: null, expirySeconds: null };
    for (const [filter, id] of this.#demand) {
      if (!matches(filter, topic)) continue;
      this.#fromBroker((hub, nowMs) => hub.localMessage({ ...about, subscriptionIds: [id] }, nowMs));
    }
  }

  into(work: (hub: Hub, nowMs: number) => void): void {
    if (this.hub === null) return;
    work(this.hub, Math.floor(this.#time.nowMs));
    this.#turn();
  }

  #store(topic: string, text: string, properties: MessageProperties | null, by: Setter): void {
    this.onRetained(topic, text, by);
    if (text === "") this.retained.delete(topic);
    else this.retained.set(topic, { text, properties });
  }

  #republish(token: number | null, { topic, payload, retain, properties }: Republish): void {
    const [link] = this.hub?.links() ?? [];
    const states = link?.states.counters.published ?? 0;
    const by = states > this.#states ? "state" : "live";
    this.#states = states;
    this.#toBroker(() => {
      this.republished += 1;
      if (retain) this.#store(topic, new TextDecoder().decode(payload), properties, by);
      if (token !== null) this.#fromBroker((hub, nowMs) => hub.republished(token, 0, nowMs));
    });
  }

  /** On a session of its own: it overtakes the data session, and is overtaken. */
  #read(reading: number, filters: readonly string[]): void {
    const { hub } = this;
    this.#time.after(this.#delay(), () => {
      const messages: StoredMessage[] = [];
      for (const [topic, { text, properties }] of this.retained) {
        if (!filters.some((filter) => matches(filter, topic))) continue;
        messages.push({ topic, payload: new TextEncoder().encode(text), properties, expirySeconds: null });
      }
      const outcome = this.readingsFail ? "failed" : "whole";
      this.#time.after(this.#delay(), () => {
        if (this.hub !== hub) return;
        this.into((awake, nowMs) =>
          awake.stored(reading, { outcome, messages: outcome === "failed" ? [] : messages }, nowMs),
        );
      });
    });
  }

  #delay(): number {
    return this.#random.next() * this.#shape.delayMs;
  }

  #dataDelay(): number {
    return this.#random.next() * this.#shape.dataDelayMs;
  }

  #toBroker(act: () => void): void {
    const epoch = this.#epoch;
    this.#toBrokerAtMs = Math.max(this.#toBrokerAtMs, this.#time.nowMs + this.#dataDelay());
    this.#time.after(this.#toBrokerAtMs - this.#time.nowMs, () => {
      if (this.#epoch === epoch) act();
    });
  }

  #fromBroker(work: (hub: Hub, nowMs: number) => void): void {
    const epoch = this.#epoch;
    this.#fromBrokerAtMs = Math.max(this.#fromBrokerAtMs, this.#time.nowMs + this.#dataDelay());
    this.#time.after(this.#fromBrokerAtMs - this.#time.nowMs, () => {
      if (this.#epoch === epoch) this.into(work);
    });
  }

  #turn(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#time.after(0, () => {
      this.#turnDue = false;
      const { hub } = this;
      if (hub === null) return;
      const nowMs = Math.floor(this.#time.nowMs);
      hub.tick(nowMs);
      hub.flush(nowMs);
      const { deadlineMs } = hub;
      if (deadlineMs === Number.POSITIVE_INFINITY) return;
      this.#time.after(Math.max(1, deadlineMs - this.#time.nowMs), () => {
        if (this.hub === hub) this.#turn();
      });
    });
  }
}
