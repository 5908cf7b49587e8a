/**
 * Two to five clusters in a full mesh, each with a simulated broker, the real pure agent and a few local clients, under
 * a hostile network: chaos and calm take turns, and in each calm everything must have come right. One seed, one run.
 */
import { intersect, matches, minimalCover } from "../../src/topic/algebra.ts";
import { splitShared } from "../../src/topic/filter.ts";
import { Oracle, type OracleSubscription } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { SimAgent } from "./sim-agent.ts";
import { SimBroker } from "./sim-broker.ts";
import { CALM, SimNetwork } from "./sim-network.ts";
import { Timeline } from "./timeline.ts";

const START_MS = 1_800_000_000_000;
const CHAOS_MS = 60_000;
/** Long enough for the longest back-off, a missed heartbeat, a late message and the repair of a digest. */
const CALM_MS = 150_000;
/** Late messages of the chaos have all arrived by then: what starts anew afterwards does so without cause. */
const LATE_OVER_MS = 70_000;

export interface WorldResult {
  readonly seed: number;
  readonly failures: readonly string[];
  readonly steps: number;
  readonly published: number;
  readonly delivered: number;
  readonly expected: number;
  readonly faults: Readonly<Record<string, number>>;
}

interface Cluster {
  readonly name: string;
  readonly broker: SimBroker;
  readonly agent: SimAgent;
  readonly clients: Map<string, OracleSubscription>;
  reported: number;
}

