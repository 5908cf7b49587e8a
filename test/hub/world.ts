/** Hubs joined by a wire, each with a local broker that answers at once. Everything queued moves on in `settle`. */
import { Hub, type LocalMessage } from "../../src/hub/hub.ts";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { HubOptions } from "../../src/hub/hub-options.ts";
import type { HubLinkOptions } from "../../src/hub/link-host.ts";
import type { Republish } from "../../src/hub/republish.ts";
import type { LinkStatus } from "../../src/hub/status.ts";
import type { StoredAnswer } from "../../src/hub/stored.ts";
import { covers } from "../../src/topic/algebra.ts";
import type { MessageProperties } from "../../src/wire/message.ts";

export function linkOptions(name: string, change: Partial<HubLinkOptions> = {}): HubLinkOptions {
  return {
    name,
    topics: ["#"],
    exportFilters: ["#"],
    dialsIn: false,
    routesMax: 1_000,
    routeRetentionMs: 60_000,
    framesInflightMax: 64,
    retryIntervalMs: 15_000,
    spool: { bytesMax: 1_000_000, ageMaxMs: 3_600_000, whenFull: "drop_oldest" },
    ...change,
  };
}

/** What the broker on the way answers to what an agent publishes for a peer. */
export interface WayBroker {
  readonly frame: () => number;
  readonly control: () => number;
  /** Says nothing of what it refuses. */
  readonly silent?: boolean;
}

export class Agent {
  readonly hub: Hub;
  readonly cluster: string;
  readonly reports: HubEvent[] = [];
  readonly republished: Republish[] = [];
  readonly strangerAnswers: { to: string; as: string; bytes: Uint8Array }[] = [];
  /** What the local broker holds of ours. */
  readonly demand = new Map<string, number>();
  /** Every SUBSCRIBE so far, as `filter=identifier`. */
  readonly subscribes: string[] = [];
  /** Filters that the local broker refuses. */
  readonly refuses = new Set<string>();
  /** What it answers to republishes; null: nothing, yet. */
  answer: number | null = 0;
  controlSent = 0;
  /** Frames that the way to a peer loses without a word. */
  swallows: (bytes: Uint8Array) => boolean = () => false;
  /** What the local broker has retained on the filters. */
  stored: (filters: readonly string[]) => StoredAnswer = () => ({ outcome: "whole", messages: [] });
  /** Tokens of local messages in the order of their acknowledgement. */
  readonly acknowledged: number[] = [];
  /** What outlives the agent. */
  readonly saved = new Map<string, Uint8Array>();
  /** Null: takes all and answers nothing. */
  broker: WayBroker | null = null;
  readonly #world: World;
  readonly #todo: (() => void)[] = [];

