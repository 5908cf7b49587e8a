/**
 * Two to five clusters in a full mesh, each with a simulated broker, the real pure agent and a few local clients, under
 * a hostile network: chaos and calm take turns, and in each calm everything must have come right. One seed, one run.
 */
import type { HubEvent } from "../../src/hub/hub-event.ts";
import { Faults } from "./faults.ts";
import { ForeignBridge } from "./foreign-bridge.ts";
import { HotChanges } from "./hot-changes.ts";
import { wants, whatIsSavedWrong, whatIsWrong } from "./invariants.ts";
import { Oracle, type Published } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { WorldShape } from "./shape.ts";
import { ID_PROPERTY, idOf } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";
import { CALM, SimNetwork } from "./sim-network.ts";
import { Timeline } from "./timeline.ts";
import { Witness } from "./witness.ts";

const START_MS = 1_800_000_000_000;
const CHAOS_MS = 60_000;
/** Long enough for the longest back-off, a missed heartbeat, a late message and the repair of a digest. */
const CALM_MS = 150_000;
/** Late messages of the chaos have all arrived by then: what starts anew afterwards does so without cause. */
const LATE_OVER_MS = 70_000;
/** A circle is found and stopped well within this. */
const CIRCLE_OVER_MS = 120_000;
/** Far more than any run takes that is not stuck. */
const STEPS_MAX = 5_000_000;
const BURST = 12;
const REQUESTS = 5;
const REQUEST_MS = 2_500;
/** Keeps a second source of luck apart from the first. */
const LATER_SEED = 1_000_003;
/** And a third. */
const HOT_SEED = 2_000_003;

export interface WorldResult {
  readonly seed: number;
  readonly failures: readonly string[];
  readonly steps: number;
  /** Messages published, deliveries expected and made, and so on. */
  readonly counts: Readonly<Record<string, number>>;
  /** What went wrong on purpose, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

export class World {
  readonly clusters: readonly SimCluster[];
  readonly #seed: number;
  readonly #random: Prng;
  readonly #time = new Timeline(START_MS);
  readonly #shape: WorldShape;
  readonly #network: SimNetwork;
  readonly #oracle: Oracle;
  readonly #witness = new Witness();
  readonly #faults: Faults;
  readonly #hot: HotChanges;
  readonly #bridge: ForeignBridge | null;
  readonly #messages = new Map<string, Published>();
  /** Messages that the agent of their cluster has taken in hand. */
  readonly #taken = new Set<string>();
  #published = 0;
  #replies = 0;
  #routesExpired = 0;
  #trouble = false;

  constructor(seed: number) {
    this.#seed = seed;
    const random = new Prng(seed);
    this.#random = random;
    const shape = new WorldShape(random, new Prng(seed + LATER_SEED));
    this.#shape = shape;
    const network = new SimNetwork(this.#time, random, shape, (name) =>
      this.clusters.flatMap(({ name: own, agent, double }) =>
        own !== name ? [] : double === null ? [agent] : [agent, double],
      ),
    );
    this.#network = network;
    const oracle = new Oracle(shape.permits.bind(shape), shape.mayHavePermitted.bind(shape));
    this.#oracle = oracle;
    const known = (id: string): Published | undefined => this.#messages.get(id);
    const parts = { shape, time: this.#time, random, network, oracle, known };
    this.clusters = shape.clusters.map((cluster) => new SimCluster(cluster, parts));
    for (const cluster of this.clusters) {
      const { name, agent } = cluster;
      agent.onReport = (event) => this.#reported(cluster, event);
      agent.onLocal = (message) => void this.#taken.add(`${name} ${idOf(message)}`);
      agent.onRepublish = (message) => {
        const published = known(idOf(message));
        if (published !== undefined) oracle.crossed(name, published);
      };
    }
    this.#faults = new Faults({
      ...parts,
      witness: this.#witness,
      clusters: this.clusters,
      idOf,
      changed: () => this.#burst(),
      forgotten: (name, ids) => {
        for (const id of ids) this.#taken.delete(`${name} ${id}`);
        oracle.takenAgain(name, new Set(ids));
      },
    });
    const { clusters } = this;
    const [hot, changed, faults, witness] = [
      new Prng(seed + HOT_SEED),
      () => this.#burst(),
      this.#faults,
      this.#witness,
    ];
    this.#hot = new HotChanges({ ...parts, random: hot, witness, clusters, faults, changed });
    const [a, b] = this.clusters;
    this.#bridge =
      random.chance(0.1) && a !== undefined && b !== undefined
        ? new ForeignBridge(a.broker, b.broker, this.#time, random)
        : null;
  }

