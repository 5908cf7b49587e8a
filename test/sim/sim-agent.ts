/**
 * One agent of the simulation: the real Hub, with the simulated broker and network where the shells would be. It does
 * what src/agent does, in virtual time: events and control bytes as they come, messages and what leaves at turn's end.
 */
import { Hub, type HubOptions, type LocalMessage } from "../../src/hub/hub.ts";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { Outlet } from "../../src/hub/outlet.ts";
import type { InterestEvent } from "../../src/route/interest-event.ts";
import type { Prng } from "./prng.ts";
import type { SimBroker, SimEvent, SimMessage, SimSession } from "./sim-broker.ts";
import type { Timeline } from "./timeline.ts";

const MARK_TOPIC = "$LINK/mark";

export interface SimNetwork {
  control(from: string, to: string, bytes: Uint8Array): void;
  frame(from: string, to: string, bytes: Uint8Array): void;
}

export interface SimAgentOptions {
  readonly cluster: string;
  readonly peers: readonly string[];
  readonly topics: (peer: string) => readonly string[];
  readonly exportFilters: (peer: string) => readonly string[];
  /** Longest delay of a packet between agent and local broker. */
  readonly localDelayMs: number;
}

export class SimAgent {
  readonly options: SimAgentOptions;
  readonly events: HubEvent[] = [];
  hub: Hub | null = null;
  /** Losing event lines: the fault that makes an agent announce more. */
  loseEvents = false;
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #broker: SimBroker;
  readonly #network: SimNetwork;
  #life = 0;
  #messages: LocalMessage[] = [];
  #turnDue = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #data: SimSession | null = null;
  /** Counts the data session's connections: what an old one still carries is void. */
  #dataEpoch = 0;
  /** Sent by the broker, not received yet: a broker sends it again after a reconnect. */
  #underWay: SimMessage[] = [];
  /** Packets between agent and broker keep their order within a direction. */
  #toBrokerAtMs = 0;
  #fromBrokerAtMs = 0;
  #eventsAtMs = 0;
  #refreshAtMs = 0;
  clockOffsetMs = 0;

  constructor(options: SimAgentOptions, time: Timeline, random: Prng, broker: SimBroker, network: SimNetwork) {
    this.options = options;
    this.#time = time;
    this.#random = random;
    this.#broker = broker;
    this.#network = network;
  }

  get running(): boolean {
    return this.hub !== null;
  }

  start(): void {
    this.#life += 1;
    const { cluster, peers, topics, exportFilters } = this.options;
    const options: HubOptions = {
      cluster,
      agentVersion: "sim",
      controlPrefix: "$LINK",
      incarnation: this.#now(),
      instance: this.#random.hex16(),
      randomHex16: () => this.#random.hex16(),
      demandMax: 50_000,
      interest: {
        ownClients: new Set([`${cluster}-data`, `${cluster}-events`]),
        ignoreClients: [],
        untrackedSubscriptions: 0,
        atStart: "unknown",
        trustAfterMs: null,
        controlPrefix: "$LINK",
        rowsMax: 100_000,
      },
      links: peers.map((name) => ({
        name,
        topics: topics(name),
        exportFilters: exportFilters(name),
        dialsIn: false,
        routesMax: 10_000,
        routeRetentionMs: 60_000,
        framesInflightMax: 64,
        retryIntervalMs: 15_000,
        spool: { bytesMax: 64 * 1024 * 1024, ageMaxMs: 24 * 3_600_000, whenFull: "drop_oldest" as const },
      })),
      disabledLinks: [],
    };
    this.hub = new Hub(options, this.#outlet(), this.#now());
    this.#messages = [];
    this.#connectEvents();
    this.connectData(true);
  }

  /** kill -9: nothing is said, nothing is kept. The broker notices. */
  kill(): void {
    this.hub = null;
    this.#life += 1;
    this.#dataEpoch += 1;
    this.#messages = [];
    this.#underWay = [];
    this.#broker.observer = null;
    this.#broker.disconnect(`${this.options.cluster}-data`);
    this.#broker.disconnect(`${this.options.cluster}-events`);
    this.#data = null;
  }

  /** Answers the Will that the new connection leaves at the peer's broker. */
  linkUp(peer: string, packetBytesMax: number): Uint8Array | null {
    const will = this.hub?.will(peer) ?? null;
    this.#in((hub, nowMs) => hub.linkUp(peer, packetBytesMax, nowMs));
    return will;
  }

  linkDown(peer: string): void {
    this.#in((hub, nowMs) => hub.linkDown(peer, "cut", nowMs));
  }

  control(from: string, bytes: Uint8Array): void {
    this.#in((hub, nowMs) => hub.control(this.options.cluster, from, bytes, nowMs));
  }

  frame(from: string, bytes: Uint8Array): void {
    this.#in((hub, nowMs) => hub.frame(from, bytes, 0, nowMs));
  }

  /** The data session's connection breaks; it comes back with its queue. */
  cutData(forMs: number): void {
    if (this.hub === null || this.#data === null) return;
    this.#data.deliver = null;
    this.#data.connected = false;
    this.#data.queue.unshift(...this.#underWay.filter((message) => message.qos === 1));
    this.#underWay = [];
    this.#data = null;
    this.#dataEpoch += 1;
    this.#in((hub, nowMs) => {
      this.#drain(hub, nowMs);
      hub.dataDown();
    });
    this.#afterLife(forMs, () => this.connectData(false));
  }