  constructor(world: World, cluster: string, links: readonly HubLinkOptions[], change: Partial<HubOptions> = {}) {
    this.#world = world;
    this.cluster = cluster;
    const options: HubOptions = {
      cluster,
      agentVersion: "test",
      controlPrefix: "$LINK",
      incarnation: 1_000,
      instance: "00000000000000".concat(cluster.charCodeAt(0).toString(16)),
      interest: {
        ownClients: new Set(),
        ignoreClients: [],
        untrackedSubscriptions: 0,
        atStart: "none",
        trustAfterMs: null,
        controlPrefix: "$LINK",
        rowsMax: 1_000,
      },
      demandMax: 1_000,
      links,
      disabledLinks: [],
      randomHex16: () => world.hex16(),
      ...change,
    };
    this.hub = new Hub(
      options,
      {
        subscribe: (batch, filters) =>
          this.#later(() => {
            this.subscribes.push(...filters.map(({ filter, id }) => `${filter}=${id}`));
            for (const { filter, id } of filters) if (!this.refuses.has(filter)) this.demand.set(filter, id);
            this.hub.subscribed(
              batch,
              filters.map(({ filter }) => (this.refuses.has(filter) ? 0x87 : 1)),
              world.nowMs,
            );
          }),
        unsubscribe: (batch, filters) =>
          this.#later(() => {
            for (const filter of filters) this.demand.delete(filter);
            this.hub.unsubscribed(batch, [], world.nowMs);
          }),
        sendMarker: (marker) => this.#later(() => this.hub.markerArrived(marker, world.nowMs)),
        acknowledge: (ack) => this.acknowledged.push(ack),
        save: (key, value) => {
          if (value === null) this.saved.delete(key);
          else this.saved.set(key, value);
        },
        republish: (token, message) => {
          this.republished.push(message);
          const { answer } = this;
          if (token !== null && answer !== null) this.#later(() => this.hub.republished(token, answer, world.nowMs));
        },
        readStored: (reading, filters) =>
          this.#later(() => this.hub.stored(reading, this.stored(filters), world.nowMs)),
        sendControl: (link, bytes) => {
          this.controlSent += 1;
          const answer = this.broker?.control() ?? 0;
          this.#later(() => {
            if (answer === 0) world.agents.get(link)?.hub.control(link, cluster, bytes, world.nowMs);
            if (this.broker?.silent !== true) this.hub.link(link)?.passage.controlAnswered(answer);
          });
        },
        peerGreeted: () => {},
        congested: () => false,
        answerStranger: (to, as, bytes) => this.strangerAnswers.push({ to, as, bytes }),
        sendFrame: (link, _frame, bytes, confirm) => {
          if (this.swallows(bytes)) return;
          const answer = this.broker?.frame() ?? 0;
          this.#later(() => {
            if (answer === 0) world.agents.get(link)?.hub.frame(cluster, bytes, 0, world.nowMs);
            if (confirm) this.hub.link(link)?.passage.frameAnswered(answer);
          });
        },
        report: (event) => this.reports.push(event),
      },
      world.nowMs,
    );
  }

  #later(act: () => void): void {
    this.#todo.push(act);
  }

  /** Answers whether anything was to be done. */
  turn(): boolean {
    const todo = this.#todo.splice(0);
    for (const act of todo) act();
    this.hub.tick(this.#world.nowMs);
    this.hub.flush(this.#world.nowMs);
    return todo.length > 0 || this.#todo.length > 0;
  }

  subscribe(filter: string, client = "client"): void {
    this.hub.interestEvent({ type: "subscribed", client, filter, certain: true }, this.#world.nowMs);
  }

  unsubscribe(filter: string, client = "client"): void {
    this.hub.interestEvent({ type: "unsubscribed", client, filter, certain: true }, this.#world.nowMs);
  }

  /** A local client publishes: the broker sends us a copy for each filter of ours that matches. */
  publish(topic: string, text: string, change: Partial<LocalMessage> = {}): void {
    for (const [filter, id] of this.demand)
      if (covers(filter, topic)) this.copy(topic, text, { subscriptionIds: [id], ...change });
  }

  /** One copy of a message arrives on the data session. */
  copy(topic: string, text: string, change: Partial<LocalMessage> = {}): void {
    this.hub.localMessage(
      {
        topic,
        payload: new TextEncoder().encode(text),
        qos: 1,
        retain: false,
        properties: null,
        expirySeconds: null,
        subscriptionIds: [],
        ...change,
      },
      this.#world.nowMs,
    );
  }

  link(name: string): LinkStatus {
    const link = this.hub.status(this.#world.nowMs).links.find((status) => status.name === name);
    if (link === undefined) throw new Error(`no link ${name}`);
    return link;
  }

  /** Drops of a link as `direction reason count`. */
  drops(name: string): string[] {
    return this.link(name).dropped.map(({ direction, reason, count }) => `${direction} ${reason} ${count}`);
  }

  counted(name: string, what: string): number {
    return this.link(name).conversation.find((counter) => counter.what === what)?.count ?? 0;
  }

  get local(): Readonly<Record<string, number>> {
    return this.hub.status(this.#world.nowMs).local;
  }

  /** Republished messages as `topic=payload`. */
  get delivered(): string[] {
    return this.republished.map(({ topic, payload }) => `${topic}=${new TextDecoder().decode(payload)}`);
  }

  userProperties(at: number): MessageProperties["userProperties"] {
    return this.republished[at]?.properties?.userProperties;
  }

  reported(type: HubEvent["type"]): HubEvent[] {
    return this.reports.filter((event) => event.type === type);
  }
}

export class World {
  readonly agents = new Map<string, Agent>();
  nowMs = 1_000;
  #hex = 0;

  add(cluster: string, links: readonly HubLinkOptions[], change: Partial<HubOptions> = {}): Agent {
    const agent = new Agent(this, cluster, links, change);
    this.agents.set(cluster, agent);
    agent.hub.dataUp(false, true, false, this.nowMs);
    return agent;
  }

  connect(): void {
    for (const agent of this.agents.values())
      for (const link of agent.hub.links()) agent.hub.linkUp(link.name, 1_000_000, this.nowMs);
    this.settle();
  }

  /** Until nothing moves any more. */
  settle(): void {
    for (let round = 0; round < 1_000; round += 1) {
      const busy = [...this.agents.values()].map((agent) => agent.turn());
      if (!busy.includes(true)) return;
    }
    throw new Error("the agents do not come to rest");
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.settle();
  }

  hex16(): string {
    this.#hex += 1;
    return this.#hex.toString(16).padStart(16, "0");
  }
}

/** Two clusters, joined and at rest. `a` and `b` change their links' options. */
export function pair(
  a: Partial<HubLinkOptions> = {},
  b: Partial<HubLinkOptions> = {},
): { world: World; a: Agent; b: Agent } {
  const world = new World();
  const made = { world, a: world.add("a", [linkOptions("b", a)]), b: world.add("b", [linkOptions("a", b)]) };
  world.connect();
  return made;
}
