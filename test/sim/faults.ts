/** What goes wrong, one fault at a time. Each tells the oracle exactly what it may cost; most may cost nothing. */
import type { Oracle } from "./oracle.ts";
import type { Prng } from "./prng.ts";
import type { WorldShape } from "./shape.ts";
import type { Delivery } from "./sim-broker.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Timeline } from "./timeline.ts";
import type { Witness } from "./witness.ts";

const KINDS = [
  "cut",
  "black_hole",
  "kill",
  "kill_busy",
  "kill_in_turn",
  "kill_alone",
  "clock_back",
  "clock_forward",
  "pause",
  "leave",
  "freeze",
  "data_cut",
  "link_cut",
  "events_gap",
  "broker_restart",
  "broker_loss",
  "denied",
  "busy",
  "slow",
  "relic",
  "rubbish",
  "double",
] as const;

export type FaultKind = (typeof KINDS)[number];

/** They cost what a cluster publishes, so that where they strike often little else can be seen. */
const GRAVE: ReadonlySet<FaultKind> = new Set([
  "kill",
  "kill_busy",
  "kill_in_turn",
  "kill_alone",
  "clock_back",
  "clock_forward",
  "pause",
  "leave",
  "broker_loss",
  "denied",
  "double",
]);

export interface FaultParts {
  readonly shape: WorldShape;
  readonly time: Timeline;
  readonly random: Prng;
  readonly network: SimNetwork;
  readonly oracle: Oracle;
  readonly witness: Witness;
  readonly clusters: readonly SimCluster[];
  /** The name of a message that a broker held. */
  readonly idOf: (message: Delivery) => string;
  /** Something has come back: now is the time to publish. */
  readonly changed: () => void;
  /** What an agent had taken in hand went with its life. */
  readonly forgotten: (cluster: string, ids: readonly string[]) => void;
}

export class Faults {
  readonly counts: Partial<Record<FaultKind, number>> = {};
  readonly #parts: FaultParts;
  /** What this stretch of trouble is made of. */
  #menu: readonly FaultKind[] = KINDS;
  /** Clusters that nothing grave happens to meanwhile. */
  #spared: ReadonlySet<SimCluster> = new Set();

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  /** Another stretch of trouble: few kinds or all of them, and some clusters better off than others. */
  begin(): void {
    const { random, clusters } = this.#parts;
    const size = random.pick([1, 2, 3, 6, KINDS.length]);
    this.#menu = size === KINDS.length ? KINDS : Array.from({ length: size }, () => random.pick(KINDS));
    this.#spared = new Set(random.chance(0.8) ? clusters.filter(() => random.chance(0.6)) : []);
  }