  connectData(cleanStart: boolean): void {
    const client = `${this.options.cluster}-data`;
    const present = !cleanStart && this.#broker.sessions.has(client);
    const session = this.#broker.connect(client, true, cleanStart);
    this.#data = session;
    this.#dataEpoch += 1;
    const epoch = this.#dataEpoch;
    this.#broker.subscribe(client, MARK_TOPIC);
    // The CONNACK precedes what the session holds for us.
    this.#fromBroker(() => this.#in((hub, nowMs) => hub.dataUp(present, true, false, nowMs)));
    this.#broker.attach(session, (message) => {
      this.#underWay.push(message);
      this.#fromBroker(() => {
        if (this.#dataEpoch !== epoch) return;
        this.#underWay.shift();
        this.#received(message);
      });
    });
  }

  #received(message: SimMessage): void {
    if (message.topic === MARK_TOPIC) {
      this.#in((hub, nowMs) => {
        this.#drain(hub, nowMs);
        hub.markerArrived(Number(new TextDecoder().decode(message.payload)), nowMs);
      });
      return;
    }
    this.#messages.push({
      topic: message.topic,
      payload: message.payload,
      qos: message.qos,
      retain: false,
      properties: message.properties,
      expirySeconds: null,
      subscriptionIds: message.ids,
    });
    this.#turn();
  }

  #connectEvents(): void {
    const life = this.#life;
    const client = `${this.options.cluster}-events`;
    this.#broker.observer = (event) => {
      if (this.loseEvents) return;
      this.#eventsAtMs = Math.max(this.#eventsAtMs, this.#time.nowMs + this.#random.next() * this.options.localDelayMs);
      this.#time.after(this.#eventsAtMs - this.#time.nowMs, () => {
        if (this.#life === life) this.#event(event);
      });
    };
    this.#broker.connect(client, false, true);
    this.#broker.subscribe(client, "$SYS/#");
    this.#in((hub, nowMs) => hub.interestEvent({ type: "events_enabled", enabled: true }, nowMs));
  }

  /** The events session was away too long: lines are missing, and the adapter says so. */
  eventsGap(): void {
    this.loseEvents = false;
    this.#in((hub, nowMs) => hub.interestEvent({ type: "gap", reason: "away_too_long" }, nowMs));
  }

  #event(event: SimEvent): void {
    this.#in((hub, nowMs) => {
      for (const translated of translate(event)) hub.interestEvent(translated, nowMs);
    });
  }

  #outlet(): Outlet {
    const life = this.#life;
    const { cluster } = this.options;
    const alive = (work: (hub: Hub, nowMs: number) => void): void => {
      if (this.#life === life) this.#in(work);
    };
    return {
      subscribe: (batch, filters) => {
        const epoch = this.#dataEpoch;
        this.#toBroker(() => {
          if (this.#dataEpoch !== epoch) return;
          for (const { filter, id } of filters) this.#broker.subscribe(`${cluster}-data`, filter, id, true);
          // A SUBACK is written at once; queued messages may wait for their window behind it.
          this.#soon(() => {
            if (this.#dataEpoch === epoch)
              this.#answerData(alive, (hub, nowMs) =>
                hub.subscribed(
                  batch,
                  filters.map(() => 1),
                  nowMs,
                ),
              );
          });
        });
      },
      unsubscribe: (batch, filters) => {
        const epoch = this.#dataEpoch;
        this.#toBroker(() => {
          if (this.#dataEpoch !== epoch) return;
          for (const filter of filters) this.#broker.unsubscribe(`${cluster}-data`, filter);
          this.#soon(() => {
            if (this.#dataEpoch === epoch)
              this.#answerData(alive, (hub, nowMs) =>
                hub.unsubscribed(
                  batch,
                  filters.map(() => 0),
                  nowMs,
                ),
              );
          });
        });
      },
      sendMarker: (marker) => {
        const epoch = this.#dataEpoch;
        this.#toBroker(() => {
          if (this.#dataEpoch !== epoch) return;
          const payload = new TextEncoder().encode(String(marker));
          this.#broker.publish(`${cluster}-data`, { topic: MARK_TOPIC, payload, qos: 1, properties: null });
        });
      },
      republish: (token, message) => {
        const epoch = this.#dataEpoch;
        this.#toBroker(() => {
          if (this.#dataEpoch !== epoch) return;
          this.#broker.publish(`${cluster}-data`, message);
          if (token === null) return;
          this.#fromBroker(() => {
            if (this.#dataEpoch === epoch) alive((hub, nowMs) => hub.republished(token, 0, nowMs));
          });
        });
      },
      sendControl: (link, bytes) => this.#network.control(cluster, link, bytes),
      answerStranger: () => {},
      peerGreeted: () => {},
      sendFrame: (link, _frame, bytes) => this.#network.frame(cluster, link, bytes),
      report: (event) => {
        if (this.events.length < 1000) this.events.push(event);
      },
    };
  }

  #answerData(alive: (work: (hub: Hub, nowMs: number) => void) => void, work: (hub: Hub, nowMs: number) => void): void {
    alive((hub, nowMs) => {
      this.#drain(hub, nowMs);
      work(hub, nowMs);
    });
  }

  #toBroker(act: () => void): void {
    this.#toBrokerAtMs = Math.max(
      this.#toBrokerAtMs,
      this.#time.nowMs + this.#random.next() * this.options.localDelayMs,
    );
    this.#time.after(this.#toBrokerAtMs - this.#time.nowMs, act);
  }

  #fromBroker(act: () => void): void {
    const life = this.#life;
    // An event that the broker wrote before a message is readable before it: the agent reads events first.
    this.#fromBrokerAtMs = Math.max(
      this.#fromBrokerAtMs,
      this.#eventsAtMs,
      this.#time.nowMs + this.#random.next() * this.options.localDelayMs,
    );
    this.#time.after(this.#fromBrokerAtMs - this.#time.nowMs, () => {
      if (this.#life === life) act();
    });
  }

  #soon(act: () => void): void {
    this.#time.after(this.#random.next() * this.options.localDelayMs, act);
  }

  #afterLife(delayMs: number, act: () => void): void {
    const life = this.#life;
    this.#time.after(delayMs, () => {
      if (this.#life === life) act();
    });
  }

  #in(work: (hub: Hub, nowMs: number) => void): void {
    if (this.hub === null) return;
    work(this.hub, this.#now());
    this.#turn();
  }

  #now(): number {
    return Math.floor(this.#time.nowMs + this.clockOffsetMs);
  }

  #turn(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#time.after(0, () => {
      this.#turnDue = false;
      const hub = this.hub;
      if (hub === null) return;
      const nowMs = this.#now();
      hub.tick(nowMs);
      this.#drain(hub, nowMs);
      if (hub.interest.wantsFreshCount && this.#time.nowMs >= this.#refreshAtMs) {
        this.#refreshAtMs = this.#time.nowMs + 5_000;
        this.#broker.touchCount();
      }
      hub.flush(nowMs);
      this.#wake(hub);
    });
  }

  #wake(hub: Hub): void {
    const atMs = hub.deadlineMs - this.clockOffsetMs;
    if (atMs === Number.POSITIVE_INFINITY || (atMs >= this.#wakeAtMs && this.#wakeAtMs > this.#time.nowMs)) return;
    this.#wakeAtMs = atMs;
    this.#time.after(Math.max(1, atMs - this.#time.nowMs), () => {
      if (this.#wakeAtMs === atMs) this.#wakeAtMs = Number.POSITIVE_INFINITY;
      if (this.hub !== null) this.#turn();
    });
  }

  #drain(hub: Hub, nowMs: number): void {
    const messages = this.#messages;
    this.#messages = [];
    for (const message of messages) hub.localMessage(message, nowMs);
  }
}

function translate(event: SimEvent): InterestEvent[] {
  switch (event.type) {
    case "connected":
      return [
        {
          type: "connected",
          client: event.client,
          cleanStart: event.cleanStart,
          session: event.persistent ? "outlives_connection" : "with_connection",
        },
      ];
    case "disconnected":
      return [{ type: "disconnected", client: event.client }];
    case "subscribed":
      return [{ type: "subscribed", client: event.client, filter: event.filter, certain: true }];
    case "unsubscribed":
      return [{ type: "unsubscribed", client: event.client, filter: event.filter, certain: true }];
    case "count":
      return [
        { type: "count", plain: event.plain, shared: null },
        { type: "count", plain: null, shared: event.shared },
      ];
  }
}