  run(rounds: number): WorldResult {
    const random = this.#random;
    for (const cluster of this.clusters) {
      this.#every(1_000, () => cluster.broker.sys());
      if (random.chance(0.5)) cluster.clients.subscribe();
      this.#time.after(random.int(0, 20_000), () => this.#faults.start(cluster));
    }
    this.#advance(30_000);
    this.#calm();
    for (let round = 0; round < rounds && this.#oracle.failures.length === 0; round += 1) {
      if (this.#time.steps > STEPS_MAX) this.#oracle.failures.push(`does not come to rest in ${STEPS_MAX} steps`);
      this.#chaos();
      this.#calm();
    }
    if (this.#oracle.failures.length === 0) this.#silence();
    return {
      seed: this.#seed,
      failures: this.#oracle.failures,
      steps: this.#time.steps,
      counts: {
        published: this.#published,
        ...this.#oracle.counts,
        requests: this.#replies,
        routesExpired: this.#routesExpired,
      },
      faults: {
        ...this.#faults.counts,
        ...this.#hot.counts,
        ...this.#network.counts,
        foreign: this.#bridge?.carried ?? 0,
      },
    };
  }

  // ── phases ───────────────────────────────────────────────────────────────────────────────────────

  #chaos(): void {
    const random = this.#random;
    const endMs = this.#time.nowMs + CHAOS_MS;
    this.#trouble = true;
    this.#faults.begin();
    this.#hot.begin(endMs, this.#bridge === null);
    this.#network.weather = {
      drop: random.pick([0, 0.05, 0.3]),
      repeat: random.pick([0, 0.1]),
      late: random.pick([0, 0.01, 0.05]),
      delayMaxMs: random.pick([20, 300, 2_000]),
    };
    if (this.#bridge !== null && random.chance(0.5)) {
      this.#bridge.active = true;
      this.#oracle.foreign = true;
    }
    this.#randomly(endMs, random.pick([500, 3_000, 10_000]), () => this.#faults.strike());
    this.#randomly(endMs, random.pick([20, 100, 1_000]), () => this.#publish(random.pick(this.clusters)));
    this.#randomly(endMs, random.pick([100, 1_000, 10_000]), () => this.#churn(random.pick(this.clusters)));
    this.#time.runUntil(endMs);
  }