  strike(): void {
    const { random, clusters } = this.#parts;
    const kind = random.pick(this.#menu);
    const cluster = random.pick(clusters);
    if (GRAVE.has(kind) && this.#spared.has(cluster)) return;
    const other = random.pick(clusters.filter((candidate) => candidate !== cluster));
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.#strike(kind, cluster, other);
  }

  /** Starts a cluster's agent, whose connections come up one by one. */
  start(cluster: SimCluster): void {
    if (cluster.agent.running) return;
    const { time, random, clusters, witness, oracle, idOf } = this.#parts;
    witness.started(cluster.name, time.nowMs);
    // It may have died between two filters, both of which were held while it was away.
    const queued = cluster.broker.sessions.get(`${cluster.name}-data`)?.queue.map(idOf) ?? [];
    oracle.mayRepeatEverywhere(queued.filter((id, at) => queued.indexOf(id) !== at));
    cluster.start();
    for (const other of clusters)
      if (other !== cluster) time.after(random.int(1, 2_000), () => this.connect(cluster, other));
  }

  /** The cluster's agent connects to the other's broker, if it does so at all, and both are there. */
  connect(cluster: SimCluster, other: SimCluster): void {
    const { network, shape } = this.#parts;
    const connection = network.dialled(cluster.name, other.name);
    connection.blackHole = false;
    if (connection.up || !shape.link(cluster.name, other.name).dials) return;
    if (!cluster.agent.running || !other.broker.up || cluster.agent.links.isAway(other.name)) return;
    connection.up = true;
    this.#parts.changed();
    connection.will = cluster.agent.dialled(other.name, other.shape.packetBytesMax);
  }

  /** Nothing is wrong any more. */
  heal(): void {
    const { clusters } = this.#parts;
    for (const cluster of clusters) {
      cluster.endDouble();
      cluster.broker.denied = null;
      cluster.broker.busy = false;
      cluster.agent.onFrame = null;
      cluster.agent.onHandedOver = null;
      cluster.agent.dieAfterCalls = null;
      if (!cluster.broker.up) this.#brokerUp(cluster);
      cluster.agent.thaw();
      if (cluster.agent.local !== null) cluster.agent.local.slowMs = 0;
      cluster.agent.local?.eventsGap();
      this.start(cluster);
    }
    for (const cluster of clusters) for (const other of clusters) if (other !== cluster) this.connect(cluster, other);
  }

  #strike(kind: FaultKind, cluster: SimCluster, other: SimCluster): void {
    const { time, random, network, oracle, witness, clusters } = this.#parts;
    const { agent, broker } = cluster;
    switch (kind) {
      case "cut":
        this.#cut(cluster, other);
        time.after(random.int(100, 20_000), () => this.connect(cluster, other));
        break;
      case "black_hole": {
        const connection = network.dialled(cluster.name, other.name);
        connection.blackHole = true;
        time.after(random.int(1_000, 55_000), () => {
          connection.blackHole = false;
        });
        break;
      }
      case "kill":
        this.#kill(cluster);
        break;
      case "kill_busy":
        // Between a frame's arrival and the answer to its republish; above all while the message is on its way to the broker.
        if (random.chance(0.3)) {
          agent.onFrame = () => time.after(random.next() * 2 * cluster.shape.localDelayMs, () => this.#kill(cluster));
        } else {
          agent.onHandedOver = () => time.after(random.next() * cluster.shape.localDelayMs, () => this.#kill(cluster));
        }
        break;
      case "kill_in_turn":
        agent.onDeath = () => this.#kill(cluster);
        agent.dieAfterCalls = random.int(1, 30);
        break;
      case "kill_alone":
        // Nobody has what it took just before: its own disk must.
        for (const peer of clusters) {
          if (peer === cluster) continue;
          this.#cut(cluster, peer);
          this.#cut(peer, cluster);
        }
        this.#parts.changed();
        time.after(random.int(50, 3_000), () => this.#kill(cluster));
        break;
      case "clock_back":
        agent.clockOffsetMs -= random.int(1_000, 100_000);
        witness.clockWentBack(cluster.name);
        this.#kill(cluster);
        break;
      case "clock_forward":
        agent.clockOffsetMs += random.int(1_000, 100_000);
        this.#kill(cluster);
        break;
      case "pause":
        if (agent.running) this.#end(cluster, () => agent.pause("pause"));
        break;
      case "leave":
        if (!agent.running) break;
        this.#end(cluster, () => agent.pause("leave"));
        // It said that it wants nothing any more, not even what is under way.
        oracle.receiverLost(cluster.name);
        break;
      case "freeze":
        agent.freeze(random.int(100, 40_000));
        break;
      case "data_cut":
        oracle.mayRepeat(cluster.name, time.nowMs);
        agent.local?.cutData(random.int(50, 5_000));
        break;
      case "link_cut":
        agent.local?.cutLink(random.int(50, 5_000));
        break;
      case "events_gap": {
        const { local } = agent;
        if (local === null) break;
        local.loseEvents = true;
        time.after(random.int(500, 10_000), () => local.eventsGap());
        break;
      }
      case "broker_restart":
      case "broker_loss":
        this.#brokerDown(cluster, kind === "broker_restart");
        break;
      case "denied":
        broker.denied = () => random.chance(0.5);
        oracle.deaf(cluster.name);
        // What is held is asked for again, and refused.
        if (agent.local !== null && random.chance(0.5)) {
          agent.local.loseEvents = true;
          agent.local.eventsGap();
        }
        time.after(random.int(100, 20_000), () => {
          broker.denied = null;
        });
        break;
      case "busy":
        broker.busy = true;
        oracle.mayReorder(cluster.name);
        time.after(random.int(100, 10_000), () => {
          broker.busy = false;
        });
        break;
      case "slow": {
        const { local } = agent;
        if (local === null) break;
        local.slowMs = random.int(100, 3_000);
        time.after(random.int(1_000, 20_000), () => {
          local.slowMs = 0;
        });
        break;
      }
      case "relic":
        network.relic(cluster.name, other.name);
        break;
      case "rubbish":
        network.rubbish(cluster.name, other.name);
        break;
      case "double":
        this.#double(cluster);
        break;
    }
  }

  #cut(cluster: SimCluster, other: SimCluster): void {
    const { network } = this.#parts;
    if (!network.dialled(cluster.name, other.name).up) return;
    network.cut(cluster.name, other.name);
    cluster.agent.linkDown(other.name);
  }

  #kill(cluster: SimCluster): void {
    if (cluster.agent.running) this.#end(cluster, () => cluster.agent.kill());
  }

  #end(cluster: SimCluster, end: () => void): void {
    const { oracle, time, random, network, clusters, idOf, forgotten } = this.#parts;
    cluster.ending();
    end();
    if (cluster.isDurable) {
      cluster.inherits();
      const queue = cluster.broker.sessions.get(`${cluster.name}-data`)?.queue ?? [];
      oracle.mayRepeatEverywhere(queue.filter((copy) => copy.dup || cluster.isOfRetired(copy)).map(idOf));
      forgotten(cluster.name, queue.filter(({ dup }) => dup).map(idOf));
      oracle.mayRepeatAt(cluster.name, cluster.agent.unsettled);
      if (cluster.shape.broker === "echo") oracle.mayEcho(time.nowMs);
    } else {
      oracle.publisherLost(cluster.name);
      oracle.mayRepeat(cluster.name, time.nowMs);
    }
    for (const peer of clusters) if (peer !== cluster) network.cut(cluster.name, peer.name);
    time.after(random.int(10, 20_000), () => this.start(cluster));
  }

  #brokerDown(cluster: SimCluster, keep: boolean): void {
    const { oracle, time, random, clusters, idOf } = this.#parts;
    const { broker, agent, clients } = cluster;
    if (!broker.up) return;
    oracle.mayRepeat(cluster.name, time.nowMs);
    const lost = broker.crash(keep);
    clients.brokerDown(keep);
    agent.local?.brokerDown();
    if (!keep) oracle.brokerLost(cluster.name, new Set(lost.map(idOf)));
    for (const peer of clusters) if (peer !== cluster) this.#cut(peer, cluster);
    time.after(random.int(100, 5_000), () => this.#brokerUp(cluster));
  }

  #brokerUp(cluster: SimCluster): void {
    const { time, random, clusters } = this.#parts;
    if (cluster.broker.up) return;
    cluster.broker.up = true;
    cluster.agent.local?.brokerUp();
    time.after(random.int(1, 3_000), () => cluster.clients.return());
    for (const peer of clusters)
      if (peer !== cluster) time.after(random.int(1, 2_000), () => this.connect(peer, cluster));
  }

  #double(cluster: SimCluster): void {
    const { oracle, time, random, witness } = this.#parts;
    if (cluster.double !== null) return;
    witness.doubled(cluster.name);
    oracle.receiverLost(cluster.name);
    cluster.startDouble();
    time.after(random.int(1_000, 40_000), () => cluster.endDouble());
  }
}