export class World {
  readonly #seed: number;
  readonly #random: Prng;
  readonly #time = new Timeline(START_MS);
  readonly #network: SimNetwork;
  readonly #clusters: Cluster[] = [];
  readonly #oracle: Oracle;
  readonly #topics = new Map<string, readonly string[]>();
  readonly #exports = new Map<string, readonly string[]>();
  readonly #faults: Record<string, number> = {};
  readonly #packetBytesMax: number;
  #published = 0;
  #client = 0;
  #publishedAt = new Map<string, { publisher: string; atMs: number }>();
  #replies = new Set<string>();
  #trouble = false;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Prng(seed);
    const random = this.#random;
    this.#network = new SimNetwork(this.#time, random, (kind, from, to, bytes) => {
      const agent = this.#clusters.find(({ name }) => name === to)?.agent;
      if (kind === "ctl") agent?.control(from, bytes);
      else agent?.frame(from, bytes);
    });
    this.#oracle = new Oracle((publisher, receiver, topic) => this.#permits(publisher, receiver, topic));
    // Brokers with small packet limits split batches: order within a batch becomes order between messages.
    this.#packetBytesMax = random.chance(0.5) ? 1_400 : 256 * 1024;
    const names = ["a", "b", "c", "d", "e"].slice(0, random.int(2, 5));
    const localDelayMs = random.pick([1, 5, 100]);
    for (const name of names) {
      const broker = new SimBroker();
      const peers = names.filter((other) => other !== name);
      for (const peer of peers) {
        this.#topics.set(
          `${name} ${peer}`,
          random.pick([["#"], ["t/#"], ["t/+/1", "t/2/#", "reply/#"], ["t/#", "reply/+"], ["#"]]),
        );
        this.#exports.set(
          `${name} ${peer}`,
          random.pick([["#"], ["#"], ["t/#", "reply/#"], ["t/+/1", "t/2/+", "reply/+"]]),
        );
      }
      const agent = new SimAgent(
        {
          cluster: name,
          peers,
          localDelayMs,
          topics: (peer) => this.#topics.get(`${name} ${peer}`) ?? [],
          exportFilters: (peer) => this.#exports.get(`${name} ${peer}`) ?? [],
        },
        this.#time,
        random,
        broker,
        this.#network,
      );
      this.#clusters.push({ name, broker, agent, clients: new Map(), reported: 0 });
    }
  }

  /** For looking into a failed run. */
  get clusters(): readonly Cluster[] {
    return this.#clusters;
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  run(rounds: number): WorldResult {
    for (const cluster of this.#clusters) {
      this.#every(1_000, () => cluster.broker.sys());
      if (this.#random.chance(0.5)) this.#subscribe(cluster);
    }
    for (const cluster of this.#clusters) this.#time.after(this.#random.int(0, 20_000), () => this.#start(cluster));
    this.#time.runUntil(this.#time.nowMs + 30_000);
    this.#calm();
    for (let round = 0; round < rounds && this.#oracle.failures.length === 0; round += 1) {
      this.#chaos();
      this.#calm();
    }
    if (this.#oracle.failures.length === 0) this.#silence();
    return {
      seed: this.#seed,
      failures: this.#oracle.failures,
      steps: this.#time.steps,
      published: this.#published,
      delivered: this.#oracle.delivered,
      expected: this.#oracle.expected,
      faults: { ...this.#faults, ...this.#network.counts },
    };
  }

  // ── phases ───────────────────────────────────────────────────────────────────────────────────────

  #chaos(): void {
    const random = this.#random;
    const endMs = this.#time.nowMs + CHAOS_MS;
    this.#trouble = true;
    this.#network.weather = {
      drop: random.pick([0, 0.05, 0.3]),
      repeat: random.pick([0, 0.1]),
      late: random.pick([0, 0.01, 0.05]),
      delayMaxMs: random.pick([20, 300, 2_000]),
    };
    const fault = random.pick([0.5, 3, 10]);
    this.#randomly(endMs, fault * 1_000, () => this.#fault(endMs));
    this.#randomly(endMs, random.pick([20, 100, 1_000]), () => this.#publish(random.pick(this.#clusters)));
    this.#randomly(endMs, random.pick([100, 1_000]), () => this.#churn(random.pick(this.#clusters)));
    this.#time.runUntil(endMs);
  }

  #calm(): void {
    this.#network.weather = CALM;
    this.#trouble = false;
    for (const cluster of this.#clusters) {
      cluster.agent.loseEvents = false;
      if (!cluster.agent.running) this.#start(cluster);
      for (const other of this.#clusters) if (other !== cluster) this.#heal(cluster, other);
    }
    this.#time.runUntil(this.#time.nowMs + LATE_OVER_MS);
    const before = this.#bootstraps();
    this.#time.runUntil(this.#time.nowMs + CALM_MS - LATE_OVER_MS);
    const { failures } = this.#oracle;
    if (this.#bootstraps() !== before) failures.push("a bootstrap was sent in a calm without any cause");
    this.#watch();
    this.#oracle.settle(this.#clusters.map(({ name }) => name));
    this.#checkRoutes();
    if (failures.length === 0) this.#requests();
  }

  /** Everybody unsubscribes: after the last one nothing may be wanted, announced or subscribed any more. */
  #silence(): void {
    for (const cluster of this.#clusters)
      for (const client of [...cluster.clients.keys()]) this.#unsubscribe(cluster, client);
    this.#time.runUntil(this.#time.nowMs + CALM_MS);
    for (const { name, agent } of this.#clusters) {
      const status = agent.hub?.status(this.#time.nowMs);
      if (status === undefined || status.wide !== null) continue;
      for (const link of status.links) {
        if (link.out.routes > 0)
          this.#oracle.failures.push(
            `${name} still announces ${link.out.routes} routes to ${link.name} after the last unsubscribe`,
          );
      }
    }
  }

  /** A client that subscribes its reply topic and then asks always gets the reply. */
  #requests(): void {
    const random = this.#random;
    this.#replies.clear();
    let asked = 0;
    for (let i = 0; i < 10; i += 1) {
      const from = random.pick(this.#clusters);
      const to = random.pick(this.#clusters.filter((other) => other !== from));
      const reply = `reply/${this.#seed}-${this.#published}-${i}`;
      if (!this.#permits(to.name, from.name, reply) || !this.#permits(from.name, to.name, "t/2/1")) continue;
      const responder = `responder-${to.name}-${i}`;
      const session = to.broker.connect(responder, false, true);
      to.broker.subscribe(responder, "t/2/1");
      this.#time.runUntil(this.#time.nowMs + 3_000);
      to.broker.attach(session, (message) => {
        if (new TextDecoder().decode(message.payload) !== reply) return;
        to.broker.publish(responder, { topic: reply, payload: message.payload, qos: 1, properties: null });
      });
      const asker = `asker-${from.name}-${i}`;
      const inbox = from.broker.connect(asker, false, true);
      from.broker.attach(inbox, () => this.#replies.add(reply));
      from.broker.subscribe(asker, reply);
      from.broker.publish(asker, {
        topic: "t/2/1",
        payload: new TextEncoder().encode(reply),
        qos: 1,
        properties: null,
      });
      asked += 1;
      this.#time.runUntil(this.#time.nowMs + 3_000);
      from.broker.disconnect(asker);
      to.broker.disconnect(responder);
    }
    if (this.#replies.size !== asked)
      this.#oracle.failures.push(`${asked - this.#replies.size} of ${asked} replies were lost`);
    this.#time.runUntil(this.#time.nowMs + 5_000);
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────

  #fault(endMs: number): void {
    const random = this.#random;
    const cluster = random.pick(this.#clusters);
    const other = random.pick(this.#clusters.filter((candidate) => candidate !== cluster));
    const leftMs = endMs - this.#time.nowMs;
    const kind = random.pick(["cut", "cut", "cut", "blackHole", "kill", "cutData", "eventsGap", "clockBack"] as const);
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    switch (kind) {
      case "cut":
        this.#network.cut(cluster.name, other.name);
        cluster.agent.linkDown(other.name);
        this.#time.after(random.int(100, 20_000), () => this.#heal(cluster, other));
        break;
      case "blackHole": {
        const path = this.#network.path(cluster.name, other.name);
        path.blackHole = true;
        this.#time.after(random.int(1_000, 55_000), () => {
          path.blackHole = false;
        });
        break;
      }
      case "clockBack":
      case "kill": {
        if (!cluster.agent.running) break;
        if (kind === "clockBack") cluster.agent.clockOffsetMs -= random.int(1_000, 100_000);
        cluster.agent.kill();
        this.#watch();
        this.#oracle.publisherLost(cluster.name);
        this.#oracle.disturbed(cluster.name, this.#time.nowMs);
        for (const peer of this.#clusters) if (peer !== cluster) this.#network.cut(cluster.name, peer.name);
        this.#time.after(Math.min(random.int(10, 20_000), leftMs), () => this.#start(cluster));
        break;
      }
      case "cutData":
        this.#oracle.disturbed(cluster.name, this.#time.nowMs);
        cluster.agent.cutData(random.int(50, 5_000));
        break;
      case "eventsGap":
        cluster.agent.loseEvents = true;
        this.#time.after(random.int(500, 10_000), () => cluster.agent.eventsGap());
        break;
    }
  }

  #start(cluster: Cluster): void {
    if (cluster.agent.running) return;
    cluster.agent.start();
    cluster.reported = cluster.agent.events.length;
    for (const other of this.#clusters) {
      if (other !== cluster) this.#time.after(this.#random.int(1, 2_000), () => this.#heal(cluster, other));
    }
  }

  #heal(cluster: Cluster, other: Cluster): void {
    const path = this.#network.path(cluster.name, other.name);
    path.blackHole = false;
    if (path.up || !cluster.agent.running) return;
    path.up = true;
    path.will = cluster.agent.linkUp(other.name, this.#packetBytesMax);
  }

  #subscribe(cluster: Cluster): void {
    const random = this.#random;
    this.#client += 1;
    const client = `client-${cluster.name}-${this.#client}`;
    const filter = random.pick([
      "t/#",
      "#",
      "t/+/1",
      "t/1/+",
      "+/1/1",
      "t/2/#",
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `t/${random.int(1, 3)}/${random.int(1, 3)}`,
      `$share/g/t/${random.int(1, 3)}/#`,
      `deep/${"level/".repeat(random.int(1, 30))}${random.int(1, 500)}`,
    ]);
    const session = cluster.broker.connect(client, random.chance(0.3), true);
    cluster.broker.attach(session, (message) => {
      const id = new TextDecoder().decode(message.payload);
      const published = this.#publishedAt.get(id);
      if (published !== undefined && published.publisher !== cluster.name) {
        this.#oracle.received(cluster.name, client, published.publisher, id, published.atMs);
      }
    });
    cluster.broker.subscribe(client, filter);
    cluster.clients.set(client, this.#oracle.subscribed(cluster.name, client, filter));
  }

  #unsubscribe(cluster: Cluster, client: string): void {
    const subscription = cluster.clients.get(client);
    if (subscription === undefined) return;
    cluster.clients.delete(client);
    this.#oracle.unsubscribed(subscription);
    cluster.broker.unsubscribe(client, subscription.filter);
    cluster.broker.disconnect(client);
    cluster.broker.sessions.delete(client);
  }

  #churn(cluster: Cluster): void {
    if (cluster.clients.size < 6 && this.#random.chance(0.6)) this.#subscribe(cluster);
    else if (cluster.clients.size > 0) this.#unsubscribe(cluster, this.#random.pick([...cluster.clients.keys()]));
  }

  #publish(cluster: Cluster): void {
    const random = this.#random;
    this.#watch();
    this.#published += 1;
    const id = `m${this.#published}`;
    const topic = random.chance(0.9)
      ? `t/${random.int(1, 3)}/${random.int(1, 3)}`
      : random.pick(["t", "u/1", "t/2/1/x"]);
    this.#publishedAt.set(id, { publisher: cluster.name, atMs: this.#time.nowMs });
    if (cluster.agent.running) this.#oracle.published(cluster.name, topic, id, this.#time.nowMs);
    cluster.broker.publish("publisher", {
      topic,
      payload: new TextEncoder().encode(id),
      qos: 1,
      properties: null,
    });
  }

  /** Reads what the agents reported since: an expiry of routes is no secret loss. */
  #watch(): void {
    for (const cluster of this.#clusters) {
      const { events } = cluster.agent;
      for (; cluster.reported < events.length; cluster.reported += 1) {
        const event = events[cluster.reported];
        if (event?.type !== "routes_expired") continue;
        this.#faults["routesExpired"] = (this.#faults["routesExpired"] ?? 0) + 1;
        this.#oracle.routesLost(cluster.name, event.link);
      }
    }
  }

  // ── what must hold ───────────────────────────────────────────────────────────────────────────────

  #checkRoutes(): void {
    for (const cluster of this.#clusters) {
      const hub = cluster.agent.hub;
      if (hub === null) continue;
      const status = hub.status(this.#time.nowMs);
      for (const link of status.links) {
        if (link.status !== "connected")
          this.#oracle.failures.push(
            `${cluster.name} finds its link ${link.name} ${link.status} (out ${link.out.state}, in ${link.in.state})`,
          );
        const mismatches = link.conversation.find(({ what }) => what === "digest_mismatch");
        if (mismatches !== undefined)
          this.#oracle.failures.push(`${cluster.name} saw ${mismatches.count} digest mismatches with ${link.name}`);
        const peer = this.#clusters.find(({ name }) => name === link.name);
        const announced = [...(peer?.agent.hub?.link(cluster.name)?.routes.routes() ?? [])]
          .map(({ filter }) => filter)
          .sort();
        if (announced.length !== link.in.routes) {
          this.#oracle.failures.push(
            `${link.name} announces ${announced.length} routes, ${cluster.name} holds ${link.in.routes}`,
          );
        }
      }
      if (status.wide !== null) continue;
      for (const link of hub.links()) {
        const topics = this.#topics.get(`${cluster.name} ${link.name}`) ?? [];
        const wanted = [...cluster.clients.values()].flatMap(({ filter }) =>
          topics.flatMap((topic) => intersect(splitShared(filter).filter, topic) ?? []),
        );
        const expected = minimalCover(wanted).sort().join(" ");
        const found = [...link.routes.routes()]
          .map(({ filter }) => filter)
          .sort()
          .join(" ");
        if (expected !== found)
          this.#oracle.failures.push(
            `${cluster.name} announces [${found}] to ${link.name}, its clients want [${expected}]`,
          );
      }
    }
  }

  #bootstraps(): number {
    let count = 0;
    for (const { agent } of this.#clusters) {
      for (const link of agent.hub?.status(this.#time.nowMs).links ?? []) {
        count += link.conversation.find(({ what }) => what === "bootstrap_sent")?.count ?? 0;
      }
    }
    return count;
  }

  #permits(publisher: string, receiver: string, topic: string): boolean {
    const topics = this.#topics.get(`${receiver} ${publisher}`) ?? [];
    const exported = this.#exports.get(`${publisher} ${receiver}`) ?? [];
    return topics.some((filter) => matches(filter, topic)) && exported.some((filter) => matches(filter, topic));
  }

  #randomly(endMs: number, meanMs: number, act: () => void): void {
    const again = (): void => {
      if (this.#time.nowMs >= endMs || !this.#trouble) return;
      act();
      this.#time.after(1 + this.#random.next() * 2 * meanMs, again);
    };
    this.#time.after(this.#random.next() * meanMs, again);
  }

  #every(periodMs: number, act: () => void): void {
    const again = (): void => {
      act();
      this.#time.after(periodMs, again);
    };
    this.#time.after(periodMs, again);
  }
}