  #calm(): void {
    this.#network.weather = CALM;
    this.#trouble = false;
    this.#hot.heal();
    this.#faults.heal();
    for (const { clients } of this.clusters) {
      clients.return();
      clients.release();
      if (this.#random.chance(0.5)) clients.repeat();
    }
    this.#advance(LATE_OVER_MS);
    const before = this.#bootstraps();
    this.#advance(CALM_MS - LATE_OVER_MS);
    const { failures } = this.#oracle;
    if (this.#bootstraps() !== before) failures.push("a bootstrap was sent in a calm without any cause");
    failures.push(...this.#witness.failures.splice(0));
    if (this.#bridge?.active === true) this.#endCircle(this.#bridge);
    if (this.#network.counts.tooLarge > 0)
      failures.push(`${this.#network.counts.tooLarge} packets were larger than the broker had announced`);
    this.#oracle.settle(
      this.clusters.map(({ name }) => name),
      (publisher, receiver) => this.#cluster(publisher).dropped(receiver),
    );
    this.#shape.settled();
    failures.push(...whatIsWrong(this.clusters, this.#shape, this.#time.nowMs));
    failures.push(...whatIsSavedWrong(this.clusters));
    if (failures.length === 0) this.#nobodyAsks();
    if (failures.length === 0) this.#requests();
  }

  /** The other bridge is still there: what circled must have stopped. Then it goes. */
  #endCircle(bridge: ForeignBridge): void {
    const before = bridge.carried;
    this.#advance(CIRCLE_OVER_MS);
    if (bridge.carried !== before) this.#oracle.failures.push("messages still circle through the foreign bridge");
    bridge.active = false;
    this.#advance(1_000);
    this.#oracle.foreign = false;
  }

  /** A message that nobody asked for stays where it is. */
  #nobodyAsks(): void {
    for (const { name, broker } of this.clusters) {
      const before = new Map(this.#network.frames);
      const topic = `nobody/${this.#random.int(1, 9)}`;
      broker.publish("publisher", { topic, payload: new Uint8Array(1), qos: 1, properties: null });
      this.#advance(1_000);
      for (const { name: receiver } of this.clusters) {
        const path = `${name} ${receiver}`;
        const crossed = this.#network.frames.get(path) !== before.get(path);
        if (receiver !== name && crossed && !wants(this.clusters, receiver, name, topic))
          this.#oracle.failures.push(`a message crossed from ${path} that nobody wants`);
      }
    }
  }

  /** A client that subscribes its reply topic and then asks always gets the reply. */
  #requests(): void {
    for (let i = 0; i < REQUESTS; i += 1) {
      const from = this.#random.pick(this.clusters);
      const to = this.#random.pick(this.clusters.filter((other) => other !== from));
      const reply = `reply/${this.#seed}-${this.#published}-${i}`;
      if (!this.#shape.permits(to.name, from.name, reply) || !this.#shape.permits(from.name, to.name, "t/2/1"))
        continue;
      if (!this.#request(from, to, reply, i)) this.#oracle.failures.push(`the reply on ${reply} was lost`);
      this.#replies += 1;
    }
    this.#advance(5_000);
  }

  #request(from: SimCluster, to: SimCluster, reply: string, i: number): boolean {
    let answered = false;
    const payload = new TextEncoder().encode(reply);
    const responder = `responder-${to.name}-${i}`;
    const session = to.broker.connect(responder, false, true);
    to.broker.subscribe(responder, "t/2/1");
    this.#advance(REQUEST_MS);
    to.broker.attach(session, (message) => {
      if (idOf(message) === reply) to.broker.publish(responder, { topic: reply, payload, qos: 1, properties: null });
    });
    const asker = `asker-${from.name}-${i}`;
    const inbox = from.broker.connect(asker, false, true);
    from.broker.attach(inbox, () => {
      answered = true;
    });
    from.broker.subscribe(asker, reply);
    from.broker.publish(asker, { topic: "t/2/1", payload, qos: 1, properties: null });
    this.#advance(REQUEST_MS);
    from.broker.disconnect(asker);
    to.broker.disconnect(responder);
    return answered;
  }

  /** Everybody unsubscribes: after the last one nothing may be wanted, announced or subscribed any more. */
  #silence(): void {
    for (const { clients } of this.clusters) clients.unsubscribeAll();
    this.#advance(CALM_MS);
    for (const { name, agent } of this.clusters) {
      const status = agent.hub?.status(this.#time.nowMs);
      if (status === undefined || status.wide !== null) continue;
      for (const link of status.links) {
        if (link.out.routes > 0)
          this.#oracle.failures.push(`${name} still announces ${link.out.routes} routes to ${link.name} in silence`);
      }
    }
    this.#oracle.failures.push(...whatIsWrong(this.clusters, this.#shape, this.#time.nowMs));
    if (this.#oracle.failures.length === 0) this.#nobodyAsks();
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────

  /** Publishes while something changes: what is lost in between shows only then. */
  #burst(): void {
    if (!this.#trouble || this.#random.chance(0.5)) return;
    const spanMs = this.#random.pick([50, 500, 3_000]);
    for (let i = 0; i < BURST; i += 1)
      this.#time.after(this.#random.next() * spanMs, () => this.#publish(this.#random.pick(this.clusters)));
  }

  #churn({ clients }: SimCluster): void {
    if (this.#random.chance(0.2)) this.#burst();
    const kind = this.#random.pick(["join", "join", "join", "leave", "leave", "vanish", "return", "takeover"]);
    if (kind === "vanish") clients.vanish();
    else if (kind === "return") clients.return();
    else if (kind === "takeover") clients.takeover();
    else if (clients.size < 14 && (kind === "join" || clients.size === 0)) clients.subscribe();
    else clients.unsubscribe();
  }

  #publish(cluster: SimCluster): void {
    if (!cluster.broker.up) return;
    const random = this.#random;
    this.#published += 1;
    const id = `m${this.#published}`;
    const topic = random.chance(0.9)
      ? `t/${random.int(1, 3)}/${random.int(1, 3)}`
      : random.pick(["t", "u/1", "t/2/1/x", "$SYS/broker/load/1"]);
    const publisher = `publisher-${cluster.name}`;
    const atMs = this.#time.nowMs;
    const reliable = random.chance(0.9);
    const message: Published = { id, cluster: cluster.name, publisher, topic, atMs, order: this.#published, reliable };
    this.#messages.set(id, message);
    if ((cluster.agent.running || cluster.isDurable) && !topic.startsWith("$")) this.#oracle.published(message);
    if (cluster.isBetweenFilters(topic)) this.#oracle.mayRepeatEverywhere([id]);
    // A sensor says the same again and again; only its properties tell one message from the next.
    const sensor = this.#shape.allHaveProperties && !this.#oracle.foreign && random.chance(0.3);
    cluster.broker.publish(publisher, {
      topic,
      payload: new TextEncoder().encode(sensor ? "on" : id),
      qos: reliable ? 1 : 0,
      properties: sensor ? { userProperties: [[ID_PROPERTY, id]] } : null,
    });
  }

  #reported(cluster: SimCluster, event: HubEvent): void {
    this.#witness.reported(cluster, event, this.clusters, this.#time.nowMs);
    if (event.type !== "routes_expired") return;
    // No secret loss; what the agent has in hand is not touched by it.
    this.#routesExpired += 1;
    this.#oracle.routesLost(cluster.name, event.link, (id) => this.#taken.has(`${cluster.name} ${id}`));
  }

  #bootstraps(): number {
    let count = 0;
    for (const { agent } of this.clusters) {
      for (const link of agent.hub?.status(this.#time.nowMs).links ?? [])
        count += link.conversation.find(({ what }) => what === "bootstrap_sent")?.count ?? 0;
    }
    return count;
  }

  #cluster(name: string): SimCluster {
    const cluster = this.clusters.find((candidate) => candidate.name === name);
    if (cluster === undefined) throw new Error(`no cluster ${name}`);
    return cluster;
  }

  #advance(forMs: number): void {
    this.#time.runUntil(this.#time.nowMs + forMs);
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
